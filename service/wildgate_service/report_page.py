"""The public report as a page: one self-contained HTML file, readable by a citizen.

This module lays out what `templates/report.html` draws: words, lengths of bars, charts. Every chart stands beside a table of the same
numbers, so that nothing is told by a picture alone.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from datetime import date
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import jinja2
import msgspec
from markupsafe import Markup
from msgspec import Struct

from wildgate_service import __version__, charts
from wildgate_service.public_report import OTHER, UNNAMED, VERSIONS, WAITS
from wildgate_service.report_export import public_csv, public_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wildgate_service.charts import Chart
    from wildgate_service.public_report import Accuracy, PublicReport, Row, Table

SHOWN_ROWS = 12


class Section(Struct, frozen=True):
    """A breakdown on the page: the table it shows, its heading, what its values are, and what to know of it."""

    name: str
    title: str
    value: str
    note: str


SECTIONS = (
    Section(
        "appendix",
        "How they are protected",
        "List",
        "The list that protects them in the listing’s market: appendices of CITES, the convention on trade in endangered species, or "
        "regional and national lists.",
    ),
    Section("language", "In which language", "Language", "The language that the text was written in."),
    Section("market", "In which market", "Market", "Where the listing was offered, as the platform said."),
    Section("content_kind", "In which kind of text", "Kind", "What the text was on the platform."),
)
VIEWS = Section(
    "view",
    "How it was hidden",
    "Way of writing",
    "How the words that name wildlife were written where they were not written plainly. Some of these ways hide something, others are how "
    "people type; a text may show several.",
)
SPECIES = Section("species", "By species", "Species", "The species that a text seemed to offer, where the word that it used names one.")


class Bar(Struct, frozen=True):
    """A row of a breakdown; counts by measure, None is hidden. `held` and `refused` are lengths in percent of the longest bar.

    `parent` is the group of a species, `named` whether its name is one.
    """

    label: str
    parent: str
    named: bool
    counts: dict[str, int | None]
    held: float
    refused: float


class Breakdown(Struct, frozen=True):
    """A table with bars: the rows shown, and those that follow folded away."""

    section: Section
    bars: Sequence[Bar]
    more: Sequence[Bar]
    checked: bool


class Told(Struct, frozen=True):
    """Shares of one name as the page tells them: the one of all, and those of parts."""

    title: str
    explanation: str
    of_all: Accuracy | None
    of_parts: Sequence[Accuracy]


SHARES = {
    "precision": (
        "Held or refused, and a person agreed",
        "Of the texts that were held or refused, the share that do offer protected wildlife, by what moderators found when they looked.",
    ),
    "recall": (
        "Of all offers, how many were held or refused",
        (
            "Estimated from texts that were let through and then drawn by chance for a moderator's look. What others gave notice of is no "
            "part of the sample. Where no missed offer was seen, the share is at least what is stated."
        ),
    ),
    "accuracy": ("Decided rightly", "Of all texts, held, refused or let through, by the same two sources."),
    "recall_of_notices": (
        "Reported by others, and held or refused before",
        (
            "Of the listings that somebody gave notice of and that were then taken down, those that had been held or refused when they "
            "were checked."
        ),
    ),
    "reversal_rate": (
        "Taken down, and put back later",
        "Of the texts that were taken down or restricted, those that were reinstated or whose seller complained with success.",
    ),
}


def render(report: PublicReport) -> str:
    """The page, as HTML in UTF-8 that needs nothing but itself."""
    return (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            version=__version__,
            total=_counts(report.table("total"), report.table("total").rows[0]),
            timeline=_timeline(report),
            trend=_trend(report),
            waits=_waits(report),
            groups=make_breakdown(GROUPS, report.table("taxon_group")),
            species=make_breakdown(SPECIES, report.table("species")),
            breakdowns=[made for section in SECTIONS if (made := make_breakdown(section, report.table(section.name))).bars],
            views=make_breakdown(VIEWS, report.table("view")),
            versions=[(name, [used for used in report.versions if used.name == name]) for name in VERSIONS],
            version_counts={name: {row.value: _counts(report.table(name), row) for row in report.table(name).rows} for name in VERSIONS},
            shares=_told(report.accuracy),
            trial={row.value: row.counts[0] for row in report.table("trial").rows},
            file=file_name(report),
            downloads={"json": _data(public_json(report), "application/json"), "csv": _data(public_csv(report), "text/csv")},
        )
    )


def file_name(report: PublicReport) -> str:
    """Of the page and the files beside it, without what follows the dot."""
    return f"wildgate-report-{report.start}-{report.end}{'' if report.smallest_cell > 1 else '-exact'}"


GROUPS = Section(
    "taxon_group",
    "What was on offer",
    "Animals and plants",
    "The animals and plants that the texts seemed to offer. A text that names several counts under each.",
)


def _counts(table: Table, row: Row) -> dict[str, int | None]:
    return dict(zip(table.measures, row.counts, strict=True))


def make_breakdown(section: Section, table: Table) -> Breakdown:
    """The rows of a table, with bars of what was held and refused."""
    counted = [_counts(table, row) for row in table.rows]
    longest = max(((counts["held"] or 0) + (counts["refused"] or 0) for counts in counted), default=0) or 1
    bars = [
        Bar(
            label(section.name, row.value),
            label("taxon_group", row.parent) if row.parent else "",
            row.value != UNNAMED,
            counts,
            held=100 * (counts["held"] or 0) / longest,
            refused=100 * (counts["refused"] or 0) / longest,
        )
        for row, counts in zip(table.rows, counted, strict=True)
    ]
    return Breakdown(section, bars[:SHOWN_ROWS], bars[SHOWN_ROWS:], "checked" in table.measures)


def _told(shares: Sequence[Accuracy]) -> Sequence[Told]:
    """In the order in which they come; the words of a share that this page does not know are its name."""
    names = dict.fromkeys(share.name for share in shares)
    return [
        Told(
            *SHARES.get(name, (name.replace("_", " ").capitalize(), "")),
            next((share for share in shares if share.name == name and not share.dimension), None),
            [share for share in shares if share.name == name and share.dimension],
        )
        for name in names
    ]


def _data(content: str, kind: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(content.encode()).decode()}"


# --- charts --------------------------------------------------------------------------------------


class Figure(Struct, frozen=True):
    """A chart, if there is one, and the same numbers: the table's rows with their labels."""

    chart: Chart | None
    rows: Sequence[tuple[str, dict[str, int | None]]]


