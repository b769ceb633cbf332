"""Append decisions and their log entries, a group in one transaction.

The usual case, a group of new requests, is written without a look-up, with statements of which none is asked what it gave: a database
across the network is waited for once. If it then says that something was there before, the transaction is undone and the group is
sorted out (`_repeats`).
"""

from __future__ import annotations

import os
from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct, msgpack

from wildgate_service.record import SALT_BYTES, Entry, extend_chain
from wildgate_service.store import _facets, _findings, _logs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.store._database import Database

DAY = 86_400_000_000  # in microseconds
COLUMNS = "decision_id, tenant, request_id, listing_id, decided_time, action, score, facets, position"
REQUEST = itemgetter(1, 2)
FACETS = 7  # place of the facets' id among the columns

ADD = "ON CONFLICT (tenant, day, facets, log) DO UPDATE SET decisions = daily_counts.decisions + excluded.decisions"
MOVE_FORWARD = """
ON CONFLICT (tenant, day) DO UPDATE SET first_decision_id = excluded.first_decision_id
WHERE excluded.first_decision_id < days.first_decision_id
"""


class Appended(Struct, frozen=True):
    """Where an entry stands: the log, and its position in that. `payload` is that of the earlier record if the request was a repeat."""

    log_id: str
    position: int
    chain_hash: bytes
    payload: bytes | None = None


class Known:
    """What a connection remembers of what it committed, so that it need not ask again."""

    def __init__(self) -> None:
        self.log: _logs.Log | None = None
        self.tail: tuple[int, bytes] | None = None
        self.facets: dict[bytes, int] = {}
        self.findings: dict[bytes, int] = {}
        self.first_ids: dict[tuple[str, int], str] = {}

    def forget(self) -> None:
        """Drop what a transaction that was undone may have changed, or somebody else."""
        self.tail = None
        self.first_ids.clear()


def append_new(database: Database, known: Known, entries: Sequence[Entry]) -> list[Appended]:
    """All or nothing. Raises ConflictError if a request or a decision was recorded before, or somebody else appended to the log."""
    known.log = log = known.log or _logs.claim(database)
    _facets.know(database, known.facets, {entry.facets for entry in entries})
    _findings.know(database, known.findings, {entry.findings for entry in entries if entry.findings})
    place, chain = known.tail or _logs.tail(database, log)
    salts = os.urandom(SALT_BYTES * len(entries))
    commitments, chains = extend_chain(chain, [entry.payload for entry in entries], salts)
    try:
        with database.group():
            _insert_decisions(database, known, entries, log.position(place + 1))
            _insert_days(database, known, entries)
            _findings.insert(database, known.findings, entries)
            _insert_log(database, entries, log.position(place + 1), (b"".join(commitments), chains[-1], salts))
    except BaseException:
        known.forget()
        raise
    known.tail = place + len(entries), chains[-1]
    return [Appended(log.log_id, at, link) for at, link in enumerate(chains, place + 1)]


def _insert_decisions(database: Database, known: Known, entries: Sequence[Entry], first: int) -> None:
    rows = [
        (
            entry.decision_id,
            entry.tenant,
            entry.request_id,
            entry.listing_id,
            entry.decided,
            entry.action,
            entry.score,
            known.facets[entry.facets],
            position,
        )
        for position, entry in enumerate(entries, first)
    ]
    counts = Counter((entry.tenant, entry.decided // DAY, row[FACETS]) for entry, row in zip(entries, rows, strict=True))
    number = _logs.number_of(first)
    added = [(*place, number, count) for place, count in sorted(counts.items())]
    database.insert("daily_counts", "tenant, day, facets, log, decisions", added, ADD)
    rows.sort(key=REQUEST)  # two writers that have the same requests meet them in the same order, and none waits for the other in a circle
    database.insert("decisions", COLUMNS, rows)


def _insert_days(database: Database, known: Known, entries: Sequence[Entry]) -> None:
    """Move the begin of a day forward to the least decision id that was seen of it."""
    firsts: dict[tuple[str, int], str] = {}
    for entry in entries:
        day = entry.tenant, entry.decided // DAY
        least = firsts.get(day) or known.first_ids.get(day)
        if least is None or entry.decision_id < least:
            firsts[day] = entry.decision_id
    database.insert("days", "tenant, day, first_decision_id", [(*day, first) for day, first in sorted(firsts.items())], MOVE_FORWARD)
    known.first_ids |= firsts


def _insert_log(database: Database, entries: Sequence[Entry], first: int, proof: tuple[bytes, bytes, bytes]) -> None:
    commitments, chain, salts = proof
    last = first + len(entries) - 1
    database.insert("log", "last_position, first_position, commitments, chain_hash", [(last, first, commitments, chain)])
    packed = msgpack.encode([entry.payload for entry in entries])
    database.insert("payloads", "last_position, salts, payloads", [(last, salts, packed)])
