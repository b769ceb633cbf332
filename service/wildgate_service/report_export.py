"""Reports as data: JSON for programs, CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wildgate_service.public_report import PublicReport
    from wildgate_service.types import MeasuredErrors, ReportCount, TransparencyReport

COLUMNS = ("section", "dimension", "value", "measure", "number", "total", "lower", "upper")
PUBLIC_COLUMNS = ("table", "parent", "value", "measure", "number", "note")
COUNTED = ("decisions", "allowed", "reviewed", "blocked", "stopped")
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = tuple[str | int | float, ...]


def to_json(report: TransparencyReport) -> str:
    """The report's fields as one indented JSON object."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def to_csv(report: TransparencyReport) -> str:
    """The report in long format, a number a line: RFC 4180 with a header, UTF-8.

    A value that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    table = csv.writer(text)  # its default dialect is that of RFC 4180
    table.writerow(COLUMNS)
    for row in _rows(report):
        table.writerow([*map(_inert, row), *[""] * (len(COLUMNS) - len(row))])
    return text.getvalue()


def _rows(report: TransparencyReport) -> Iterator[Row]:
    yield "period", "start", report.start.isoformat()
    yield "period", "end", report.end.isoformat()
    yield "period", "tenant", report.tenant
    yield "period", "generated", report.generated_time.isoformat()
    for count in (report.total, *report.counts):
        yield from _count_rows(count)
    for share in report.shares:
        row = (share.count, share.total, round(share.lower, 6), round(share.upper, 6))
        yield "share", share.name, "", "count", *row
    for kind, number in report.outcomes.items():
        yield "outcome", "kind", kind, "outcomes", number
    for reason, number in report.degraded_answers.items():
        yield "degraded_answer", "reason", reason, "answers", number
    if report.measured_error:
        yield from _error_rows(report.measured_error)
    if report.median_hours_to_act is not None:
        yield "time", "", "", "median_hours_to_act", round(report.median_hours_to_act, 3)
    if report.checkpoint:
        yield "checkpoint", "log_id", report.checkpoint.log_id
        yield "checkpoint", "position", "", "position", report.checkpoint.position
        yield "checkpoint", "chain_hash", report.checkpoint.chain_hash


def _error_rows(error: MeasuredErrors) -> Iterator[Row]:
    """Shares, with blanks where there is too little to say; `total` are the judgments that they rest on."""
    for each in error.estimates:
        shares = ("" if share is None else round(share, 6) for share in (each.estimate, each.lower, each.upper))
        estimate, lower, upper = shares
        yield "error", each.dimension, each.value, each.measure, estimate, each.judged, lower, upper
        yield "error", each.dimension, each.value, f"{each.measure}_offers_judged", each.offers, each.listings
    for name in error.__struct_fields__[1:]:
        yield "error_basis", "", "", name, getattr(error, name)


def public_json(report: PublicReport) -> str:
    """The public report's fields as one indented JSON object; a hidden count is null."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"


def public_csv(report: PublicReport) -> str:
    """The public report in long format, a number a line: RFC 4180 with a header, UTF-8. A hidden number is blank, which is not zero."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(PUBLIC_COLUMNS)
    for row in _public_rows(report):
        table.writerow(["" if cell is None else _inert(cell) for cell in row])
    return text.getvalue()


def _public_rows(report: PublicReport) -> Iterator[tuple[str | int | float | None, ...]]:
    about = {"start": report.start, "end": report.end, "tenant": report.tenant, "generated": report.generated_time.isoformat()}
    yield from (("about", "", name, "", str(value), "") for name, value in about.items())
    for table in report.tables:
        for row in table.rows:
            for measure, count in zip(table.measures, row.counts, strict=True):
                yield table.name, row.parent, row.value, measure, count, "hidden" if count is None else ""
    for share in report.accuracy:
        for measure in ("total", "count", "estimate", "lower", "upper", "at_most", "at_least"):
            number = getattr(share, measure)
            yield f"share {share.name}", share.dimension, share.value, measure, _rounded(number), "" if number is not None else "hidden"
    for name, number in report.looks.items():
        yield "looks", "", name, "texts", number, "" if number is not None else "hidden"
    for name, hours in report.medians.items():
        yield "median_hours", "", name, "hours", _rounded(hours), "" if hours is not None else "hidden"
    for used in report.versions:
        yield from ((used.name, "", used.version, when, str(getattr(used, when)), "") for when in ("first", "last"))
    if report.checkpoint:
        yield from (("checkpoint", "", name, "", value, "") for name, value in msgspec.structs.asdict(report.checkpoint).items())


def _rounded(number: float | None) -> float | None:
    return number if number is None or isinstance(number, int) else round(number, 6)


def _count_rows(count: ReportCount) -> Iterator[Row]:
    for measure in COUNTED:
        yield "count", count.dimension, count.value, measure, getattr(count, measure)


def _inert(cell: str | float) -> str | float:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
