"""The public report as data: JSON for programs, CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wildgate_service.public_report import PublicReport

COLUMNS = ("table", "parent", "value", "measure", "number", "note")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def public_json(report: PublicReport) -> str:
    """The public report's fields as one indented JSON object; a hidden count is null."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"


def public_csv(report: PublicReport) -> str:
    """The public report in long format, a number a line: RFC 4180 with a header, UTF-8. A hidden number is blank, which is not zero."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
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
    for checkpoint in report.checkpoints:
        yield from (("checkpoint", checkpoint.log_id, name, "", value, "") for name, value in msgspec.structs.asdict(checkpoint).items())


def _rounded(number: float | None) -> float | None:
    return number if number is None or isinstance(number, int) else round(number, 6)


def _inert(cell: str | float) -> str | float:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
