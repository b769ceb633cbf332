"""Erase payloads without breaking the chain over their commitments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import msgpack

from wildgate_service.record import SALT_BYTES, read_payload
from wildgate_service.store._groups import read_payloads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.store._database import Database

GROUP = """
SELECT last_position, first_position, salts, payloads
FROM log JOIN payloads USING (last_position) WHERE last_position >= ? ORDER BY last_position LIMIT 1
"""


def erase(database: Database, positions: Sequence[int]) -> int:
    """Erase salts and payloads for ever, leaving commitments and tombstones; how many were there."""
    with database.erasing():
        return sum(_erase(database, position) for position in positions)


def _erase(database: Database, position: int) -> bool:
    row = database.execute(GROUP, (position,)).fetchone()
    if row is None or position < row[1]:
        return False
    last, first, salts, packed = row
    payloads = read_payloads(packed)
    if not payloads[position - first]:
        return False
    decision_id = read_payload(payloads[position - first]).decision_id
    payloads[position - first] = b""
    at = SALT_BYTES * (position - first)
    salts = salts[:at] + bytes(SALT_BYTES) + salts[at + SALT_BYTES :]
    database.execute(
        "UPDATE payloads SET salts = ?, payloads = ? WHERE last_position = ?",
        (salts, msgpack.encode(payloads), last),
    )
    database.execute("UPDATE decisions SET listing_id = '' WHERE decision_id = ?", (decision_id,))
    now = time.time_ns() // 1000
    database.execute("INSERT INTO tombstones (position, erased_time) VALUES (?, ?)", (position, now))
    return True
