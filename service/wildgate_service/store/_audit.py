"""Verify the log against what it commits to, and erase payloads without breaking it."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

from msgspec import msgpack

from wildgate_service.record import (
    SALT_BYTES,
    ChainRow,
    VerifyResult,
    facets_of,
    make_entry,
    read_payload,
    verify_chain,
)
from wildgate_service.store import _facets
from wildgate_service.store._decisions import HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wildgate_service.types import DecisionRecord, Receipt

_STORED = f"""
SELECT tenant, request_id, listing_id, decided_time, d.action, score,
{", ".join(f"f.{name}" for name in _facets.COLUMNS)}, position
FROM decisions AS d JOIN facets AS f ON d.facets = f.id WHERE decision_id = ?
"""  # noqa: S608  (names of columns, not data)

COUNTS_THAT_DIFFER = """
WITH counted AS (SELECT tenant, decided_time / 86400000000 AS day, facets, count(*) AS decisions FROM decisions GROUP BY 1, 2, 3)
SELECT 1 FROM (SELECT * FROM counted EXCEPT SELECT tenant, day, facets, decisions FROM daily_counts)
UNION ALL SELECT 1 FROM (SELECT tenant, day, facets, decisions FROM daily_counts EXCEPT SELECT * FROM counted)
LIMIT 1
"""

_read_payloads = msgpack.Decoder(list[bytes]).decode


def verify(connection: sqlite3.Connection, log_id: str, published: Sequence[Receipt]) -> VerifyResult:
    """Check the chain, then that every decision counted is the one committed to."""
    connection.execute("BEGIN")  # one snapshot for both
    try:
        result = verify_chain(chain_rows(connection), log_id=log_id, published=published)
        if not result.intact:
            return result
        return _verify_decisions(connection, result)
    finally:
        connection.execute("ROLLBACK")


def chain_rows(connection: sqlite3.Connection) -> Iterator[ChainRow]:
    """All positions of the log, in order."""
    tombstones = {row[0] for row in connection.execute("SELECT position FROM tombstones")}
    groups = connection.execute(
        "SELECT first_position, last_position, commitments, chain_hash, salts, payloads"
        " FROM log LEFT JOIN payloads USING (last_position) ORDER BY last_position"
    )
    for first, last, commitments, chain, salts, packed in groups:
        payloads = _read_payloads(packed) if packed else []
        for index in range(last - first + 1):
            yield ChainRow(
                position=first + index,
                commitment=commitments[HASH_BYTES * index : HASH_BYTES * (index + 1)],
                chain_hash=chain if first + index == last else None,
                salt=(salts or b"")[SALT_BYTES * index : SALT_BYTES * (index + 1)],
                payload=(payloads[index] or None) if index < len(payloads) else None,
                tombstoned=first + index in tombstones,
            )


def _verify_decisions(connection: sqlite3.Connection, chain: VerifyResult) -> VerifyResult:
    """Reports count table `decisions`: its rows must say what the payloads say, no more, no fewer."""
    for row in chain_rows(connection):
        if row.payload is None:
            continue
        record = read_payload(row.payload)
        stored = connection.execute(_STORED, (record.decision_id,)).fetchone()
        if stored != (*_columns(record), row.position):
            problem = f"table decisions does not say of {record.decision_id} what was committed"
            return VerifyResult(chain.records, chain.erased, chain.head, problem, row.position)
    (rows,) = connection.execute("SELECT count(*) FROM decisions").fetchone()
    if rows != chain.records:
        problem = f"table decisions has {rows} rows, the log {chain.records} records"
        return VerifyResult(chain.records, chain.erased, chain.head, problem, chain.records)
    if connection.execute(COUNTS_THAT_DIFFER).fetchone():
        return VerifyResult(chain.records, chain.erased, chain.head, "the daily counts are not those of table decisions", chain.records)
    return chain


def _columns(record: DecisionRecord) -> tuple[object, ...]:
    """What `_STORED` should find of the record."""
    entry = make_entry(record)
    looked_up = (entry.tenant, entry.request_id, entry.listing_id, entry.decided)
    return (*looked_up, entry.action, entry.score, *_facets.to_row(facets_of(record)))


def erase(connection: sqlite3.Connection, positions: Sequence[int]) -> int:
    """Erase salts and payloads for ever, leaving commitments and tombstones; how many were there."""
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("BEGIN IMMEDIATE")
    try:
        erased = sum(_erase(connection, position) for position in positions)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the old pages are in the WAL until then
    return erased


def _erase(connection: sqlite3.Connection, position: int) -> bool:
    row = connection.execute(
        "SELECT last_position, first_position, salts, payloads"
        " FROM log JOIN payloads USING (last_position)"
        " WHERE last_position >= ? ORDER BY last_position LIMIT 1",
        (position,),
    ).fetchone()
    if row is None or position < row[1]:
        return False
    last, first, salts, packed = row
    payloads = _read_payloads(packed)
    if not payloads[position - first]:
        return False
    decision_id = read_payload(payloads[position - first]).decision_id
    payloads[position - first] = b""
    at = SALT_BYTES * (position - first)
    salts = salts[:at] + bytes(SALT_BYTES) + salts[at + SALT_BYTES :]
    connection.execute(
        "UPDATE payloads SET salts = ?, payloads = ? WHERE last_position = ?",
        (salts, msgpack.encode(payloads), last),
    )
    connection.execute("UPDATE decisions SET listing_id = '' WHERE decision_id = ?", (decision_id,))
    now = time.time_ns() // 1000
    connection.execute("INSERT INTO tombstones (position, erased_time) VALUES (?, ?)", (position, now))
    return True
