"""Verify the logs against what they commit to, and what is counted against both."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct
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
from wildgate_service.store import _facets, _findings, _logs
from wildgate_service.store._database import marks, one
from wildgate_service.store._groups import HASH_BYTES, read_payloads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wildgate_service.store._database import Database, Row
    from wildgate_service.types import DecisionRecord, Receipt

AT_ONCE = 500  # decisions looked up with one query

_STORED = f"""
SELECT decision_id, tenant, request_id, listing_id, decided_time, d.action, score,
{", ".join(f"f.{name}" for name in _facets.COLUMNS)}, position
FROM decisions AS d JOIN facets AS f ON d.facets = f.id WHERE decision_id IN
"""  # noqa: S608  (names of columns, not data)
_FOUND = "SELECT decision_id, species, views FROM found JOIN findings ON findings.id = found.findings WHERE decision_id IN"

GROUPS = """
SELECT first_position, last_position, commitments, chain_hash, salts, payloads
FROM log LEFT JOIN payloads USING (last_position) WHERE last_position >= {} AND last_position < {} ORDER BY last_position
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
        WITH counted AS (
            SELECT tenant, decided_time / 86400000000 AS day, facets, position >> 40 AS log, count(*) AS decisions
            FROM decisions GROUP BY 1, 2, 3, 4
        ),
        kept AS (SELECT tenant, day, facets, log, decisions FROM daily_counts)
        SELECT tenant, day FROM (
            SELECT * FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept) AS not_kept
            UNION ALL SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted) AS not_counted
        ) AS different LIMIT 1
    """,
    "table days does not say where a day begins": """
        SELECT tenant, day FROM (
            SELECT tenant, decided_time / 86400000000 AS day, min(decision_id) AS first_decision_id FROM decisions GROUP BY 1, 2
        ) AS d LEFT JOIN days USING (tenant, day) WHERE coalesce(days.first_decision_id, '') <> d.first_decision_id LIMIT 1
    """,
}
TOLD_EVERY = 1_000  # records

Progress = Callable[[int], None]


def verify(database: Database, published: Sequence[Receipt], progress: Progress | None) -> VerifyResult:
    """Check each chain, and that every decision counted is the one committed to."""
    with database.snapshot():  # one for all
        logs = _logs.every(database)
        result = VerifyResult(0, 0, ())
        for log in logs:
            rows = chain_rows(database, log)
            rows = _told(rows, result.records, progress) if progress else rows
            result = _with(result, _verify_log(database, log, rows, [each for each in published if each.log_id == log.log_id]))
            if not result.intact:
                return result
        for receipt in published:
            if receipt.log_id not in {log.log_id for log in logs}:
                return replace(result, problem="what was published is of another log", log_id=receipt.log_id, position=receipt.position)
        for problem in _problems_beside(database, result):
            return replace(result, problem=problem, position=result.records)
        return result


def _verify_log(database: Database, log: _logs.Log, rows: Iterator[ChainRow], published: Sequence[Receipt]) -> VerifyResult:
    counted = _Counted(database, log)
    return verify_chain(counted.seen(rows), log_id=log.log_id, published=published, agrees=counted.disagreement)


def _with(before: VerifyResult, result: VerifyResult) -> VerifyResult:
    """Both, for a store of several logs."""
    return replace(
        result,
        records=before.records + result.records,
        erased=before.erased + result.erased,
        heads=(*before.heads, *result.heads),
        published=before.published + result.published,
    )


def _told(rows: Iterator[ChainRow], before: int, progress: Progress) -> Iterator[ChainRow]:
    """The rows, telling how many there were now and then."""
    for row in rows:
        if row.position % TOLD_EVERY == 0:
            progress(before + row.position)
        yield row


def chain_rows(database: Database, log: _logs.Log) -> Iterator[ChainRow]:
    """All positions of a log, in order."""
    tombstones = {row[0] for row in database.execute("SELECT position FROM tombstones")}
    groups = GROUPS.format(log.position(0), log.position(1 << _logs.PLACE_BITS))
    for first, last, commitments, chain, salts, packed in database.stream(groups):
        if damage := _damage_of_group(first, last, commitments, chain):
            yield ChainRow(position=first, commitment=b"", chain_hash=None, damage=damage)
            return
        size = last - first + 1
        payloads, damage = _payloads_of(size, salts, packed)
        for index in range(size):
            yield ChainRow(
                position=_logs.place_of(first + index),
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
        payloads = read_payloads(packed)
    except ValueError:
        return nothing, "the payloads of this group of records are damaged"
    return (
        (payloads, "") if len(payloads) == size else (nothing, "the payloads of this group of records are not as many as its commitments")
    )


class _Looked(Struct, frozen=True):
    """A record, and what the tables that are counted say of it."""

    record: DecisionRecord
    decision: Row | None
    found: Row | None


class _Counted:
    """What the tables that are counted say of the records of a log: looked up for many at once."""

    def __init__(self, database: Database, log: _logs.Log) -> None:
        self._database = database
        self._log = log
        self._looked: dict[int, _Looked] = {}
        row = database.execute("SELECT value FROM meta WHERE key = 'findings_from'").fetchone()
        self._findings_from = int(row[0]) if row and str(row[0]).isdecimal() else 0  # which no record agrees with

    def seen(self, rows: Iterable[ChainRow]) -> Iterator[ChainRow]:
        """The rows, after what is asked of them was looked up."""
        rows = iter(rows)
        while some := list(islice(rows, AT_ONCE)):
            self._look_up(some)
            yield from some

    def _look_up(self, rows: Sequence[ChainRow]) -> None:
        """A payload that is none is left for the chain to find."""
        records = {row.position: record for row in rows if row.payload and (record := _read(row.payload))}
        ids = [record.decision_id for record in records.values()]
        decisions, found = self._by_id(_STORED, ids), self._by_id(_FOUND, ids)
        self._looked = {
            position: _Looked(record, decisions.get(record.decision_id), found.get(record.decision_id))
            for position, record in records.items()
        }

    def _by_id(self, query: str, ids: Sequence[str]) -> dict[str, Row]:
        return {row[0]: row[1:] for row in self._database.execute(f"{query} ({marks(len(ids))})", ids)} if ids else {}

    def disagreement(self, row: ChainRow) -> str:
        """Reports count tables `decisions` and `found`: their rows must say what the payloads say."""
        if row.payload is None:
            return ""
        looked, position = self._looked.get(row.position), self._log.position(row.position)
        if looked is None:
            return "the payload is no record"
        record = looked.record
        if looked.decision != (*_columns(record), position):
            return f"table decisions does not say of {record.decision_id} what was committed"
        findings = findings_of(record) if position >= self._findings_from > 0 else None
        if looked.found != (_findings.to_row(findings) if findings else None):
            return f"table found does not say of {record.decision_id} what was committed"
        return ""


def _read(payload: bytes) -> DecisionRecord | None:
    try:
        return read_payload(payload)
    except ValueError:
        return None


def _problems_beside(database: Database, result: VerifyResult) -> Iterator[str]:
    """What the positions of the log cannot say by themselves: nothing more than they may be counted, and nothing left out."""
    (rows,) = one(database, "SELECT count(*) FROM decisions")
    if rows != result.records:
        yield f"table decisions has {rows} rows, the log {result.records} records"
    for problem, query in BESIDE.items():
        if row := database.execute(query).fetchone():
            yield f"{problem} ({', '.join(map(str, row))})"


def _columns(record: DecisionRecord) -> tuple[object, ...]:
    """What `_STORED` should find of the record."""
    entry = make_entry(record)
    looked_up = (entry.tenant, entry.request_id, entry.listing_id, entry.decided)
    return (*looked_up, entry.action, entry.score, *_facets.to_row(facets_of(record)))
