"""The public report as a page: one self-contained HTML file, readable by a citizen.

This module lays out what `templates/report.html` draws: labels, lengths of bars, ticks. Every chart
stands beside or inside a table of the same numbers, so that nothing is told by a picture alone.
"""

from __future__ import annotations

import math
from datetime import date
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import jinja2
import msgspec
from msgspec import Struct

from wildgate_service import __version__
from wildgate_service.outcomes import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wildgate_service.types import ReportCount, ReportShare, TransparencyReport

DAILY, WEEKLY = 100, 700  # the longest periods, in days, that are drawn by day and by week
TICKS = 4
SHOWN_ROWS = 12
MANY_MARKS = 8  # dates written under the columns


class Section(Struct, frozen=True):
    """A breakdown on the page: the dimension it shows, its heading and what to know of it."""

    dimension: str
    title: str
    note: str


SECTIONS = (
    Section(
        "taxon_group",
        "What was on offer",
        "The animals and plants that the texts seemed to offer. A listing that names several counts under each.",
    ),
    Section(
        "appendix",
        "How it is protected",
        "The list that protects them in the listing's market: appendices of CITES, the convention on "
        "trade in endangered species, or regional and national lists.",
    ),
    Section("language", "In which language", "The language that the text was written in."),
    Section("market", "In which market", "Where the listing was offered, as the platform said."),
    Section("content_kind", "In which kind of text", "What the text was on the platform."),
)
VERSIONS = ("lexicon_version", "model_version", "policy_version")


class Bar(Struct, frozen=True):
    """A row of a breakdown. `held` and `refused` are lengths in percent of the longest bar."""

    label: str
    count: ReportCount
    held: float
    refused: float


class Breakdown(Struct, frozen=True):
    """A table with bars: the rows shown, and those that follow folded away."""

    section: Section
    bars: Sequence[Bar]
    more: Sequence[Bar]


class Column(Struct, frozen=True):
    """A day, week or month of the timeline. Positions and heights are fractions of the plot."""

    label: str
    count: ReportCount
    x: float
    width: float
    held: float
    refused: float
    marked: bool


class Timeline(Struct, frozen=True):
    """Columns over time under ticks of a common scale."""

    unit: str
    columns: Sequence[Column]
    ticks: Sequence[int]
    top: int


class Share(Struct, frozen=True):
    """A share as the page tells it."""

    share: ReportShare
    title: str
    explanation: str


SHARES = {
    "precision": (
        "Held or refused, and a person agreed",
        (
            "Of the listings that were held or refused and then judged by a moderator, those whose "
            "removal or restriction the moderator decided or left standing."
        ),
    ),
    "recall_of_notices": (
        "Reported by others, and held or refused before",
        (
            "Of the listings that somebody gave notice of and that were then taken down, those that had "
            "been held or refused when they were checked."
        ),
    ),
    "reversal_rate": (
        "Taken down, and put back later",
        ("Of the listings that were taken down or restricted, those that were reinstated or whose seller complained with success."),
    ),
}


def render(report: TransparencyReport) -> str:
    """The page, as HTML in UTF-8 that needs nothing but itself."""
    by_dimension: dict[str, list[ReportCount]] = {}
    for count in report.counts:
        by_dimension.setdefault(count.dimension, []).append(count)
    return (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            version=__version__,
            timeline=make_timeline(by_dimension.get("day", [])),
            breakdowns=[make_breakdown(section, by_dimension.get(section.dimension, [])) for section in SECTIONS],
            by_dimension=by_dimension,
            outcomes=[(kind, report.outcomes[kind]) for kind in OutcomeKind if kind in report.outcomes],
            trial={count.value: count.decisions for count in by_dimension.get("shadow_action", [])},
            versions=[(name, by_dimension.get(name, [])) for name in VERSIONS],
            shares=[Share(share, *SHARES[share.name]) for share in report.shares],
        )
    )


def make_breakdown(section: Section, counts: Sequence[ReportCount]) -> Breakdown:
    """Rows with the most held and refused first, then those with the most checks."""
    counts = sorted(counts, key=lambda count: (-found(count), -count.decisions, count.value))
    longest = max(map(found, counts), default=0) or 1
    bars = [
        Bar(
            label(section.dimension, count.value),
            count,
            held=100 * count.reviewed / longest,
            refused=100 * count.blocked / longest,
        )
        for count in counts
    ]
    return Breakdown(section, bars[:SHOWN_ROWS], bars[SHOWN_ROWS:])


def found(count: ReportCount) -> int:
    """Decisions other than to publish."""
    return count.reviewed + count.blocked


# --- the timeline --------------------------------------------------------------------------------


