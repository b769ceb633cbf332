"""The public report: tables that anybody may read, made from what the store counted; small cells are hidden. Pure.

Every table has values and measures. What may be published is counts of enumerated values: taxa, lists, languages, markets, kinds, views,
days; nothing here comes from a listing's text or from a seller.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from wildgate_service.checkpoints import Checkpoint
from wildgate_service.measures import Case, Measure
from wildgate_service.outcomes import NoticeSource
from wildgate_service.policy.file import Publication
from wildgate_service.record import Facets
from wildgate_service.report import CountedDecisions, CountedFindings, ReportFacts, make_share
from wildgate_service.suppression import Key, Sum, suppress
from wildgate_service.types import Action, MeasuredErrors, ReportShare

MEASURES = ("checked", "held", "refused", "taken_down")
FOUND = ("held", "refused", "taken_down")
DAYS_BY_DAY, DAYS_BY_WEEK = 31, 190  # the longest periods, in days, that are told by day and by week
SHOWN_GROUPS = 6  # of which there is a trend
UNNAMED = "unnamed"
TOTAL = "total"
OTHER = "other"  # in place of what is no code: a caller may send anything as a market
MARKET = re.compile(r"[A-Z]{2}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
HOUR = timedelta(hours=1)
# How long it took from the check to the measure: up to these times.
WAITS = {
    "under_a_minute": timedelta(minutes=1),
    "under_an_hour": HOUR,
    "under_a_day": timedelta(days=1),
    "under_three_days": timedelta(days=3),
    "under_a_week": timedelta(days=7),
    "longer": timedelta.max,
}
SOURCES = {
    NoticeSource.ARTICLE_16: "notice",
    NoticeSource.TRUSTED_FLAGGER: "trusted_flagger",
    NoticeSource.OTHER: "other_report",
}
ENDS = ("upheld", "partly_upheld", "rejected")
# Values of facets that enter as they are; others are enumerated already.
BY_FACET: dict[str, Callable[[Facets], tuple[str, ...]]] = {
    "taxon_group": lambda facets: facets.taxon_groups,
    "appendix": lambda facets: tuple(appendix or "none" for appendix in facets.appendices),
    "language": lambda facets: (_enumerated(LANGUAGE, facets.language),),
    "market": lambda facets: (_enumerated(MARKET, facets.market),),
    "content_kind": lambda facets: (facets.content_kind,),
    "lexicon_version": lambda facets: (facets.lexicon_version,),
    "model_version": lambda facets: (facets.model_version,),
    "policy_version": lambda facets: (facets.policy_version,),
}
NAMED = {"taxon_group", "appendix"}  # what nearly all texts that were allowed name none of
Counts = Mapping[Key, Mapping[str, int]]  # by value, or by parent and value: counts by measure

VERSIONS = ("lexicon_version", "model_version", "policy_version")


class Row(Struct, frozen=True):
    """A value and its counts, one a measure of the table; None is hidden. `parent` is the group of a species, else ""."""

    value: str
    counts: tuple[int | None, ...]
    parent: str = ""


class Table(Struct, frozen=True):
    """Counts by one dimension. `several`: a listing may count under more than one value."""

    name: str
    measures: tuple[str, ...]
    rows: tuple[Row, ...]
    several: bool = False


class Accuracy(Struct, frozen=True, kw_only=True):
    """A share as it may be told.

    The share is `estimate`, with the 95 % interval `lower` to `upper`, from `total` cases; where it is a plain share, `count` of them were
    so. All are None where there are `too_few` to say, or where the count, or the rest, is too small to show: then `at_most` or `at_least`
    bounds the share. `dimension` and `value` say of what part it is, "" of all.
    """

    name: str
    dimension: str = ""
    value: str = ""
    total: int | None
    count: int | None = None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    too_few: bool = False
    at_most: float | None = None
    at_least: float | None = None


class Used(Struct, frozen=True):
    """A version and the days from its first to its last check in the period."""

    name: str
    version: str
    first: date
    last: date


class PublicReport(Struct, frozen=True, kw_only=True):
    """Everything that the page shows, and the files beside it hold.

    `medians` are hours by name, None where too few are behind one. `smallest_cell` is the least count shown, 1 where nothing is hidden
    (then the report is for the house only). `unit` is what the period is told by: day, week or month.
    """

    tenant: str
    start: date
    end: date
    generated_time: datetime
    smallest_cell: int
    smallest_sample: int
    unit: str
    tables: tuple[Table, ...]
    accuracy: tuple[Accuracy, ...]
    looks: dict[str, int | None]
    medians: dict[str, float | None]
    versions: tuple[Used, ...]
    hidden_cells: int
    checkpoints: tuple[Checkpoint, ...]

    def table(self, name: str) -> Table:
        """The table of that name."""
        return next(table for table in self.tables if table.name == name)


class PublicFacts(Struct, frozen=True, kw_only=True):
    """What a public report is made from: everything as the store has it."""

    report: ReportFacts
    findings: tuple[CountedFindings, ...]
    measures: tuple[Measure, ...]
    cases: tuple[Case, ...]
    measured: MeasuredErrors
    checkpoints: tuple[Checkpoint, ...] = ()


def make_public_report(
    facts: PublicFacts,
    publication: Publication,
    *,
    tenant: str,
    start: date,
    end: date,
    generated_time: datetime,
) -> PublicReport:
    """Count, and hide what is too small by the policy's `[report]`; `tenant` is "" for all tenants."""
    unit, period_of = periods(start, end)
    draft = _Draft()
    _count_decisions(draft, facts.report.decisions, start, end, period_of)
    _count_findings(draft, facts.findings)
    _count_measures(draft, facts.measures)
    _count_cases(draft, facts.cases)
    draft.table("degraded", ("texts",), {(reason,): {"texts": count} for reason, count in facts.report.degraded_answers.items()})
    hidden = suppress(draft.cells, draft.sums, publication.smallest_cell, frozenset(draft.unpublished))
    return PublicReport(
        tenant=tenant,
        start=start,
        end=end,
        generated_time=generated_time,
        smallest_cell=publication.smallest_cell,
        smallest_sample=publication.smallest_sample,
        unit=unit,
        tables=tuple(_without(table, hidden) for table in draft.tables),
        accuracy=(*_measured(facts.measured, publication.smallest_cell), *_shares(facts.report.shares, publication)),
        looks=_looks(facts.measured, publication.smallest_cell),
        medians=_medians(facts, publication.smallest_cell),
        versions=tuple(_versions(facts.report.decisions)),
        hidden_cells=len(hidden),
        checkpoints=facts.checkpoints,
    )


