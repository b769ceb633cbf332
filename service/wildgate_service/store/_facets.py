"""Facets as a row: lists become JSON arrays, and each combination has one id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from wildgate_service.record import Facets

if TYPE_CHECKING:
    import sqlite3

COLUMNS = Facets.__struct_fields__
LISTS = {"taxon_groups", "appendices", "degraded_reasons"}

_NAMES = ", ".join(COLUMNS)
_INSERT = f"INSERT OR IGNORE INTO facets ({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
_FIND = f"SELECT id FROM facets WHERE {' AND '.join(f'{name} = ?' for name in COLUMNS)}"  # noqa: S608
_ALL = f"SELECT id, {_NAMES} FROM facets"  # noqa: S608  (names of columns, not data)

_read = msgspec.msgpack.Decoder(Facets).decode


def to_row(facets: Facets) -> tuple[object, ...]:
    """The values of the columns."""
    values = ((name, getattr(facets, name)) for name in COLUMNS)
    return tuple(msgspec.json.encode(value).decode() if name in LISTS else value for name, value in values)


def id_of(connection: sqlite3.Connection, encoded: bytes) -> int:
    """The id of these facets (MessagePack), made if they are new."""
    row = to_row(_read(encoded))
    connection.execute(_INSERT, row)
    (found,) = connection.execute(_FIND, row).fetchone()
    return int(found)


def by_id(connection: sqlite3.Connection) -> dict[int, Facets]:
    """All that occurred."""
    return {found: _from_row(row) for found, *row in connection.execute(_ALL)}


def _from_row(row: list[object]) -> Facets:
    values = [msgspec.json.decode(str(value)) if name in LISTS else value for name, value in zip(COLUMNS, row, strict=True)]
    return msgspec.convert(values, Facets, strict=False)
