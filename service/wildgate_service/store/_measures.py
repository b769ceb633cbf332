"""Read measures and cases: outcomes in force, listing by listing, in the order in which they happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from msgspec import json

from wildgate_service.measures import Case, Measure, Subject
from wildgate_service.outcomes import (
    RESTRICTING,
    AccountType,
    Ground,
    Means,
    Misuse,
    NoticeSource,
    Outcome,
    OutcomeKind,
    Restriction,
)
from wildgate_service.record import Facets, to_microseconds
from wildgate_service.store import _facets
from wildgate_service.types import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wildgate_service.store._database import Database

EPOCH = datetime.fromtimestamp(0, UTC)
FAMILIES = ("notice", "complaint", "dispute", "order")
RECEIVED, CONFIRMED, IMPLEMENTED = "received", "confirmed", "implemented"
LIFTING = {OutcomeKind.REINSTATED, OutcomeKind.COMPLAINT_UPHELD, OutcomeKind.DISPUTE_UPHELD}
NOBODY = ("", "", "", 0, None, None)  # decision_id, request_id, listing_id, position, decided_time, facets

# All outcomes, in order, of what something happened to in the period: what was before decides what a measure followed.
QUERY = """
WITH known AS (
    SELECT
        o.*, coalesce(nullif(o.decision_id, ''), r.decision_id, '') AS of_decision,
        coalesce(nullif(o.request_id, ''), o.decision_id) AS of_request
    FROM outcomes_in_force AS o
    LEFT JOIN decisions AS r ON o.decision_id = '' AND r.tenant = o.tenant AND r.request_id = o.request_id
    WHERE :tenant IS NULL OR o.tenant = :tenant
),
keyed AS (
    SELECT *, CASE of_decision WHEN '' THEN 'r' || of_request ELSE 'd' || of_decision END AS thread FROM known
)
SELECT
    k.tenant, k.thread, k.outcome_id, k.kind, k.means, k.notice_source, k.occurred_time, k.recorded_time, k.degraded_action,
    k.restrictions, k.ground, k.reference, k.items, k.misuse, k.authority, k.restricted_until, k.account_type, k.territories,
    k.request_id AS asked_request, d.decision_id, d.request_id, d.listing_id, d.position, d.decided_time, d.facets
