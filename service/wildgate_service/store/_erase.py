"""Erase payloads without breaking the chain over their commitments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import msgpack

from wildgate_service.record import SALT_BYTES, read_payload
from wildgate_service.store._groups import read_payloads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wildgate_service.store._database import Database, Row

GROUP = """
SELECT last_position, first_position, salts, payloads
FROM log JOIN payloads USING (last_position) WHERE last_position >= ? ORDER BY last_position LIMIT 1
"""


def erase(database: Database, positions: Sequence[int]) -> int:
    """Erase salts and payloads for ever, leaving commitments and tombstones; how many were there."""
    with database.erasing():
        return sum(_erase(database, group, places) for group, places in _by_group(database, positions))


def _by_group(database: Database, positions: Sequence[int]) -> Iterator[tuple[Row, list[int]]]:
    """Each group of records that were committed together, with those of its positions that are asked for."""
    group: Row | None = None
    places: list[int] = []
    for position in sorted(set(positions)):
        if group is None or position > group[0]:
            if group and places:
                yield group, places
            group, places = database.execute(GROUP, (position,)).fetchone(), []
        if group and position >= group[1]:
            places.append(position)
    if group and places:
        yield group, places


def _erase(database: Database, group: Row, positions: Sequence[int]) -> int:
    last, first, salts, packed = group
    payloads, salts = read_payloads(packed), bytearray(salts)
    there = [position for position in positions if payloads[position - first]]
    now = time.time_ns() // 1000
    for position in there:
        index = position - first
        decision_id = read_payload(payloads[index]).decision_id
        payloads[index] = b""
        salts[SALT_BYTES * index : SALT_BYTES * (index + 1)] = bytes(SALT_BYTES)
        database.execute("UPDATE decisions SET listing_id = '' WHERE decision_id = ?", (decision_id,))
        database.execute("INSERT INTO tombstones (position, erased_time) VALUES (?, ?)", (position, now))
    if there:
        kept = (bytes(salts), msgpack.encode(payloads), last)
        database.execute("UPDATE payloads SET salts = ?, payloads = ? WHERE last_position = ?", kept)
    return len(there)
