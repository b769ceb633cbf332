"""Which patterns hold for a booking, what they add to its risk, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from wildgate_service.cargo.booking import Booking
from wildgate_service.cargo.checks import CHECKS
from wildgate_service.cargo.routes import Place
from wildgate_service.cargo.tables import OfText, Patterns, Rule
from wildgate_service.types import Action, Decision, Evidence


class Pattern(Struct, frozen=True):
    """A rule that holds: its id and title, what it adds to the risk, and the words of the booking that say so."""

    id: str
    title: str
    points: float
    words: str


def patterns_of(booking: Booking, patterns: Patterns) -> tuple[Pattern, ...]:
    """The rules that hold, in the order of the table."""
    return tuple(
        Pattern(rule.id, rule.title, rule.points, ", ".join(facts))
        for rule in patterns.rules
        if (facts := list(_facts(rule, booking, patterns)))
    )


def risk_of(found: Iterable[Pattern], decision: Decision, text: OfText) -> float:
    """Points of a booking, 0 or more: of its patterns, and of its words for wildlife as far as the policy heeds them."""
    named = {Action.ALLOW: 0.0, Action.REVIEW: text.review, Action.BLOCK: text.block}[decision.shadow_action]
    if decision.taxa and text.commodity_groups.issuperset(taxon.group for taxon in decision.taxa):
        named = min(named, text.commodity)
    return round(max(0.0, named * decision.score + sum(each.points for each in found)), 2)


def with_patterns(decision: Decision, found: tuple[Pattern, ...], text: OfText) -> Decision:
    """A decision that also tells which patterns hold. They weigh nothing in its score and ask for nothing."""
    return msgspec.structs.replace(
        decision,
        evidence=(*decision.evidence, *(Evidence(each.id, 0.0) for each in found)),
        reason=f"{decision.reason} Risk {risk_of(found, decision, text):g} among bookings: {why(found)}.",
    )


def why(found: Iterable[Pattern]) -> str:
    """Patterns in one line, for people."""
    return "; ".join(f"{each.title} ({each.words})" for each in found)


def _facts(rule: Rule, booking: Booking, patterns: Patterns) -> Iterator[str]:
    """What of a booking makes each condition of a rule hold; nothing unless all do."""
    goods = [words for name, words in booking.goods if name in rule.goods]
    beside = [words for name, words in booking.goods if name in rule.beside]
    through = [place.words for place in booking.transit if _lies_in(place, rule.through, patterns)]
    checked = CHECKS[rule.check](booking, patterns) if rule.check else ""
    holds = (
        bool(goods) or not rule.goods,
        bool(beside) or not rule.beside,
        bool(through) or not rule.through,
        bool(checked) or not rule.check,
        _lies_in(booking.origin, rule.origins, patterns),
        _lies_in(booking.destination, rule.destinations, patterns),
    )
    if not all(holds):
        return
    yield from (", ".join(words) for words in (goods, beside) if words)
    if checked:
        yield checked
    if rule.origins and booking.origin and booking.destination:
        yield " → ".join((booking.origin.words, *through, booking.destination.words))


def _lies_in(place: Place | None, groups: frozenset[str], patterns: Patterns) -> bool:
    """Whether a place lies in one of some groups, if any are asked for."""
    return not groups or (place is not None and any(place.country in patterns.places[group] for group in groups))
