"""Verify the log against what it commits to, and erase payloads without breaking it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec import msgpack
from msgspec.structs import replace

from wildgate_service.record import (
    SALT_BYTES,
    ChainRow,
    VerifyResult,
    facets_of,
    findings_of,
    make_entry,
    read_payload,
    verify_chain,
)
from wildgate_service.store import _facets, _findings
from wildgate_service.store._decisions import HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wildgate_service.types import DecisionRecord, Receipt

_STORED = f"""
SELECT tenant, request_id, listing_id, decided_time, d.action, score,
{", ".join(f"f.{name}" for name in _facets.COLUMNS)}, position
FROM decisions AS d JOIN facets AS f ON d.facets = f.id WHERE decision_id = ?
"""  # noqa: S608  (names of columns, not data)

GROUPS = """
SELECT first_position, last_position, commitments, chain_hash, salts, payloads
FROM log LEFT JOIN payloads USING (last_position) ORDER BY last_position
"""
# Each finds a row that there must not be. A day that begins too late would hide decisions from reports.
BESIDE = {
    "table tombstones has a position without a record": """
        SELECT position FROM tombstones WHERE position NOT IN (SELECT position FROM decisions) LIMIT 1
    """,
    "table payloads has what no group of the log has": """
        SELECT last_position FROM payloads WHERE last_position NOT IN (SELECT last_position FROM log) LIMIT 1
    """,
    "an erased decision has a listing_id": """
        SELECT position FROM decisions JOIN tombstones USING (position) WHERE listing_id <> '' LIMIT 1
    """,
    "table found has a decision that is none": """
        SELECT decision_id FROM found WHERE decision_id NOT IN (SELECT decision_id FROM decisions) LIMIT 1
    """,
    "table daily_counts does not count table decisions": """
        WITH counted AS (SELECT tenant, decided_time / 86400000000 AS day, facets, count(*) AS decisions FROM decisions GROUP BY 1, 2, 3)
        SELECT * FROM (
            SELECT tenant, day FROM (SELECT * FROM counted EXCEPT SELECT tenant, day, facets, decisions FROM daily_counts)
            UNION ALL SELECT tenant, day FROM (SELECT tenant, day, facets, decisions FROM daily_counts EXCEPT SELECT * FROM counted)
        ) LIMIT 1
    """,
    "table days does not say where a day begins": """
        SELECT tenant, day FROM (
            SELECT tenant, decided_time / 86400000000 AS day, min(decision_id) AS first_decision_id FROM decisions GROUP BY 1, 2
        ) AS d LEFT JOIN days USING (tenant, day) WHERE days.first_decision_id IS NOT d.first_decision_id LIMIT 1
    """,
}
TOLD_EVERY = 1_000  # positions

Progress = Callable[[int], None]

_read_payloads = msgpack.Decoder(list[bytes]).decode


def verify(connection: sqlite3.Connection, log_id: str, published: Sequence[Receipt], progress: Progress | None) -> VerifyResult:
    """Check the chain, and that every decision counted is the one committed to."""
    connection.execute("BEGIN")  # one snapshot for all
    try:
        rows = chain_rows(connection)
        result = verify_chain(
            _told(rows, progress) if progress else rows,
            log_id=log_id,
            published=published,
            agrees=partial(_disagreement, connection, _findings_from(connection)),
        )
        for problem in _problems_beside(connection, result) if result.intact else ():
            return replace(result, problem=problem, position=result.records)
        return result
    finally:
        connection.execute("ROLLBACK")


def _told(rows: Iterator[ChainRow], progress: Progress) -> Iterator[ChainRow]:
    """The rows, telling how far it is now and then."""
    for row in rows:
        if row.position % TOLD_EVERY == 0:
            progress(row.position)
        yield row


def chain_rows(connection: sqlite3.Connection) -> Iterator[ChainRow]:
    """All positions of the log, in order."""
    tombstones = {row[0] for row in connection.execute("SELECT position FROM tombstones")}
    for first, last, commitments, chain, salts, packed in connection.execute(GROUPS):
        if damage := _damage_of_group(first, last, commitments, chain):
            yield ChainRow(position=first, commitment=b"", chain_hash=None, damage=damage)
            return
        size = last - first + 1
        payloads, damage = _payloads_of(size, salts, packed)
        for index in range(size):
            yield ChainRow(
                position=first + index,
                commitment=commitments[HASH_BYTES * index : HASH_BYTES * (index + 1)],
                chain_hash=chain if index == size - 1 else None,
                salt=b"" if damage else salts[SALT_BYTES * index : SALT_BYTES * (index + 1)],
                payload=payloads[index] or None,
                tombstoned=first + index in tombstones,
                damage=damage,
            )


def _damage_of_group(first: object, last: object, commitments: object, chain: object) -> str:
    """Why a row of table log is none; it may hold anything, whatever its columns are declared to hold."""
    if not (isinstance(first, int) and isinstance(last, int) and isinstance(commitments, bytes) and isinstance(chain, bytes)):
        return "table log holds values of other types here"
    if len(commitments) != HASH_BYTES * (last - first + 1) or len(chain) != HASH_BYTES:
        return f"table log says positions {first} to {last}, and its commitments are not as many"
    return ""


def _payloads_of(size: int, salts: object, packed: object) -> tuple[list[bytes], str]:
    """The payloads of a group, or as many empty ones and why they cannot be read."""
    nothing = [b""] * size
    if packed is None:
        return nothing, "the payloads are gone, and no tombstone says that they were erased"
    if not (isinstance(salts, bytes) and isinstance(packed, bytes)) or len(salts) != SALT_BYTES * size:
        return nothing, "the salts of this group of records are damaged"
    try:
        payloads = _read_payloads(packed)
    except ValueError:
        return nothing, "the payloads of this group of records are damaged"
    return (
        (payloads, "") if len(payloads) == size else (nothing, "the payloads of this group of records are not as many as its commitments")
    )


def _findings_from(connection: sqlite3.Connection) -> int:
    """The first position of which table `found` may say something; 0, which none agrees with, if that is damaged."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'findings_from'").fetchone()
    return int(row[0]) if row and str(row[0]).isdecimal() else 0


def _disagreement(connection: sqlite3.Connection, findings_from: int, row: ChainRow) -> str:
    """Reports count tables `decisions` and `found`: their rows must say what the payloads say."""
    if row.payload is None:
        return ""
    record = read_payload(row.payload)
    stored = connection.execute(_STORED, (record.decision_id,)).fetchone()
    if stored != (*_columns(record), row.position):
        return f"table decisions does not say of {record.decision_id} what was committed"
    findings = findings_of(record) if row.position >= findings_from > 0 else None
    if _findings.row_of(connection, record.decision_id) != (_findings.to_row(findings) if findings else None):
        return f"table found does not say of {record.decision_id} what was committed"
    return ""


def _problems_beside(connection: sqlite3.Connection, result: VerifyResult) -> Iterator[str]:
    """What the positions of the log cannot say by themselves: nothing more than they may be counted, and nothing left out."""
    (rows,) = connection.execute("SELECT count(*) FROM decisions").fetchone()
    if rows != result.records:
        yield f"table decisions has {rows} rows, the log {result.records} records"
    for problem, query in BESIDE.items():
        if row := connection.execute(query).fetchone():
            yield f"{problem} ({', '.join(map(str, row))})"


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
