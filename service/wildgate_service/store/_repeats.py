"""Append groups of which some was recorded before: by an earlier call, in this very group, or by another replica meanwhile."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wildgate_service.errors import RequestReusedError, StoreError, WildgateError
from wildgate_service.record import Entry, read_payload
from wildgate_service.store import _groups, _logs
from wildgate_service.store._database import ConflictError, again
from wildgate_service.store._decisions import Appended, Known, append_new

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.store._database import Database
    from wildgate_service.types import DecisionRecord


def append(database: Database, known: Known, entries: Sequence[Entry]) -> list[Appended | WildgateError]:
    """Append the entries in one transaction; each gets its place, or an error that is its own."""
    if not entries:
        return []
    try:
        return list(append_new(database, known, entries))
    except ConflictError:
        return again(partial(_append_sorted, database, known, entries))


def _append_sorted(database: Database, known: Known, entries: Sequence[Entry]) -> list[Appended | WildgateError]:
    """Those that are new are appended, the others answered from what stands."""
    first_of: dict[tuple[str, str], Entry] = {}
    ids: set[str] = set()
    for entry in entries:
        request = entry.tenant, entry.request_id
        if request in first_of or _position_of(database, *request) is not None:
            continue
        if entry.decision_id not in ids and not _has_decision(database, entry.decision_id):
            first_of[request] = entry
            ids.add(entry.decision_id)
    new = list(first_of.values())
    appended = append_new(database, known, new) if new else []
    places = dict(zip(map(id, new), appended, strict=True))
    return [places.get(id(entry)) or _repeat(database, entry) for entry in entries]


def _position_of(database: Database, tenant: str, request_id: str) -> int | None:
    row = database.execute("SELECT position FROM decisions WHERE tenant = ? AND request_id = ?", (tenant, request_id)).fetchone()
    return row[0] if row else None


def _has_decision(database: Database, decision_id: str) -> bool:
    query = "SELECT 1 FROM decisions WHERE decision_id = ?"
    return database.execute(query, (decision_id,)).fetchone() is not None


def _repeat(database: Database, entry: Entry) -> Appended | WildgateError:
    position = _position_of(database, entry.tenant, entry.request_id)
    if position is None:
        return StoreError(f"decision_id {entry.decision_id} belongs to another request: make a new")
    payload = _groups.payload_at(database, position)
    if not payload:
        return RequestReusedError(f"request_id {entry.request_id} was answered and its record erased: send a new one")
    if not _same_listing(read_payload(payload), entry):
        return RequestReusedError(
            f"request_id {entry.request_id} came before with another listing: make one per listing and keep it on every attempt"
        )
    log_id = _groups.log_id_of(database, position)
    return Appended(log_id, _logs.place_of(position), _groups.chain_at(database, log_id, position), payload)


def _same_listing(standing: DecisionRecord, entry: Entry) -> bool:
    """Whether both are about one listing; of records of older versions only the text is known."""
    if standing.request_fingerprint:
        return standing.request_fingerprint == entry.request_fingerprint
    return standing.fingerprint == entry.fingerprint
