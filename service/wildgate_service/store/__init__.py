"""The store: decisions, the log that proves them, outcomes and API keys, in one SQLite file.

`open_store` is the door, to what `_url` says that a URL names. `SqliteStore` holds the connection; what it does is written beside it, as
functions of a connection: `_decisions` appends, `_facets` keeps what decisions are counted by,
`_outcomes` appends what followed, `_following` reads it with what it followed, `_audit` verifies and erases, `_counting` counts for
reports, `_api_keys` keeps keys. The tables are in `migrations/`.
"""

from __future__ import annotations

from wildgate_service.store._connection import open_store
from wildgate_service.store._late import Superseded
from wildgate_service.store._outcomes import DecisionNotFoundError, OutcomeRecorded
from wildgate_service.store._sqlite import SqliteStore
from wildgate_service.store._url import mask, path_of

__all__ = ["DecisionNotFoundError", "OutcomeRecorded", "SqliteStore", "Superseded", "mask", "open_store", "path_of"]