# --- a draft: cells and what they add up to ------------------------------------------------------


class _Draft:
    """Tables with all their cells, the cells by key, and the sums between them."""

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self.cells: dict[Key, int] = {}
        self.sums: list[Sum] = []
        self.unpublished: set[Key] = set()

    def table(
        self,
        name: str,
        measures: tuple[str, ...],
        counts: Counts,
        *,
        whole: tuple[tuple[Key, ...], ...] = (),
        several: bool = False,
    ) -> None:
        """Add a table; keys of `counts` are (value,) or (parent, value). `whole`: what each measure adds up to, if that is shown."""
        rows = [Row(key[-1], tuple(counted.get(each, 0) for each in measures), *key[:-1]) for key, counted in counts.items()]
        self.tables.append(Table(name, measures, tuple(rows), several))
        for row in rows:
            for measure, count in zip(measures, row.counts, strict=True):
                self.cells[_key(name, row, measure)] = count or 0
        for measure, cells in zip(measures, whole, strict=False):
            self.add(tuple(_key(name, row, measure) for row in rows), cells)

    def add_allowed(self, name: str, counts: Counts) -> None:
        """What was neither held nor refused stands in no table: with it a row's counts add up to those checked."""
        for key, counted in counts.items():
            row = Row(key[-1], (), *key[:-1])
            allowed = _key(name, row, "allowed")
            self.cells[allowed] = counted.get("checked", 0) - counted.get("held", 0) - counted.get("refused", 0)
            self.unpublished.add(allowed)
            self.add((allowed, _key(name, row, "held"), _key(name, row, "refused")), (_key(name, row, "checked"),))

    def add(self, parts: tuple[Key, ...], whole: tuple[Key, ...]) -> None:
        """Parts that add up to a whole, as far as both are there."""
        parts, whole = (tuple(key for key in keys if key in self.cells) for keys in (parts, whole))
        if parts and whole:
            self.sums.append(Sum(parts, whole))


