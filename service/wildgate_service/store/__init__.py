"""The store: decisions, the logs that prove them, outcomes and API keys, in an SQLite file or a PostgreSQL database.

`open_store` is the door, to what `_url` says that a URL names. `Store` holds the connection; what it does is written beside it once for
both engines, as functions of a `Database` (`_database` says what that is, `_sqlite` and `_postgresql` are the two): `_decisions` and
`_repeats` append, `_logs` numbers the hash chains, `_facets` and `_findings` keep what decisions are counted by, `_outcomes` appends
what followed, `_following` reads it with what it followed, `_late` keeps what gave way, `_audit` verifies, `_retention` finds what
`_erase` erases, `_backup` copies, `_counting` counts for reports, `_api_keys` keeps keys, `_limits` limits. The tables are in
`migrations/`.
"""

from __future__ import annotations

from wildgate_service.store._backup import back_up, damages, free_bytes
from wildgate_service.store._database import Durability
from wildgate_service.store._late import Superseded
from wildgate_service.store._open import open_store
from wildgate_service.store._outcomes import DecisionNotFoundError, OutcomeRecorded
from wildgate_service.store._retention import Unwanted, parts
from wildgate_service.store._store import Store
from wildgate_service.store._url import is_postgresql, mask, path_of

__all__ = [
    "DecisionNotFoundError",
    "Durability",
    "OutcomeRecorded",
    "Store",
    "Superseded",
    "Unwanted",
    "back_up",
    "damages",
    "free_bytes",
    "is_postgresql",
    "mask",
    "open_store",
    "parts",
    "path_of",
]