FROM keyed AS k LEFT JOIN decisions AS d ON d.decision_id = k.of_decision
WHERE (k.tenant, k.thread) IN (
    SELECT tenant, thread FROM keyed WHERE occurred_time >= :start AND occurred_time < :end
)
AND k.occurred_time < :end
ORDER BY k.tenant, k.thread, k.occurred_time, k.recorded_time, k.outcome_id
"""

Thread = list[tuple[Outcome, Subject]]


def measures(database: Database, tenant: str | None, start: date, end: date) -> Iterator[Measure]:
    """What was restricted in the UTC days `start` to `end`, both included; of all tenants if `tenant` is None."""
    for thread in _threads(database, tenant, start, end):
        for number, (outcome, subject) in enumerate(thread):
            before = [each for each, _ in thread[:number]]
            if outcome.kind in RESTRICTING and outcome.occurred_time >= _midnight(start) and not _repeats(outcome, before):
                yield _measure(outcome, subject, before)


def cases(database: Database, tenant: str | None, start: date, end: date) -> Iterator[Case]:
    """The cases that were received in the UTC days `start` to `end`, as they stood at the end of the last one."""
    for thread in _threads(database, tenant, start, end):
        for family in FAMILIES:
            for case in _cases_of(family, thread):
                if case.received_time >= _midnight(start):
                    yield case


def _measure(outcome: Outcome, subject: Subject, before: list[Outcome]) -> Measure:
    notices = [each.notice_source for each in before if each.kind is OutcomeKind.NOTICE_RECEIVED]
    return Measure(
        tenant=outcome.tenant,
        outcome_id=outcome.outcome_id,
        kind=outcome.kind,
        restrictions=outcome.restricted,
        ground=outcome.ground,
        means=outcome.means,
        misuse=outcome.misuse,
        occurred_time=outcome.occurred_time,
        restricted_until=outcome.restricted_until,
        account_type=outcome.account_type,
        territories=outcome.territories,
        source=_source(notices),
        ordered=any(each.kind is OutcomeKind.ORDER_RECEIVED for each in before),
        subject=subject,
    )


def _repeats(outcome: Outcome, before: list[Outcome]) -> bool:
    """Whether all that it restricts was restricted already: a removal that a moderator confirms is one measure, not two."""
    imposed: set[Restriction] = set()
    for each in before:
        if each.kind in LIFTING:
            imposed.clear()
        elif each.kind in RESTRICTING and (each.restricted_until is None or each.restricted_until > outcome.occurred_time):
            imposed.update(each.restricted)
    return bool(outcome.restricted) and imposed.issuperset(outcome.restricted)


def _source(notices: list[NoticeSource]) -> NoticeSource:
    """That of the first notice under Article 16, which keeps a measure from being own initiative, else elsewhere."""
    formal = (source for source in notices if source in {NoticeSource.ARTICLE_16, NoticeSource.TRUSTED_FLAGGER})
    return next(formal, NoticeSource.OTHER if notices else NoticeSource.NONE)


def _cases_of(family: str, thread: Thread) -> Iterator[Case]:
    """The cases of one family in one thread: by reference, and each reception without one begins another."""
    by_reference: dict[str, list[tuple[int, Outcome]]] = defaultdict(list)
    for number, (outcome, _) in enumerate(thread):
        if outcome.kind.value.startswith(f"{family}_"):
            by_reference[outcome.reference].append((number, outcome))
    for steps in by_reference.values():
        for part in _parts(steps):
            number, received = part[0]
            if received.kind.value == f"{family}_{RECEIVED}":
                yield _case(family, [each for _, each in part], thread[: number + 1])


def _parts(steps: list[tuple[int, Outcome]]) -> Iterator[list[tuple[int, Outcome]]]:
    part: list[tuple[int, Outcome]] = []
    for step in steps:
        if part and step[1].kind.value.endswith(f"_{RECEIVED}"):
            yield part
            part = []
        part.append(step)
    yield part


def _case(family: str, steps: list[Outcome], before: Thread) -> Case:
    received = steps[0]
    aside = {f"{family}_{CONFIRMED}", f"{family}_{IMPLEMENTED}"}
    ends = [each for each in steps[1:] if each.kind.value not in aside]
    confirmed = [each.occurred_time for each in steps if each.kind.value == f"{family}_{CONFIRMED}"]
    earlier = [each for each, _ in before[:-1]]
    measure = next((each for each in reversed(earlier) if each.kind in RESTRICTING), None)
    notices = [each.notice_source for each in earlier if each.kind is OutcomeKind.NOTICE_RECEIVED]
    return Case(
        tenant=received.tenant,
        family=family,
        reference=received.reference,
        received_time=received.occurred_time,
        ended_time=ends[-1].occurred_time if ends else None,
        ended=ends[-1].kind if ends else None,
        means=ends[-1].means if ends else Means.UNKNOWN,
        source=_source([received.notice_source]) if family == "notice" else _source(notices),
        items=received.items,
        authority=received.authority,
        about=measure.restricted if measure else (),
        acted=measure is not None,
        ground=measure.ground if measure else Ground.UNKNOWN,
        confirmed_time=confirmed[0] if confirmed else None,
        implemented=any(each.kind.value == f"{family}_{IMPLEMENTED}" for each in steps),
        subject=before[-1][1],
    )


# --- rows ----------------------------------------------------------------------------------------


def _threads(database: Database, tenant: str | None, start: date, end: date) -> Iterator[Thread]:
    """Everything that happened up to `end` to each listing to which something happened in the period."""
    facets = _facets.by_id(database)
    arguments = {
        "tenant": tenant,
        "start": to_microseconds(_midnight(start)),
        "end": to_microseconds(_midnight(end) + timedelta(days=1)),
    }
    for _, rows in groupby(database.execute(QUERY, arguments), key=lambda row: row[:2]):
        yield [_of(row, facets) for row in rows]


def _of(row: tuple[Any, ...], facets: Mapping[int, Facets]) -> tuple[Outcome, Subject]:
    outcome = Outcome(
        tenant=row[0],
        outcome_id=row[2],
        kind=OutcomeKind(row[3]),
        means=Means(row[4]),
        notice_source=NoticeSource(row[5]),
        occurred_time=_time(row[6]),
        recorded_time=_time(row[7]),
        degraded_action=Action(row[8]) if row[8] else None,
        restrictions=_list(row[9], Restriction),
        ground=Ground(row[10]),
        reference=row[11],
        items=row[12],
        misuse=Misuse(row[13]),
        authority=row[14],
        restricted_until=None if row[15] is None else _time(row[15]),
        account_type=AccountType(row[16]),
        territories=_list(row[17], str),
        request_id=row[18],
    )
    return outcome, _subject(outcome, row[19:], facets)


def _subject(outcome: Outcome, row: tuple[Any, ...], facets: Mapping[int, Facets]) -> Subject:
    decision_id, request_id, listing_id, position, decided, known = row if row[0] else NOBODY
    of = facets.get(known) if known is not None else None
    asked = (of.shadow_action if of.shadow else of.action) if of else outcome.degraded_action
    return Subject(
        decision_id=decision_id,
        request_id=request_id or outcome.request_id,
        listing_id=listing_id,
        position=position,
        decided_time=None if decided is None else _time(decided),
        asked=Action(asked) if asked else None,
        language=of.language if of else "",
        market=of.market if of else "",
        content_kind=of.content_kind if of else "",
        groups=of.taxon_groups if of else (),
        appendices=of.appendices if of else (),
        shadow=of.shadow if of else False,
    )


def _list(text: str, kind: type[Any]) -> tuple[Any, ...]:
    return tuple(map(kind, json.decode(text)))


def _time(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