def make_timeline(days: Sequence[ReportCount]) -> Timeline:
    """Columns by day, by week or by month, as many as can be told apart."""
    unit, counts = _merged(days)
    top, ticks = scale(max(map(found, counts), default=0))
    every = math.ceil(len(counts) / MANY_MARKS) or 1
    return Timeline(
        unit,
        [
            Column(
                _date_label(unit, count.value),
                count,
                x=index / len(counts),
                width=1 / len(counts),
                held=count.reviewed / top,
                refused=count.blocked / top,
                marked=index % every == 0,
            )
            for index, count in enumerate(counts)
        ],
        ticks,
        top,
    )


def _merged(days: Sequence[ReportCount]) -> tuple[str, Sequence[ReportCount]]:
    if len(days) <= DAILY:
        return "day", days
    unit, key = ("week", _week) if len(days) <= WEEKLY else ("month", _month)
    groups: dict[str, list[ReportCount]] = {}
    for day in days:
        groups.setdefault(key(day.value), []).append(day)
    return unit, [_sum(unit, value, group) for value, group in groups.items()]


def _week(day: str) -> str:
    year, week, _ = date.fromisoformat(day).isocalendar()
    return date.fromisocalendar(year, week, 1).isoformat()


def _month(day: str) -> str:
    return f"{day[:7]}-01"


def _sum(dimension: str, value: str, counts: Sequence[ReportCount]) -> ReportCount:
    names = ("decisions", "allowed", "reviewed", "blocked", "stopped")
    sums = {name: sum(getattr(count, name) for count in counts) for name in names}
    return msgspec.structs.replace(counts[0], dimension=dimension, value=value, **sums)


def _date_label(unit: str, value: str) -> str:
    day = date.fromisoformat(value)
    return f"{day:%b %Y}" if unit == "month" else f"{day.day} {day:%b}"


def scale(largest: int) -> tuple[int, Sequence[int]]:
    """Top and ticks of an axis from 0 that holds `largest`, in steps of 1, 2 or 5 times a power of ten.

    >>> scale(37)
    (40, [0, 10, 20, 30, 40])
    """
    rough = max(largest, 1) / TICKS
    power = 10 ** max(0, math.floor(math.log10(rough)))
    step = next(int(power * factor) for factor in (1, 2, 5, 10) if power * factor >= rough)
    top = step * max(1, math.ceil(largest / step))
    return top, list(range(0, top + 1, step))


# --- words ---------------------------------------------------------------------------------------


@cache
def _labels() -> dict[str, dict[str, str]]:
    file = resources.files("wildgate_service.templates") / "labels.json"
    return msgspec.json.decode(file.read_bytes(), type=dict[str, dict[str, str]])


def label(dimension: str, value: str) -> str:
    """A value in words; a language with a script or region by its base; unknown ones as they are.

    >>> label("language", "zh-Hant")
    'Chinese (zh-Hant)'
    """
    words = _labels().get(dimension, {})
    if value in words:
        return words[value]
    base = value.partition("-")[0]
    if dimension == "language" and base in words:
        return f"{words[base]} ({value})"
    return value or "Not known"


def number(value: int) -> str:
    """With separators.

    >>> number(1234567)
    '1,234,567'
    """
    return f"{value:,}"


def percent(part: float, whole: float) -> str:
    """A share in percent, to two significant digits where it is small; a dash of nothing.

    >>> percent(3, 10_000), percent(1, 3), percent(0, 0)
    ('0.03%', '33.3%', '–')
    """
    if not whole:
        return "–"
    share = 100 * part / whole
    return f"{share:.1f}%" if share >= 1 or share == 0 else f"{share:.2g}%"


def hours(value: float) -> str:
    """A wait in the unit that a reader would use.

    >>> hours(0.005), hours(0.5), hours(30), hours(100)
    ('18 seconds', '30 minutes', '30 hours', '4.2 days')
    """
    day, minute = 24, 1 / 60
    if value < minute:
        return f"{value * 3600:.0f} seconds"
    if value < 1:
        return f"{value * 60:.0f} minutes"
    return f"{value:.3g} hours" if value < 2 * day else f"{value / day:.1f} days"


def long_date(day: date) -> str:
    """A date in words.

    >>> long_date(date(2026, 3, 1))
    '1 March 2026'
    """
    return f"{day.day} {day:%B %Y}"


FILTERS: dict[str, Callable[..., object]] = {
    "number": number,
    "hours": hours,
    "long_date": long_date,
}


@cache
def environment() -> jinja2.Environment:
    """What templates are filled in with: everything escaped, numbers and labels in words."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("wildgate_service"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.globals.update(label=label, percent=percent, found=found)
    return made