def _key(name: str, row: Row, measure: str) -> Key:
    return (name, row.parent, row.value, measure)


def _without(table: Table, hidden: frozenset[Key]) -> Table:
    rows = (
        replace(
            row,
            counts=tuple(
                None if _key(table.name, row, each) in hidden else count for each, count in zip(table.measures, row.counts, strict=True)
            ),
        )
        for row in table.rows
    )
    return replace(table, rows=tuple(rows))


def _totals(measures: Iterable[str]) -> tuple[tuple[Key, ...], ...]:
    return tuple((("total", "", "", measure),) for measure in measures)


# --- decisions -----------------------------------------------------------------------------------


def _count_decisions(
    draft: _Draft, decisions: Sequence[CountedDecisions], start: date, end: date, period_of: Callable[[date], str]
) -> None:
    total: Counter[str] = Counter()
    by_facet: dict[str, dict[Key, Counter[str]]] = {name: defaultdict(Counter) for name in BY_FACET}
    by_period: dict[Key, Counter[str]] = {(period_of(day),): Counter() for day in _days(start, end)}
    trend: dict[str, Counter[str]] = defaultdict(Counter)
    shadow: dict[Key, Counter[str]] = defaultdict(Counter)
    for counted in decisions:
        counts = _counts(Action(counted.facets.action), counted.decisions, stopped=counted.stopped) | {"checked": counted.decisions}
        period = period_of(counted.day)
        total.update(counts)
        by_period[period,].update(counts)
        for name, values in BY_FACET.items():
            for value in values(counted.facets):
                by_facet[name][value,].update(counts)
        for group in counted.facets.taxon_groups:
            trend[group][period] += counts.get("held", 0) + counts.get("refused", 0)
        if counted.facets.shadow:
            shadow[counted.facets.shadow_action,]["texts"] += counted.decisions
    draft.table("total", MEASURES, {("",): total})
    draft.add_allowed("total", {("",): total})
    draft.table("period", MEASURES, by_period, whole=_totals(MEASURES))
    draft.add_allowed("period", by_period)
    for name, counts_of in by_facet.items():
        ranked = dict(sorted(counts_of.items(), key=lambda item: _rank(*item)))
        measures = FOUND if name in NAMED else MEASURES
        draft.table(name, measures, ranked, whole=_totals(measures), several=name in NAMED)
        if name not in NAMED:
            draft.add_allowed(name, ranked)
    _count_trend(draft, trend, list(by_period))
    draft.table("trial", ("texts",), shadow)


def _counts(action: Action, decisions: int, *, stopped: bool) -> dict[str, int]:
    counts = {"taken_down": decisions} if stopped else {}
    return counts if action is Action.ALLOW else counts | {"held" if action is Action.REVIEW else "refused": decisions}


def _enumerated(codes: re.Pattern[str], value: str) -> str:
    return value if not value or codes.fullmatch(value) else OTHER


def _rank(key: Key, counts: Mapping[str, int]) -> tuple[int, int, Key]:
    """The most held and refused first, then the most checked."""
    return -counts.get("held", 0) - counts.get("refused", 0), -counts.get("checked", 0), key


