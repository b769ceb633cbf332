"""Sheets 3 to 6: orders, notices and own-initiative measures, by category.

A row that the policy's mapping names has numbers, 0 where nothing happened; the rows of other categories stay blank, for Wildgate knows
only wildlife. Each thing counts in one sub-category, so that sub-categories add up to categories, and categories to TOTAL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from wildgate_service.annex1.about import Family
from wildgate_service.annex1.facts import Facts, own_initiative
from wildgate_service.annex1.mapping import Place
from wildgate_service.annex1.matters import UNDER_ARTICLE_16, Matter, hours_between, median_hours
from wildgate_service.annex1.template import (
    ILLEGAL,
    NOTICES,
    ORDERS,
    TERMS,
    TOTAL,
    Cell,
    Line,
    Row,
    Sheet,
    contextual,
    lines,
    places,
    template,
)
from wildgate_service.measures import Measure, Subject
from wildgate_service.outcomes import Ground, NoticeSource, Restriction

R = Restriction
# The columns of restrictions in sheets 5 and 6, in order; () for what Wildgate never knows.
RESTRICTIONS: tuple[tuple[Restriction, ...], ...] = (
    (R.VISIBILITY_REMOVED,),
    (R.VISIBILITY_DISABLED,),
    (R.VISIBILITY_DEMOTED,),
    (R.VISIBILITY_AGE_RESTRICTED,),
    (R.VISIBILITY_INTERACTION_RESTRICTED,),
    (R.VISIBILITY_LABELLED,),
    (),
    (R.MONETARY_SUSPENSION,),
    (R.MONETARY_TERMINATION,),
    (),
    (R.PROVISION_PARTIAL_SUSPENSION, R.PROVISION_TOTAL_SUSPENSION),
    (R.PROVISION_PARTIAL_TERMINATION, R.PROVISION_TOTAL_TERMINATION),
    (R.ACCOUNT_SUSPENDED,),
    (R.ACCOUNT_TERMINATED,),
)
WILDLIFE_ALONE = "Protected wildlife alone, as recorded by Wildgate; content of other kinds is not in this figure."

Thing = TypeVar("Thing")


class Figures(Struct, frozen=True):
    """The numbers of a row in the order of its columns, and contextual information by the place of the number."""

    cells: Sequence[Cell]
    context: dict[int, str] = {}


class Placed(Struct, Generic[Thing], frozen=True):
    """A thing that is counted, and where it stands."""

    thing: Thing
    place: Place


def orders(facts: Facts) -> list[Row]:
    """Sheet 3: a block of all, then one for each Member State that issued an order."""
    blocks = [TOTAL, *(state for state in places().member_states if any(order.authority == state for order in facts.orders))]
    placed = _placed(facts, ORDERS, facts.orders, lambda order: order.subjects[0])
    rows: list[Row] = []
    for scope in blocks:
        of = [each for each in placed if scope in {TOTAL, each.thing.authority}]
        rows += _rows(facts, ORDERS, of, _of_orders, known=facts.knows(Family.ORDERS), notes=_about_orders(facts, scope), scope=scope)
    return rows


def notices(facts: Facts) -> list[Row]:
    """Sheet 4: notices by when they were received, actions by when they were taken."""
    received = _placed(facts, NOTICES, facts.notices, lambda notice: notice.subjects[0])
    after = [measure for measure in facts.measures if measure.source in UNDER_ARTICLE_16]
    taken = _placed(facts, NOTICES, after, lambda measure: measure.subject)
    both = [Placed[Matter | Measure](notice.thing, notice.place) for notice in received]
    both += [Placed[Matter | Measure](measure.thing, measure.place) for measure in taken]
    notes = {}
    if facts.other_notices:
        notes[0] = f"{facts.other_notices} notices that came by other ways than Article 16, or without saying how, are not counted."

    def figures(things: Sequence[Matter | Measure]) -> Figures:
        return _of_notices(facts, things)

    return _rows(facts, NOTICES, both, figures, known=facts.knows(Family.NOTICES), notes=notes)


def own_initiative_illegal(facts: Facts) -> list[Row]:
    """Sheet 5."""
    return _own_initiative(facts, ILLEGAL, Ground.ILLEGAL)


def own_initiative_terms(facts: Facts) -> list[Row]:
    """Sheet 6."""
    return _own_initiative(facts, TERMS, Ground.TERMS)


def _own_initiative(facts: Facts, sheet: str, ground: Ground) -> list[Row]:
    own = [
        measure
        for measure in facts.measures
        if own_initiative(measure) and facts.classification.basis(measure.subject, measure.ground) is ground
    ]
    placed = _placed(facts, sheet, own, lambda measure: measure.subject)

    def figures(measures: Sequence[Measure]) -> Figures:
        return _of_measures(facts, measures)

    return _rows(facts, sheet, placed, figures, known=facts.knows(Family.MEASURES))


# --- numbers -------------------------------------------------------------------------------------


def _of_orders(of: Sequence[Matter]) -> Figures:
    """Orders to act; of orders to provide information Wildgate hears nothing."""
    confirmed = median_hours(hours_between(order.received_time, order.confirmed_time) for order in of)
    executed = median_hours(order.hours_to_end for order in of)
    return Figures((len(of), sum(order.items for order in of), confirmed, executed, "", "", ""))


def _about_orders(facts: Facts, scope: str) -> dict[int, str]:
    if scope == TOTAL and facts.foreign_orders:
        return {0: f"{facts.foreign_orders} orders of authorities outside the Member States are not counted."}
    return {}


def _of_notices(facts: Facts, things: Sequence[Matter | Measure]) -> Figures:
    """Pairs: of all, and of those by trusted flaggers."""
    received = [thing for thing in things if isinstance(thing, Matter)]
    taken = [thing for thing in things if isinstance(thing, Measure)]
    cells: list[Cell] = []
    flagged = [notice for notice in received if notice.source is NoticeSource.TRUSTED_FLAGGER]
    for count in (len, _items, lambda of: median_hours(map(facts.actions.hours, of))):
        cells += [count(received), count(flagged)]
    for ground in (Ground.ILLEGAL, Ground.TERMS):
        on = [measure for measure in taken if facts.classification.basis(measure.subject, measure.ground) is ground]
        cells += [len(on), sum(measure.source is NoticeSource.TRUSTED_FLAGGER for measure in on)]
    return Figures(cells)


def _items(of: Sequence[Matter]) -> int:
    return sum(matter.items for matter in of)


def _of_measures(facts: Facts, of: Sequence[Measure]) -> Figures:
    found = sum(measure.found_by_software for measure in of)
    restricted = [
        sum(not set(measure.restrictions).isdisjoint(column) for measure in of) if facts.can(column) else "" for column in RESTRICTIONS
    ]
    return Figures((len(of), found, *restricted), _about_measures(of))


def _about_measures(of: Sequence[Measure]) -> dict[int, str]:
    unstated = sum(not measure.restrictions for measure in of)
    unnamed = sum(not measure.subject.groups for measure in of)
    told = []
    if unstated:
        told.append(f"{unstated} without a stated restriction: in none of the columns of restrictions.")
    if unnamed:
        told.append(f"{unnamed} on listings in which the software named no taxon: in the category that the policy gives the rest.")
    return {0: " ".join(told)} if told else {}


# --- rows ----------------------------------------------------------------------------------------


def _placed(facts: Facts, sheet: str, things: Iterable[Thing], subject: Callable[[Thing], Subject]) -> list[Placed[Thing]]:
    return [Placed(thing, facts.classification.place(subject(thing), sheet)) for thing in things]


def _rows(
    facts: Facts,
    name: str,
    placed: Sequence[Placed[Thing]],
    figures: Callable[[Sequence[Thing]], Figures],
    *,
    known: bool,
    notes: dict[int, str] | None = None,
    scope: str = "",
) -> list[Row]:
    """A row for each official one, a described row for each KEYWORD_OTHER place; `notes` stand in the row TOTAL."""
    sheet = template()[name]
    applicability = str(sheet.rows[0][0])
    known = known and facts.applies(applicability)
    start = (applicability, facts.about.service, facts.period)
    rows = []
    for line, description, selected in _selections(lines(name), facts.classification.known(name), placed):
        made = figures([each.thing for each in selected]) if known and selected is not None else Figures(())
        if not line.keyword and made.cells:
            told = notes if notes and line.category == TOTAL else {}
            made = Figures(made.cells, _joined({0: WILDLIFE_ALONE}, made.context, told))
        code = line.keyword or line.category
        rows.append(_row(sheet, (*start, code, description, *([scope] if scope else [])), made))
    return rows


def _selections(
    official: Iterable[Line], known: Sequence[Place], placed: Sequence[Placed[Thing]]
) -> Iterator[tuple[Line, str, Sequence[Placed[Thing]] | None]]:
    """(row, description, what it counts); None for what no listing can be counted in."""
    categories, keywords = {place.category for place in known}, {(place.category, place.keyword) for place in known}
    for line in official:
        if line.category == TOTAL:
            yield line, "", placed
        elif not line.keyword:
            yield line, "", [each for each in placed if each.place.category == line.category] if line.category in categories else None
        elif (line.category, line.keyword) not in keywords:
            yield line, "", None
        else:
            for place in (place for place in known if (place.category, place.keyword) == (line.category, line.keyword)):
                yield line, place.description, [each for each in placed if each.place == place]


def _joined(*contexts: dict[int, str]) -> dict[int, str]:
    numbers = sorted({number for context in contexts for number in context})
    return {number: " ".join(context[number] for context in contexts if number in context) for number in numbers}


def _row(sheet: Sheet, beginning: tuple[Cell, ...], made: Figures) -> Row:
    """As wide as the headings: the beginning, the numbers, and what is said of them."""
    cells: list[Cell] = [*beginning, *[""] * (len(sheet.headings) - len(beginning))]
    for number, (column, explained) in enumerate(contextual(sheet).items()):
        if made.cells:
            cells[column] = made.cells[number]
            cells[explained] = made.context.get(number, "")
    return tuple(cells)
