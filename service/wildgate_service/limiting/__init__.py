"""Limits: how many listings a tenant may have scored, and how many bad keys an address may try, counted over all workers at once.

`limit` says what a limit is and how a call is charged, with no clock and no memory; `shared` is the memory that all workers count in;
`limiter` charges tenants and `attempts` counts bad keys, in a worker; `desk` reads limits from the store, in the supervisor.
"""
