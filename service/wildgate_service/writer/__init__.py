"""The writer: one process owns the store, and all workers record through it over a Unix socket.

SQLite takes one writer at a time, and a commit costs the same for one record as for fifty. So the
writer takes all that waits from all workers, commits it as one group, answers everybody, and only
then looks again: groups grow with the load by themselves, and a lone record never waits for others.

`run_writer` is the process (`_server`), `WriterClient` what a worker talks through (`_client`), and
`_wire` the messages between them. In the process `_recorder` says what becomes of a group: it goes into the store,
which `_keeper` holds in a thread, or, where that fails, into the `_spool`, a file.
"""

from __future__ import annotations

from wildgate_service.writer._client import WriterClient, WriterOverloadedError
from wildgate_service.writer._recorder import Recording
from wildgate_service.writer._server import run_writer
from wildgate_service.writer._wire import WriterState

__all__ = ["Recording", "WriterClient", "WriterOverloadedError", "WriterState", "run_writer"]
