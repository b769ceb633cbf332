"""Read what statements of reasons are made of: measures, with the first outcome that told of each and what of its decision they need."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime

from wildgate_service.record import read_payload
from wildgate_service.statements.facts import Goods, StatementFacts, goods_of
from wildgate_service.store import _measures
from wildgate_service.store._database import Database
from wildgate_service.store._groups import payloads_around
from wildgate_service.types import DecisionRecord

NOTHING: tuple[datetime | None, dict[str, Goods]] = (None, {})  # of a record that was erased
CORRECTED = "SELECT corrects FROM outcomes WHERE tenant = ? AND outcome_id = ? AND corrects <> ''"


def statement_facts(database: Database, tenant: str, start: date, end: date) -> Iterator[StatementFacts]:
    """The facts of each measure in the UTC days `start` to `end`, both included."""
    measures = list(_measures.measures(database, tenant, start, end))
    positions = {measure.subject.position for measure in measures} - {0}
    noted = {position: (record.posted_time, goods_of(record)) for position, record in _records_at(database, positions)}
    for measure in measures:
        posted_time, goods = noted.get(measure.subject.position, NOTHING)
        first = first_outcome(database, tenant, measure.outcome_id)
        yield StatementFacts(measure=measure, first_outcome_id=first, posted_time=posted_time, goods=goods)


def goods_at(database: Database, positions: Collection[int]) -> dict[int, dict[str, Goods]]:
    """What was offered by the decisions at these positions, by taxon group; those that were erased are left out."""
    return {position: goods_of(record) for position, record in _records_at(database, positions)}


def _records_at(database: Database, positions: Collection[int]) -> Iterator[tuple[int, DecisionRecord]]:
    """The records at these positions, but for those that were erased. Reads each group that was committed together once."""
    first, last, payloads = 0, 0, list[bytes]()
    for position in sorted(positions):
        if position > last:
            first, last, payloads = payloads_around(database, position)
        if payload := payloads[position - first]:
            yield position, read_payload(payload)


def first_outcome(database: Database, tenant: str, outcome_id: str) -> str:
    """The outcome that this one corrects, and that one in turn, back to the first; it may not have arrived yet."""
    seen: set[str] = set()
    while outcome_id not in seen:
        seen.add(outcome_id)
        row = database.execute(CORRECTED, (tenant, outcome_id)).fetchone()
        outcome_id = row[0] if row else outcome_id
    return outcome_id
