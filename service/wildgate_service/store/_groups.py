"""Read single records of the log: groups that were committed together, unpacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import msgpack

from wildgate_service.record import chain_hash, genesis
from wildgate_service.store import _logs
from wildgate_service.store._database import one

if TYPE_CHECKING:
    from wildgate_service.store._database import Database

HASH_BYTES = 32

AROUND = """
SELECT first_position, last_position, payloads FROM log JOIN payloads USING (last_position)
WHERE last_position >= ? ORDER BY last_position LIMIT 1
"""
COMMITMENTS = "SELECT first_position, commitments FROM log WHERE last_position >= ? ORDER BY last_position LIMIT 1"

read_payloads = msgpack.Decoder(list[bytes]).decode


def payloads_around(database: Database, position: int) -> tuple[int, int, list[bytes]]:
    """First and last position of the group of a position, and its payloads, empty where they were erased."""
    first, last, packed = one(database, AROUND, (position,))
    return first, last, read_payloads(packed)


def payload_at(database: Database, position: int) -> bytes:
    """The payload at a position, empty if it was erased."""
    first, _, payloads = payloads_around(database, position)
    return payloads[position - first]


def chain_at(database: Database, log_id: str, position: int) -> bytes:
    """The chain hash at a position, of which only the last of each group is stored."""
    first, commitments = one(database, COMMITMENTS, (position,))
    chain = chain_before(database, log_id, first)
    for start in range(0, HASH_BYTES * (position - first + 1), HASH_BYTES):
        chain = chain_hash(chain, commitments[start : start + HASH_BYTES])
    return chain


def chain_before(database: Database, log_id: str, first: int) -> bytes:
    """The chain hash before a group, by its first position."""
    row = database.execute("SELECT chain_hash FROM log WHERE last_position = ?", (first - 1,)).fetchone()
    return bytes(row[0]) if row else genesis(log_id)


def log_id_of(database: Database, position: int) -> str:
    """The id of the log that a position is in."""
    return str(one(database, "SELECT log_id FROM logs WHERE number = ?", (_logs.number_of(position),))[0])
