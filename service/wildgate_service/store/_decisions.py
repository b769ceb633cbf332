"""Append decisions and their log entries, a group in one transaction.

The usual case, a group of new requests, is written without a look-up: if the database then says that
one was there before, the transaction is undone and the group is sorted out item by item.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct, msgpack

from wildgate_service.errors import RequestReusedError, StoreError, WildgateError
from wildgate_service.record import (
    SALT_BYTES,
    Entry,
    chain_hash,
    extend_chain,
    genesis,
    read_payload,
)
from wildgate_service.store import _facets, _findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.types import DecisionRecord

DAY = 86_400_000_000  # in microseconds
HASH_BYTES = 32
COLUMNS = 9
FACETS = 7  # place of the facets' id among them
ROWS_A_STATEMENT = 8  # a third faster than row by row

_ONE_ROW = f"({','.join('?' * COLUMNS)})"
_INSERT = "INSERT INTO decisions (decision_id, tenant, request_id, listing_id, decided_time, action, score, facets, position) VALUES "
INSERT_ONE = _INSERT + _ONE_ROW
INSERT_MANY = _INSERT + ",".join([_ONE_ROW] * ROWS_A_STATEMENT)

COUNT = (
    "INSERT INTO daily_counts (tenant, day, facets, decisions) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET decisions = decisions + excluded.decisions"
)

_read_payloads = msgpack.Decoder(list[bytes]).decode


class Appended(Struct, frozen=True):
    """Where an entry stands. `payload` is that of the earlier record if the request was a repeat."""

    position: int
    chain_hash: bytes
    payload: bytes | None = None


class Known:
    """What the connection remembers of what it committed, so that it need not ask again."""

    def __init__(self) -> None:
        self.facets: dict[bytes, int] = {}
        self.first_ids: dict[tuple[str, int], str] = {}

    def forget(self) -> None:
        """Drop all: a transaction was undone."""
        self.facets.clear()
        self.first_ids.clear()


def append(connection: sqlite3.Connection, known: Known, log_id: str, entries: Sequence[Entry]) -> list[Appended | WildgateError]:
    """Append the entries in one transaction; each gets its place, or an error that is its own."""
    if not entries:
        return []
    try:
        return list(_append_new(connection, known, log_id, entries))
    except sqlite3.IntegrityError:
        return _append_sorted(connection, known, log_id, entries)


def _append_new(connection: sqlite3.Connection, known: Known, log_id: str, entries: Sequence[Entry]) -> list[Appended]:
    """All or nothing. Raises IntegrityError if a request or a decision was recorded before."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        position, chain = tail(connection, log_id)
        _insert_decisions(connection, known, entries, position + 1)
        _insert_days(connection, known, entries)
        _findings.insert(connection, entries)
        places = _insert_log(connection, entries, position + 1, chain)
        connection.execute("COMMIT")
    except BaseException:
        known.forget()
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return places


def tail(connection: sqlite3.Connection, log_id: str) -> tuple[int, bytes]:
    """Position and chain hash of the last record; 0 and the genesis hash if there is none."""
    row = connection.execute("SELECT last_position, chain_hash FROM log ORDER BY last_position DESC LIMIT 1").fetchone()
    return row or (0, genesis(log_id))


