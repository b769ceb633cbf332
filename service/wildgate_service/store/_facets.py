"""Facets as a row: lists become JSON arrays, and each combination has one id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from wildgate_service.record import Facets
from wildgate_service.store._database import one

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wildgate_service.store._database import Database

COLUMNS = Facets.__struct_fields__
LISTS = {"taxon_groups", "appendices", "degraded_reasons"}

_NAMES = ", ".join(COLUMNS)
_FIND = f"SELECT id FROM facets WHERE {' AND '.join(f'{name} = ?' for name in COLUMNS)}"  # noqa: S608
_ALL = f"SELECT id, {_NAMES} FROM facets"  # noqa: S608  (names of columns, not data)

_read = msgspec.msgpack.Decoder(Facets).decode


def to_row(facets: Facets) -> tuple[object, ...]:
    """The values of the columns."""
    return tuple(_stored(name, getattr(facets, name)) for name in COLUMNS)


def _stored(name: str, value: object) -> object:
    if name in LISTS:
        return msgspec.json.encode(value).decode()
    return int(value) if isinstance(value, bool) else value


def know(database: Database, ids: dict[bytes, int], wanted: Iterable[bytes]) -> None:
    """Learn the ids of these facets (MessagePack), made for those that are new.

    Outside of the transaction that appends, so that nobody waits for it; facets that nothing has in the end do no harm.
    """
    rows = {encoded: to_row(_read(encoded)) for encoded in sorted(set(wanted) - ids.keys())}
    if rows:
        with database.transaction():
            database.insert("facets", _NAMES, list(rows.values()), "ON CONFLICT DO NOTHING")
            ids.update((encoded, int(one(database, _FIND, row)[0])) for encoded, row in rows.items())


def by_id(database: Database) -> dict[int, Facets]:
    """All that occurred."""
    return {found: _from_row(row) for found, *row in database.execute(_ALL)}


def _from_row(row: list[object]) -> Facets:
    values = [msgspec.json.decode(str(value)) if name in LISTS else value for name, value in zip(COLUMNS, row, strict=True)]
    return msgspec.convert(values, Facets, strict=False)