def _count_trend(draft: _Draft, trend: Mapping[str, Counter[str]], periods_: Sequence[Key]) -> None:
    """What was held or refused by group and period; the groups with the most, and all others together."""
    ranked = sorted(trend, key=lambda group: (-trend[group].total(), group))
    shown = {group: trend[group] for group in ranked[:SHOWN_GROUPS]}
    if others := ranked[SHOWN_GROUPS:]:
        shown[OTHER] = sum((trend[group] for group in others), Counter())
    rows: Counts = {(group, period): {"found": counts[period]} for group, counts in shown.items() for (period,) in periods_}
    draft.table("trend", ("found",), rows, several=True)
    members = {group: ranked[SHOWN_GROUPS:] if group == OTHER else [group] for group in shown}
    for group, of in members.items():
        whole = tuple(("taxon_group", "", each, measure) for each in of for measure in ("held", "refused"))
        draft.add(tuple(("trend", group, period, "found") for (period,) in periods_), whole)
    for (period,) in periods_:
        whole = tuple(("period", "", period, measure) for measure in ("held", "refused"))
        draft.add(tuple(("trend", group, period, "found") for group in shown), whole)


def _count_findings(draft: _Draft, findings: Sequence[CountedFindings]) -> None:
    species: dict[Key, Counter[str]] = defaultdict(Counter)
    views: dict[Key, Counter[str]] = defaultdict(Counter)
    for counted in findings:
        counts = _counts(counted.action, counted.decisions, stopped=counted.stopped)
        for group, name in counted.findings.species:
            species[group, name or UNNAMED].update(counts)
        for view in counted.findings.views:
            views[view,].update(counts)
    draft.table(
        "species", FOUND, {key: counts for key, counts in sorted(species.items(), key=lambda item: _rank(*item)) if counts}, several=True
    )
    for group in {group for group, _ in species}:
        for measure in FOUND:
            parts = tuple(("species", parent, name, measure) for parent, name in species if parent == group)
            draft.add(parts, (("taxon_group", "", group, measure),))
    draft.table(
        "view", FOUND, {key: counts for key, counts in sorted(views.items(), key=lambda item: _rank(*item)) if counts}, several=True
    )


# --- what followed -------------------------------------------------------------------------------


def _count_measures(draft: _Draft, measures: Sequence[Measure]) -> None:
    """What the platform did in the period, by how it was found, by whom it was decided, what it was, and how long it took."""
    draft.table("measures", ("measures",), {("",): {"measures": len(measures)}})
    whole = ((("measures", "", "", "measures"),),)
    counted = {
        "detection": Counter(map(detection, measures)),
        "means": Counter(measure.means.value for measure in measures),
        "ground": Counter(measure.ground.value for measure in measures),
        "restriction": Counter(each.value for measure in measures for each in measure.restrictions),
    }
    for name, counts in counted.items():
        rows: Counts = {(value,): {"measures": count} for value, count in counts.most_common()}
        draft.table(name, ("measures",), rows, whole=whole, several=name == "restriction")
    waits = Counter(next(name for name, limit in WAITS.items() if wait < limit) for wait in _waits(measures))
    draft.table("wait", ("measures",), {(name,): {"measures": waits[name]} for name in WAITS if waits}, whole=whole)


def detection(measure: Measure) -> str:
    """How a listing was found: what was recorded before the measure says it."""
    if measure.ordered:
        return "order"
    if measure.source is not NoticeSource.NONE:
        return SOURCES[measure.source]
    return "software" if measure.found_by_software else "person"


def _waits(measures: Iterable[Measure]) -> list[timedelta]:
    """From the check to the measure, of those that followed one."""
    pairs = ((measure.occurred_time, measure.subject.decided_time) for measure in measures)
    return [max(occurred - decided, timedelta()) for occurred, decided in pairs if decided]


def _count_cases(draft: _Draft, cases: Sequence[Case]) -> None:
    """Notices, complaints, disputes and orders, by how they ended."""
    by_family: dict[Key, Counter[str]] = {(family,): Counter() for family in ("notice", "complaint", "dispute", "order")}
    for case in cases:
        by_family[case.family,].update(("received", _end(case)))
    columns = ("received", *ENDS, "otherwise", "open")
    draft.table("cases", columns, {key: counts for key, counts in by_family.items() if counts})
    for (family,) in by_family:
        draft.add(tuple(("cases", "", family, column) for column in columns[1:]), (("cases", "", family, "received"),))


