"""Prove single records: what stands between them and a receipt that somebody holds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import json

from wildgate_service.evidence import Followed, Place, Proof, Wanted
from wildgate_service.record import SALT_BYTES, chain_hash
from wildgate_service.store import _logs
from wildgate_service.store._database import marks, one
from wildgate_service.store._groups import HASH_BYTES, chain_before, log_id_of, read_payloads
from wildgate_service.types import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wildgate_service.store._database import Database

FARTHEST = 1_000_000  # records between one and the receipt that it is proven to: 32 bytes each
GROUP = """
SELECT first_position, commitments, salts, payloads
FROM log LEFT JOIN payloads USING (last_position) WHERE last_position >= ? ORDER BY last_position LIMIT 1
"""
OF_LISTING = "SELECT position FROM decisions WHERE listing_id = ? AND listing_id <> ''"
AT_POSITIONS = "SELECT position FROM decisions WHERE position IN "
FOLLOWED = """
SELECT o.outcome_id, o.kind, o.means, o.notice_source, o.occurred_time, o.recorded_time, o.restrictions, o.ground, o.corrects, o.reference
FROM outcomes AS o JOIN decisions AS d ON d.tenant = o.tenant
AND (o.decision_id = d.decision_id OR (o.decision_id = '' AND o.request_id = d.request_id))
WHERE d.position = ? ORDER BY o.occurred_time, o.recorded_time, o.outcome_id
"""


def proofs(database: Database, wanted: Wanted, published: Sequence[Receipt]) -> tuple[list[Proof], dict[Place, list[Followed]]]:
    """Proofs in the order of the logs, and by place what followed."""
    with database.snapshot():
        found = [_proof(database, position, published) for position in _positions(database, wanted)]
        return (
            [proof for _, proof in found],
            {proof.place: [_followed(row) for row in database.execute(FOLLOWED, (position,))] for position, proof in found},
        )


def _positions(database: Database, wanted: Wanted) -> list[int]:
    """Those of the listing, and the places asked for, in each log or the one that is named."""
    found = _of_tenant(database, OF_LISTING, (wanted.listing_id,), wanted.tenant)
    logs = [log for log in _logs.every(database) if wanted.log_id in {"", log.log_id}]
    if asked := [log.position(place) for log in logs for place in wanted.positions]:
        found |= _of_tenant(database, f"{AT_POSITIONS} ({marks(len(asked))})", asked, wanted.tenant)
    return sorted(found)


def _of_tenant(database: Database, query: str, parameters: Sequence[object], tenant: str | None) -> set[int]:
    rows = database.execute(query, parameters) if tenant is None else database.execute(f"{query} AND tenant = ?", (*parameters, tenant))
    return {position for (position,) in rows}


def _anchor(published: Sequence[Receipt], log_id: str, place: int) -> Receipt | None:
    """The first receipt of the log at or after a place, unless it is too far."""
    anchors = sorted({receipt for receipt in published if receipt.log_id == log_id}, key=lambda receipt: receipt.position)
    index = bisect_left(anchors, place, key=lambda receipt: receipt.position)
    return anchors[index] if index < len(anchors) and anchors[index].position <= place + FARTHEST else None


def _proof(database: Database, position: int, published: Sequence[Receipt]) -> tuple[int, Proof]:
    """The position, and what proves the record there."""
    log_id, place = log_id_of(database, position), _logs.place_of(position)
    first, commitments, salts, packed = one(database, GROUP, (position,))
    before, index = chain_before(database, log_id, first), position - first
    for start in range(0, HASH_BYTES * index, HASH_BYTES):
        before = chain_hash(before, commitments[start : start + HASH_BYTES])
    payload = read_payloads(packed)[index] if packed else b""
    committed = commitments[HASH_BYTES * index : HASH_BYTES * (index + 1)]
    anchor = _anchor(published, log_id, place)
    following = b"".join(_commitments(database, position + 1, position + anchor.position - place)) if anchor else b""
    erased = database.execute("SELECT erased_time FROM tombstones WHERE position = ?", (position,)).fetchone()
    return position, Proof(
        log_id=log_id,
        position=place,
        previous=before,
        commitment=committed,
        salt=salts[SALT_BYTES * index : SALT_BYTES * (index + 1)] if payload else b"",
        payload=payload or None,
        erased_time=_time(erased[0]) if erased else None,
        following=following,
        reached=anchor or Receipt(log_id, place, chain_hash(before, committed).hex()),
        published=anchor is not None,
    )


def _commitments(database: Database, first: int, last: int) -> Iterator[bytes]:
    """Those of positions `first` to `last`, a group at a time."""
    query = "SELECT first_position, last_position, commitments FROM log WHERE last_position >= ? AND first_position <= ? ORDER BY 1"
    for begin, end, commitments in database.execute(query, (first, last)):
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
