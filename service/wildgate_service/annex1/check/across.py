"""What only several sheets together show: that all are there, of one service and one period that the law knows, and that they agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from wildgate_service.annex1.check.finding import Finding
from wildgate_service.annex1.check.numbers import OWN_MEASURES, VALUE, amount
from wildgate_service.annex1.check.rows import CODE_COLUMN, PLACEHOLDERS
from wildgate_service.annex1.check.tables import Record, Table
from wildgate_service.annex1.check.words import day
from wildgate_service.annex1.template import AUTOMATED, IDENTIFICATION, ILLEGAL, NAMES, TERMS, TOTAL

PERIOD = "Reporting period"
MONTHS_TO_PUBLISH = 2
YEAR_END, HALF_END = (12, 31), (6, 30)
# Of providers, and of very large ones (Regulation 2024/2835, Article 2)
PERIODS = (((1, 1), YEAR_END), ((1, 1), HALF_END), ((7, 1), YEAR_END))


def missing_sheets(tables: Sequence[Table]) -> Iterator[Finding]:
    """A report without a part is incomplete."""
    found = {table.name for table in tables}
    for name in NAMES:
        if name not in found:
            fix = "add it: a report that omits a part without a specific and objective reason is incomplete"
            yield Finding(code="ANX101", file=f"{name}.csv", message="the sheet is missing", fix=fix)


def service(tables: Sequence[Table]) -> Iterator[Finding]:
    """One report is of one service."""
    first = ""
    for table in tables:
        if "Service" in table.columns:
            for record in table.records:
                value = table.value(record, "Service")
                first = first or value
                if not value:
                    yield table.finding("ANX209", "no service is named", "write the name of the service into every row", record, "Service")
                elif value != first:
                    message = f"{value!r} is another service than {first!r}"
                    yield table.finding("ANX209", message, "publish a report for each service", record, "Service")


def periods(tables: Sequence[Table]) -> Iterator[Finding]:
    """Every row is of the period of the report."""
    stated = _stated(tables)
    first = stated
    for table in tables:
        if PERIOD in table.columns:
            for record in table.records:
                value = table.value(record, PERIOD)
                if value not in PLACEHOLDERS:
                    yield from _period(table, record, value, first)
                    first = first or _read(value)
    if stated:
        yield from _known(tables, stated)


def _period(table: Table, record: Record, value: str, first: tuple[date, date] | None) -> Iterator[Finding]:
    read = _read(value)
    if read is None:
        yield table.finding("ANX301", f"{value!r} is no period", "write it like 2026-01-01/2026-12-31", record, PERIOD)
    elif first and read != first:
        message = f"{value} is another period than {first[0]}/{first[1]}"
        yield table.finding("ANX303", message, "report one period", record, PERIOD)


def _read(value: str) -> tuple[date, date] | None:
    start, _, end = value.partition("/")
    days = day(start), day(end)
    return (days[0], days[1]) if days[0] and days[1] and days[0] <= days[1] else None


def _stated(tables: Sequence[Table]) -> tuple[date, date] | None:
    """The period of sheet 1, else that of the first row that has one."""
    found = _identified(tables)
    start, end = found.get("Starting date of reporting period"), found.get("Ending date of reporting period")
    if start and end and start <= end:
        return start, end
    rows = ((table, record) for table in tables if PERIOD in table.columns for record in table.records)
    return next(filter(None, (_read(table.value(record, PERIOD)) for table, record in rows)), None)


def _identified(tables: Sequence[Table]) -> dict[str, date | None]:
    return {
        table.value(record, "Indicator"): day(table.value(record, VALUE))
        for table in tables
        if table.name == IDENTIFICATION
        for record in table.records
    }


def _known(tables: Sequence[Table], stated: tuple[date, date]) -> Iterator[Finding]:
    """Whether the law knows the period, and the report came in time."""
    start, end = stated
    file = tables[0].file
    known = ((start.month, start.day), (end.month, end.day)) in PERIODS and start.year == end.year
    if not known:
        fix = "report a year, or as a very large platform 1 January to 30 June or 1 July to 31 December"
        yield Finding(code="ANX302", file=file, message=f"{start}/{end} is no reporting period of Article 2", fix=fix)
    published = _identified(tables).get("Date of the publication of the report")
    if published and not end < published <= _deadline(end):
        when = "before the period ended" if published <= end else f"later than {_deadline(end)}"
        message = f"published on {published}, {when}"
        yield Finding(code="ANX304", file=file, message=message, fix="publish within two months after the period (Article 2(3))")


def _deadline(end: date) -> date:
    """Two months after a period that ends with a month: the last day of the second month."""
    month = end.month + MONTHS_TO_PUBLISH
    after = date(end.year + month // 12, month % 12 + 1, 1)
    return after - timedelta(days=1)


def agreement(tables: Sequence[Table]) -> Iterator[Finding]:
    """Sheet 8 counts no more own-initiative measures than sheets 5 and 6."""
    by_name = {table.name: table for table in tables}
    if {AUTOMATED, ILLEGAL, TERMS} <= set(by_name):
        measures = sum(_total(by_name[name]) for name in (ILLEGAL, TERMS))
        table = by_name[AUTOMATED]
        counted, last = 0.0, None
        for record in table.records:
            if table.value(record, "Indicator").startswith("Number of measures") and table.value(record, "Scope") == "Own-initiative":
                counted, last = counted + (amount(table.value(record, VALUE)) or 0), record
        if counted > measures:
            message = f"{counted:.0f} own-initiative measures by who took them, but {measures:.0f} in sheets 5 and 6"
            yield table.finding("ANX405", message, "count the same measures in both", last, VALUE)


def _total(table: Table) -> float:
    rows = (record for record in table.records if record.cells[CODE_COLUMN].strip() == TOTAL)
    return sum(amount(table.value(record, OWN_MEASURES)) or 0 for record in rows)


CHECKS = (missing_sheets, service, periods, agreement)