def _end(case: Case) -> str:
    if case.ended is None:
        return "open"
    end = case.ended.value.removeprefix(f"{case.family}_")
    return end if end in ENDS else "otherwise"


def _medians(facts: PublicFacts, smallest: int) -> dict[str, float | None]:
    """Hours from check to measure, and from the beginning to the end of each family of cases."""
    samples = {"measure": _waits(facts.measures)}
    for family in ("notice", "complaint", "dispute", "order"):
        samples[family] = [case.ended_time - case.received_time for case in facts.cases if case.family == family and case.ended_time]
    return {name: median(wait / HOUR for wait in waits) if len(waits) >= max(smallest, 1) else None for name, waits in samples.items()}


# --- shares and versions -------------------------------------------------------------------------


def _measured(measured: MeasuredErrors, smallest: int) -> Iterator[Accuracy]:
    """Estimates as they may be told: one that rests on a few found wrong is only bounded, for its value would tell how few."""
    for each in measured.estimates:
        dimension = "" if each.dimension == TOTAL else each.dimension
        told = Accuracy(name=each.measure, dimension=dimension, value=each.value, total=each.judged)
        if each.estimate is None or each.lower is None:
            yield replace(told, total=each.judged if each.judged == 0 or each.judged >= smallest else None, too_few=True)
        elif (each.offers if each.measure == "recall" else each.judged - each.offers) < smallest and each.measure != "accuracy":
            yield replace(told, at_least=each.lower)
        else:
            yield replace(told, estimate=each.estimate, lower=each.lower, upper=each.upper)


def _looks(measured: MeasuredErrors, smallest: int) -> dict[str, int | None]:
    """What the estimates rest on; None is hidden."""
    names = ("allowed", "covered", "drawn", "looked_at", "notices_upheld")
    numbers = {name: getattr(measured, name) for name in names}
    return {name: number if number == 0 or number >= smallest else None for name, number in numbers.items()}


def _shares(shares: Mapping[str, tuple[int, int]], publication: Publication) -> Iterator[Accuracy]:
    """Plain shares, but precision, of which there is an estimate."""
    yield from (_accuracy(make_share(name, *share), publication) for name, share in shares.items() if name != "precision")


def _accuracy(share: ReportShare, publication: Publication) -> Accuracy:
    count, total, smallest = share.count, share.total, publication.smallest_cell
    if total < publication.smallest_sample:
        return Accuracy(name=share.name, total=total if total == 0 or total >= smallest else None, too_few=True)
    if 0 < count < smallest:
        return Accuracy(name=share.name, total=total, at_most=(smallest - 1) / total)
    if 0 < total - count < smallest:
        return Accuracy(name=share.name, total=total, at_least=1 - (smallest - 1) / total)
    return Accuracy(name=share.name, total=total, count=count, estimate=count / total, lower=share.lower, upper=share.upper)


def _versions(decisions: Iterable[CountedDecisions]) -> Iterator[Used]:
    days: dict[tuple[str, str], list[date]] = defaultdict(list)
    for counted in decisions:
        for name in VERSIONS:
            days[name, getattr(counted.facets, name)].append(counted.day)
    for (name, version), used in sorted(days.items(), key=lambda item: (VERSIONS.index(item[0][0]), min(item[1]), item[0])):
        yield Used(name, version, min(used), max(used))


# --- periods -------------------------------------------------------------------------------------


def periods(start: date, end: date) -> tuple[str, Callable[[date], str]]:
    """What a span of days is told by, and the first day of the period that a day is in."""
    days = (end - start).days + 1
    if days <= DAYS_BY_DAY:
        return "day", date.isoformat
    if days <= DAYS_BY_WEEK:
        return "week", lambda day: (day - timedelta(days=day.weekday())).isoformat()
    return "month", lambda day: day.replace(day=1).isoformat()


def _days(start: date, end: date) -> Iterator[date]:
    return (start + timedelta(days=day) for day in range((end - start).days + 1))
