"""Read what statements of reasons are made of: measures, with the first outcome that told of each and what of its decision they need."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from datetime import date

from wildgate_service.record import read_payload
from wildgate_service.statements.facts import Goods, StatementFacts, goods_of
from wildgate_service.store import _measures
from wildgate_service.store._decisions import payload_at, payloads_around

CORRECTED = "SELECT corrects FROM outcomes WHERE tenant = ? AND outcome_id = ? AND corrects <> ''"


def statement_facts(connection: sqlite3.Connection, tenant: str, start: date, end: date) -> Iterator[StatementFacts]:
    """The facts of each measure in the UTC days `start` to `end`, both included."""
    for measure in _measures.measures(connection, tenant, start, end):
        position = measure.subject.position
        payload = payload_at(connection, position) if position else b""
        record = read_payload(payload) if payload else None
        yield StatementFacts(
            measure=measure,
            first_outcome_id=first_outcome(connection, tenant, measure.outcome_id),
            posted_time=record.posted_time if record else None,
            goods=goods_of(record) if record else {},
        )


def goods_at(connection: sqlite3.Connection, positions: Collection[int]) -> dict[int, dict[str, Goods]]:
    """What was offered by the decisions at these positions, by taxon group; those that were erased are left out. Reads each group once."""
    found = {}
    first, last, payloads = 0, 0, list[bytes]()
    for position in sorted(positions):
        if position > last:
            first, last, payloads = payloads_around(connection, position)
        if payload := payloads[position - first]:
            found[position] = goods_of(read_payload(payload))
    return found


def first_outcome(connection: sqlite3.Connection, tenant: str, outcome_id: str) -> str:
    """The outcome that this one corrects, and that one in turn, back to the first; it may not have arrived yet."""
    seen: set[str] = set()
    while outcome_id not in seen:
        seen.add(outcome_id)
        row = connection.execute(CORRECTED, (tenant, outcome_id)).fetchone()
        outcome_id = row[0] if row else outcome_id
    return outcome_id
