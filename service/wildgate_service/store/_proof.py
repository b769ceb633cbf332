"""Prove single records: what stands between them and a receipt that somebody holds."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import json, msgpack

from wildgate_service.evidence import Followed, Proof, Wanted
from wildgate_service.record import SALT_BYTES, chain_hash, genesis
from wildgate_service.store._decisions import HASH_BYTES
from wildgate_service.types import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

FARTHEST = 1_000_000  # records between one and the receipt that it is proven to: 32 bytes each
GROUP = """
SELECT first_position, commitments, salts, payloads
FROM log LEFT JOIN payloads USING (last_position) WHERE last_position >= ? ORDER BY last_position LIMIT 1
"""
POSITIONS = """
SELECT position FROM decisions WHERE (:tenant IS NULL OR tenant = :tenant) AND listing_id = :listing_id AND :listing_id <> ''
UNION SELECT value FROM json_each(:positions) WHERE value IN (
    SELECT position FROM decisions WHERE :tenant IS NULL OR tenant = :tenant
)
ORDER BY 1
"""
FOLLOWED = """
SELECT o.outcome_id, o.kind, o.means, o.notice_source, o.occurred_time, o.recorded_time, o.restrictions, o.ground, o.corrects, o.reference
FROM outcomes AS o JOIN decisions AS d ON d.tenant = o.tenant
AND (o.decision_id = d.decision_id OR (o.decision_id = '' AND o.request_id = d.request_id))
WHERE d.position = ? ORDER BY o.occurred_time, o.recorded_time, o.outcome_id
"""

_read_payloads = msgpack.Decoder(list[bytes]).decode


def proofs(
    connection: sqlite3.Connection, log_id: str, wanted: Wanted, published: Sequence[Receipt]
) -> tuple[list[Proof], dict[int, list[Followed]]]:
    """Proofs in the order of the log, and by position what followed."""
    arguments = {
        "tenant": wanted.tenant,
        "listing_id": wanted.listing_id,
        "positions": json.encode(wanted.positions).decode(),
    }
    anchors = sorted({receipt for receipt in published if receipt.log_id == log_id}, key=lambda receipt: receipt.position)
    connection.execute("BEGIN")
    try:
        positions = [position for (position,) in connection.execute(POSITIONS, arguments)]
        return (
            [_proof(connection, log_id, position, _anchor(anchors, position)) for position in positions],
            {position: [_followed(row) for row in connection.execute(FOLLOWED, (position,))] for position in positions},
        )
    finally:
        connection.execute("ROLLBACK")


def _anchor(anchors: Sequence[Receipt], position: int) -> Receipt | None:
    """The first receipt at or after a position, unless it is too far."""
    index = bisect_left(anchors, position, key=lambda receipt: receipt.position)
    return anchors[index] if index < len(anchors) and anchors[index].position <= position + FARTHEST else None


def _proof(connection: sqlite3.Connection, log_id: str, position: int, anchor: Receipt | None) -> Proof:
    first, commitments, salts, packed = connection.execute(GROUP, (position,)).fetchone()
    before = _chain_before(connection, log_id, first)
    index = position - first
    for start in range(0, HASH_BYTES * index, HASH_BYTES):
        before = chain_hash(before, commitments[start : start + HASH_BYTES])
    payload = _read_payloads(packed)[index] if packed else b""
    committed = commitments[HASH_BYTES * index : HASH_BYTES * (index + 1)]
    following = b"".join(_commitments(connection, position + 1, anchor.position)) if anchor else b""
    erased = connection.execute("SELECT erased_time FROM tombstones WHERE position = ?", (position,)).fetchone()
    return Proof(
        position=position,
        previous=before,
        commitment=committed,
        salt=salts[SALT_BYTES * index : SALT_BYTES * (index + 1)] if payload else b"",
        payload=payload or None,
        erased_time=_time(erased[0]) if erased else None,
        following=following,
        reached=anchor or Receipt(log_id, position, chain_hash(before, committed).hex()),
        published=anchor is not None,
    )


def _chain_before(connection: sqlite3.Connection, log_id: str, first: int) -> bytes:
    row = connection.execute("SELECT chain_hash FROM log WHERE last_position = ?", (first - 1,)).fetchone()
    return row[0] if row else genesis(log_id)


def _commitments(connection: sqlite3.Connection, first: int, last: int) -> Iterator[bytes]:
    """Those of positions `first` to `last`, a group at a time."""
    query = "SELECT first_position, last_position, commitments FROM log WHERE last_position >= ? AND first_position <= ? ORDER BY 1"
    for begin, end, commitments in connection.execute(query, (first, last)):
        yield commitments[HASH_BYTES * max(0, first - begin) : HASH_BYTES * (min(end, last) - begin + 1)]


def _followed(row: tuple[object, ...]) -> Followed:
    outcome_id, kind, means, source, occurred, recorded, restrictions, ground, corrects, reference = row
    return Followed(
        outcome_id=str(outcome_id),
        kind=str(kind),
        means=str(means),
        notice_source=str(source),
        occurred_time=_time(occurred),
        recorded_time=_time(recorded),
        restrictions=json.decode(str(restrictions), type=tuple[str, ...]),
        ground=str(ground),
        corrects=str(corrects),
        reference=str(reference),
    )


def _time(microseconds: object) -> datetime:
    return datetime.fromtimestamp(int(str(microseconds)) / 1e6, UTC)