def _insert_decisions(connection: sqlite3.Connection, known: Known, entries: Sequence[Entry], first: int) -> None:
    facets = known.facets
    rows = [
        (
            entry.decision_id,
            entry.tenant,
            entry.request_id,
            entry.listing_id,
            entry.decided,
            entry.action,
            entry.score,
            facets.get(entry.facets) or _facets_id(connection, known, entry.facets),
            position,
        )
        for position, entry in enumerate(entries, first)
    ]
    counts = Counter((entry.tenant, entry.decided // DAY, row[FACETS]) for entry, row in zip(entries, rows, strict=True))
    connection.executemany(COUNT, [(*place, count) for place, count in counts.items()])
    whole = len(rows) // ROWS_A_STATEMENT * ROWS_A_STATEMENT
    for start in range(0, whole, ROWS_A_STATEMENT):
        many = rows[start : start + ROWS_A_STATEMENT]
        connection.execute(INSERT_MANY, [value for row in many for value in row])
    connection.executemany(INSERT_ONE, rows[whole:])


def _facets_id(connection: sqlite3.Connection, known: Known, encoded: bytes) -> int:
    known.facets[encoded] = found = _facets.id_of(connection, encoded)
    return found


def _insert_days(connection: sqlite3.Connection, known: Known, entries: Sequence[Entry]) -> None:
    """Move the begin of a day forward to the least decision id that was seen of it."""
    firsts = known.first_ids
    for entry in entries:
        day = entry.tenant, entry.decided // DAY
        if (first := firsts.get(day)) is not None and first <= entry.decision_id:
            continue
        (firsts[day],) = connection.execute(
            "INSERT INTO days (tenant, day, first_decision_id) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET"
            " first_decision_id = min(first_decision_id, excluded.first_decision_id)"
            " RETURNING first_decision_id",
            (*day, entry.decision_id),
        ).fetchone()


def _insert_log(connection: sqlite3.Connection, entries: Sequence[Entry], first: int, previous: bytes) -> list[Appended]:
    payloads = [entry.payload for entry in entries]
    salts = os.urandom(SALT_BYTES * len(payloads))
    commitments, chain = extend_chain(previous, payloads, salts)
    last = first + len(payloads) - 1
    connection.execute(
        "INSERT INTO log (last_position, first_position, commitments, chain_hash) VALUES (?, ?, ?, ?)",
        (last, first, b"".join(commitments), chain[-1]),
    )
    connection.execute(
        "INSERT INTO payloads (last_position, salts, payloads) VALUES (?, ?, ?)",
        (last, salts, msgpack.encode(payloads)),
    )
    return [Appended(position, link) for position, link in enumerate(chain, first)]


# --- repeats -------------------------------------------------------------------------------------


def _append_sorted(connection: sqlite3.Connection, known: Known, log_id: str, entries: Sequence[Entry]) -> list[Appended | WildgateError]:
    """As `append`, for a group of which some were recorded before or stand in it twice."""
    first_of: dict[tuple[str, str], Entry] = {}
    ids: set[str] = set()
    for entry in entries:
        request = entry.tenant, entry.request_id
        if request in first_of or _position_of(connection, *request) is not None:
            continue
        if entry.decision_id not in ids and not _has_decision(connection, entry.decision_id):
            first_of[request] = entry
            ids.add(entry.decision_id)
    new = list(first_of.values())
    appended = _append_new(connection, known, log_id, new) if new else []
    places = dict(zip(map(id, new), appended, strict=True))
    return [places.get(id(entry)) or _repeat(connection, log_id, entry) for entry in entries]


def _position_of(connection: sqlite3.Connection, tenant: str, request_id: str) -> int | None:
    row = connection.execute("SELECT position FROM decisions WHERE tenant = ? AND request_id = ?", (tenant, request_id)).fetchone()
    return row[0] if row else None


def _has_decision(connection: sqlite3.Connection, decision_id: str) -> bool:
    query = "SELECT 1 FROM decisions WHERE decision_id = ?"
    return connection.execute(query, (decision_id,)).fetchone() is not None


def _repeat(connection: sqlite3.Connection, log_id: str, entry: Entry) -> Appended | WildgateError:
    position = _position_of(connection, entry.tenant, entry.request_id)
    if position is None:
        return StoreError(f"decision_id {entry.decision_id} belongs to another request: make a new")
    place = place_at(connection, log_id, position)
    if not place.payload:
        return RequestReusedError(f"request_id {entry.request_id} was answered and its record erased: send a new one")
    if not _same_listing(read_payload(place.payload), entry):
        return RequestReusedError(
            f"request_id {entry.request_id} came before with another listing: make one per listing and keep it on every attempt"
        )
    return place


def _same_listing(standing: DecisionRecord, entry: Entry) -> bool:
    """Whether both are about one listing; of records of older versions only the text is known."""
    if standing.request_fingerprint:
        return standing.request_fingerprint == entry.request_fingerprint
    return standing.fingerprint == entry.fingerprint


def place_at(connection: sqlite3.Connection, log_id: str, position: int) -> Appended:
    """What stands at a position; the payload is empty if it was erased."""
    first, commitments, payloads = connection.execute(
        "SELECT first_position, commitments, payloads FROM log JOIN payloads USING (last_position)"
        " WHERE last_position >= ? ORDER BY last_position LIMIT 1",
        (position,),
    ).fetchone()
    before = connection.execute("SELECT chain_hash FROM log WHERE last_position = ?", (first - 1,)).fetchone()
    chain = before[0] if before else genesis(log_id)
    index = position - first
    for start in range(0, HASH_BYTES * (index + 1), HASH_BYTES):
        chain = chain_hash(chain, commitments[start : start + HASH_BYTES])
    return Appended(position, chain, _read_payloads(payloads)[index])


def payload_at(connection: sqlite3.Connection, position: int) -> bytes:
    """The payload at a position, empty if it was erased."""
    first, _, payloads = payloads_around(connection, position)
    return payloads[position - first]


def payloads_around(connection: sqlite3.Connection, position: int) -> tuple[int, int, list[bytes]]:
    """First and last position of the group of a position, and its payloads, empty where they were erased."""
    first, last, payloads = connection.execute(
        "SELECT first_position, last_position, payloads FROM log JOIN payloads USING (last_position)"
        " WHERE last_position >= ? ORDER BY last_position LIMIT 1",
        (position,),
    ).fetchone()
    return first, last, _read_payloads(payloads)
