"""Keep API keys: their digests, never themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wildgate_service.keys import ApiKey
from wildgate_service.record import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.store._database import Database


COLUMNS = "tenant, key_id, digest, scopes, explain, created_time, expires_time, revoked_time"


def add_key(database: Database, key: ApiKey) -> None:
    """Keep a new key. Raises ConflictError if its id is taken."""
    row = (
        key.tenant,
        key.key_id,
        key.digest,
        " ".join(sorted(key.scopes)),
        key.explain,
        to_microseconds(key.created),
        _stored(key.expires),
        _stored(key.revoked),
    )
    with database.transaction():
        database.insert("api_keys", COLUMNS, [row])


def api_keys(database: Database) -> Sequence[ApiKey]:
    """All keys, expired and revoked ones too, oldest first."""
    rows = database.execute(
        "SELECT key_id, tenant, digest, scopes, explain, created_time, expires_time, revoked_time"
        " FROM api_keys ORDER BY created_time, key_id"
    )
    return [
        ApiKey(
            key_id=key_id,
            tenant=tenant,
            digest=digest,
            scopes=frozenset(scopes.split()),
            explain=explain,
            created=_time(created),
            expires=None if expires is None else _time(expires),
            revoked=None if revoked is None else _time(revoked),
        )
        for key_id, tenant, digest, scopes, explain, created, expires, revoked in rows
    ]


def revoke_key(database: Database, key_id: str, time: datetime) -> bool:
    """Revoke a key; False if there is none of this id that was not revoked before."""
    changed = database.execute(
        "UPDATE api_keys SET revoked_time = ? WHERE key_id = ? AND revoked_time IS NULL",
        (to_microseconds(time), key_id),
    )
    return changed.rowcount == 1


def _stored(time: datetime | None) -> int | None:
    return None if time is None else to_microseconds(time)


def _time(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, UTC)