def _timeline(report: PublicReport) -> Figure:
    table = report.table("period")
    labels = [_period(report.unit, row.value) for row in table.rows]
    series = [
        charts.Series(measure, color, tuple(row.counts[table.measures.index(measure)] for row in table.rows))
        for measure, color in (("refused", charts.REFUSED), ("held", charts.HELD))
    ]
    drawn = charts.columns("timeline", labels, series) if any(any(each.heights) for each in series) else None
    return Figure(drawn, [(name, _counts(table, row)) for name, row in zip(labels, table.rows, strict=True)])


def _trend(report: PublicReport) -> Figure:
    by_group: dict[str, list[int | None]] = defaultdict(list)
    for row in report.table("trend").rows:
        by_group[row.parent].append(row.counts[0])
    periods = [_period(report.unit, row.value) for row in report.table("period").rows]
    named = {"All others" if group == OTHER else label("taxon_group", group): counts for group, counts in by_group.items()}
    drawn = None
    if len(periods) > 1:
        drawn = charts.panels("trend", periods, [charts.Series(name, charts.BRAND, tuple(counts)) for name, counts in named.items()])
    rows = [(name, dict(zip(periods, counts, strict=True))) for name, counts in named.items()]
    return Figure(drawn, rows)


def _waits(report: PublicReport) -> Figure:
    counts = {row.value: row.counts[0] for row in report.table("wait").rows}
    rows = [(label("wait", name), {"measures": counts[name]}) for name in WAITS if name in counts]
    return Figure(charts.bars("waits", [name for name, _ in rows], [counted["measures"] for _, counted in rows]), rows)


def _period(unit: str, value: str) -> str:
    day = date.fromisoformat(value)
    return f"{day:%b %y}" if unit == "month" else f"{day.day} {day:%b}"


def drawn(chart: Chart) -> Markup:
    """Both sizes of a chart; the style sheet shows the one that fits."""
    return Markup(f'<div class="for-wide">{chart.wide}</div><div class="for-narrow">{chart.narrow}</div>')  # noqa: S704  (labels are escaped)


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
    if not value:
        return words.get("", "Not known")
    base = value.partition("-")[0]
    if dimension == "language" and base in words:
        return f"{words[base]} ({value})"
    return value


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
    made.globals.update(label=label, percent=percent, drawn=drawn)
    return made
