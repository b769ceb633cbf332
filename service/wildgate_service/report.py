"""Report: from what the store counted to the numbers of the public report. Pure."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from wildgate_service.intervals import wilson
from wildgate_service.measured_error import ErrorFacts, measure_error
from wildgate_service.record import Facets, Findings
from wildgate_service.sampling import NO_SAMPLING
from wildgate_service.types import (
    Action,
    Receipt,
    ReportCount,
    ReportShare,
    TransparencyReport,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class CountedDecisions(Struct, frozen=True, kw_only=True):
    """How many decisions of one day share all of this; `means` is of those `stopped`, else ""."""

    day: date
    facets: Facets
    means: str
    stopped: bool
    decisions: int


class CountedFindings(Struct, frozen=True, kw_only=True):
    """How many decisions share these findings and this action; `stopped` as in CountedDecisions."""

    findings: Findings
    action: Action
    stopped: bool
    decisions: int


class ReportFacts(Struct, frozen=True, kw_only=True):
    """What a store counted for a report. `shares` are numerator and denominator by name."""

    decisions: tuple[CountedDecisions, ...]
    shares: dict[str, tuple[int, int]]
    outcomes: dict[str, int]
    degraded_answers: dict[str, int]
    median_hours_to_act: float | None
    checkpoints: tuple[Receipt, ...]
    error: ErrorFacts = ErrorFacts()


def make_report(
    facts: ReportFacts, *, tenant: str, start: date, end: date, generated_time: datetime, fewest: int = NO_SAMPLING.fewest
) -> TransparencyReport:
    """Fold the facts into totals, breakdowns, shares and estimates of error; a day without decisions counts 0.

    `tenant` is "" for all tenants. From fewer than `fewest` judgments no error is stated (the policy's `[sampling]`).
    """
    tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    for day in _days(start, end):
        tallies["day", day.isoformat()] = _Tally()
    total = _Tally()
    for counted in facts.decisions:
        total.add(counted)
        for key in _places(counted):
            tallies[key].add(counted)
    return TransparencyReport(
        tenant=tenant,
        start=start,
        end=end,
        generated_time=generated_time,
        total=total.as_count("total", ""),
        counts=tuple(_in_order(tally.as_count(*key) for key, tally in tallies.items())),
        shares=tuple(make_share(name, *share) for name, share in facts.shares.items()),
        outcomes=facts.outcomes,
        degraded_answers=facts.degraded_answers,
        median_hours_to_act=facts.median_hours_to_act,
        checkpoints=facts.checkpoints,
        measured_error=measure_error(facts.error, fewest),
    )


def _places(counted: CountedDecisions) -> Iterator[tuple[str, str]]:
    """Dimensions and values that a decision counts under; under several groups if it has several.

    `shadow_action` only for what the policy would have asked, `means` only for what was stopped.
    """
    facets = counted.facets
    yield "day", counted.day.isoformat()
    yield "language", facets.language
    yield "market", facets.market
    yield "content_kind", facets.content_kind
    yield "lexicon_version", facets.lexicon_version
    yield "model_version", facets.model_version
    yield "policy_version", facets.policy_version
    for group in facets.taxon_groups:
        yield "taxon_group", group
    for appendix in facets.appendices:
        yield "appendix", appendix
    if counted.stopped:
        yield "means", counted.means
    if facets.shadow:
        yield "shadow_action", facets.shadow_action


class _Tally:
    """A running count."""

    def __init__(self) -> None:
        self.by_action = dict.fromkeys(Action, 0)
        self.stopped = 0

    def add(self, counted: CountedDecisions) -> None:
        self.by_action[Action(counted.facets.action)] += counted.decisions
        self.stopped += counted.decisions * counted.stopped

    def as_count(self, dimension: str, value: str) -> ReportCount:
        return ReportCount(
            dimension=dimension,
            value=value,
            decisions=sum(self.by_action.values()),
            allowed=self.by_action[Action.ALLOW],
            reviewed=self.by_action[Action.REVIEW],
            blocked=self.by_action[Action.BLOCK],
            stopped=self.stopped,
        )


def _in_order(counts: Iterable[ReportCount]) -> Sequence[ReportCount]:
    """Days by date, the rest by size, largest first."""
    return sorted(
        counts,
        key=lambda count: (
            count.dimension,
            0 if count.dimension == "day" else -count.decisions,
            count.value,
        ),
    )


def _days(start: date, end: date) -> Iterator[date]:
    return (start + timedelta(days=day) for day in range((end - start).days + 1))


def make_share(name: str, count: int, total: int) -> ReportShare:
    """A share with its 95 % Wilson score interval (Wilson 1927), which is 0 to 1 for no sample.

    >>> make_share("precision", 9, 10)
    ReportShare(name='precision', count=9, total=10, lower=0.5958499732047615, upper=0.9821237869049271)
    """
    return ReportShare(name, count, total, *wilson(count, total))
