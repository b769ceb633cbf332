"""Numbers: counts are integers, shares lie in [0, 1], median times are hours; parts are no more than the whole, and add up to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from wildgate_service.annex1.check.finding import Finding
from wildgate_service.annex1.check.rows import CODE_COLUMN, DESCRIPTION, GREECE, placed, scopes
from wildgate_service.annex1.check.tables import Record, Table
from wildgate_service.annex1.template import (
    APPEALS,
    AUTOMATED,
    BY_CATEGORY,
    ILLEGAL,
    MODERATORS,
    NOTICES,
    ORDERS,
    RECIPIENTS,
    TERMS,
    TOTAL,
    contextual,
    places,
)

INTEGER = re.compile(r"0|[1-9]\d*")
NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?")
SHARE_OF = ("Percentage", "Accuracy of the automated means")
VALUE = "Value"

ACTIONS_BY_LAW = "Number of actions taken on the basis of the law"
ACTIONS_BY_TERMS = "Number of actions taken on the basis of the terms and conditions of the service"
OWN_MEASURES = "Number of measures taken at the provider's own initiative"
ORDERS_TO_ACT = "Number of orders to act against illegal content received"
NOTICED = "Number of specific items of information included in the total number of notices"
FLAGGED = "(Trusted Flagger notices)"
# (sheet, the column that is a part, the column that is the whole)
PARTS = (
    (NOTICES, "Number of notices received from Trusted flaggers", "Number of notices received"),
    (NOTICES, f"{NOTICED} by Trusted Flaggers {FLAGGED}", NOTICED),
    (NOTICES, "Number of notices received", NOTICED),
    (NOTICES, f"{ACTIONS_BY_LAW} {FLAGGED}", ACTIONS_BY_LAW),
    (NOTICES, f"{ACTIONS_BY_TERMS} {FLAGGED}", ACTIONS_BY_TERMS),
    (
        ORDERS,
        ORDERS_TO_ACT,
        "Number of specific items of information included in the total number of orders to act against illegal content",
    ),
    (ILLEGAL, "Number of measures taken after detection with solely automated means", OWN_MEASURES),
    (TERMS, "Number of measures taken after detection with solely automated means", OWN_MEASURES),
)
ENDS = ("Decisions upheld", "Decisions partially reversed", "Decisions reversed", "Decision omitted")
TOTAL_NUMBER = "Total number"
# (scope that is a part, scope that is the whole) of one indicator of sheet 8
SCOPES = (("Own-initiative", "Total number"), ("NAM Trusted Flagger", "NAM Total"))


class Kind(StrEnum):
    """What a number is, with how it is written."""

    COUNT = "a whole number, such as 26577842, without separators, decimals or words"
    SHARE = "a number from 0 to 1, such as 0.97"
    HOURS = "hours as a number, such as 12.5"


def numbers(table: Table) -> Iterator[Finding]:
    """Every number is of its kind."""
    for record in table.records:
        for heading, kind in _kinds(table, record):
            value = table.value(record, heading)
            if value and not _is(kind, value):
                code = {Kind.COUNT: "ANX401", Kind.SHARE: "ANX402", Kind.HOURS: "ANX403"}[kind]
                yield table.finding(code, f"{value!r} is not {kind.value.partition(',')[0]}", f"write {kind.value}", record, heading)


def _is(kind: Kind, value: str) -> bool:
    if kind is Kind.COUNT:
        return bool(INTEGER.fullmatch(value))
    return bool(NUMBER.fullmatch(value)) and (kind is Kind.HOURS or float(value) <= 1)


def _kinds(table: Table, record: Record) -> Iterator[tuple[str, Kind]]:
    """The headings of a record under which numbers stand."""
    if table.name in BY_CATEGORY:
        for heading in headings_of_numbers(table):
            yield heading, Kind.HOURS if heading.startswith("Median time") else Kind.COUNT
    elif table.name in {APPEALS, AUTOMATED, MODERATORS, RECIPIENTS}:
        indicator, scope = table.value(record, "Indicator"), table.value(record, "Scope")
        if scope == "Median time":
            yield VALUE, Kind.HOURS
        else:
            yield VALUE, Kind.SHARE if scope.startswith(SHARE_OF) or indicator.startswith(SHARE_OF) else Kind.COUNT


def headings_of_numbers(table: Table) -> list[str]:
    """Those of a sheet by category."""
    return [table.sheet.headings[column].strip() for column in contextual(table.sheet)]


def headings_of_counts(table: Table) -> list[str]:
    """Those of them that can be added."""
    return [heading for heading in headings_of_numbers(table) if not heading.startswith("Median time")]


def amount(text: str) -> float | None:
    """A number, however it is written; None for a blank or what is none."""
    return float(text) if NUMBER.fullmatch(text) else None


# --- parts of a whole in one row -----------------------------------------------------------------


def parts(table: Table) -> Iterator[Finding]:
    """What is a part of another number is not larger."""
    for record in table.records:
        for name, part, whole in PARTS:
            if name == table.name:
                smaller, larger = (amount(table.value(record, heading)) for heading in (part, whole))
                if smaller is not None and larger is not None and smaller > larger:
                    message = f"{smaller:.0f} is more than the {larger:.0f} under {whole!r}, of which it is a part"
                    yield table.finding("ANX404", message, "count the part within the whole", record, part)
    yield from _ends(table)
    yield from _scopes(table)


def _ends(table: Table) -> Iterator[Finding]:
    """No more complaints and disputes ended than there were."""
    if table.name == APPEALS:
        values = _by_indicator(table)
        for (indicator, scope), (record, total) in values.items():
            if scope == TOTAL_NUMBER:
                ended = sum(values[indicator, end][1] for end in ENDS if (indicator, end) in values)
                if ended > total:
                    message = f"{ended:.0f} were decided or omitted, but {total:.0f} submitted"
                    yield table.finding("ANX405", message, "count decisions on what was submitted in the period", record, VALUE)


def _scopes(table: Table) -> Iterator[Finding]:
    if table.name == AUTOMATED:
        values = _by_indicator(table)
        for (indicator, scope), (record, value) in values.items():
            for part, whole in SCOPES:
                larger = values.get((indicator, whole))
                if scope == part and larger and not indicator.startswith(SHARE_OF) and value > larger[1]:
                    message = f"{value:.0f} is more than the {larger[1]:.0f} of {whole!r}, of which it is a part"
                    yield table.finding("ANX404", message, "count the part within the whole", record, VALUE)


def _by_indicator(table: Table) -> dict[tuple[str, str], tuple[Record, float]]:
    values: dict[tuple[str, str], tuple[Record, float]] = {}
    for record in table.records:
        value = amount(table.value(record, VALUE))
        if value is not None:
            values.setdefault((table.value(record, "Indicator"), table.value(record, "Scope")), (record, value))
    return values


# --- sums ----------------------------------------------------------------------------------------


def sums(table: Table) -> Iterator[Finding]:
    """Sub-categories add up to their category, categories to TOTAL."""
    if table.name in BY_CATEGORY and len(table.headings) > CODE_COLUMN:
        for block in scopes(table).values():
            for heading in headings_of_counts(table):
                yield from _sums_of_column(table, block, heading)


def _sums_of_column(table: Table, block: list[Record], heading: str) -> Iterator[Finding]:
    of_category: dict[str, tuple[Record, float | None]] = {}
    of_keywords: dict[str, list[float | None]] = {}
    for line, record in placed(table, block):
        value = amount(table.value(record, heading))
        if line.keyword:
            of_keywords.setdefault(line.category, []).append(value)
        else:
            of_category.setdefault(line.category, (record, value))
    for category, values in of_keywords.items():
        if category in of_category and category != TOTAL:
            yield from _sum(table, heading, of_category[category], values, "ANX501", "its sub-categories add up to")
    if TOTAL in of_category:
        others = [value for category, (_, value) in of_category.items() if category != TOTAL]
        yield from _sum(table, heading, of_category[TOTAL], others, "ANX502", "the categories add up to")


def _sum(
    table: Table, heading: str, whole: tuple[Record, float | None], values: list[float | None], code: str, words: str
) -> Iterator[Finding]:
    record, said = whole
    added = sum(value for value in values if value is not None)
    if (said or 0) != added:
        message = f"{'blank' if said is None else f'{said:.0f}'}, but {words} {added:.0f}"
        yield table.finding(code, message, "count each item in one category and sub-category, and in no other", record, heading)


def sums_of_states(table: Table) -> Iterator[Finding]:
    """The blocks of the Member States add up to the block of all orders."""
    if table.name == ORDERS and "Scope" in table.columns:
        blocks = scopes(table)
        of_states = [block for scope, block in blocks.items() if scope in {*places().member_states, GREECE}]
        for heading in headings_of_counts(table):
            added: dict[tuple[str, str, str], float] = {}
            for block in of_states:
                for key, _, value in _cells(table, block, heading):
                    added[key] = added.get(key, 0) + value
            for key, record, value in _cells(table, blocks.get(TOTAL, []), heading):
                if value != added.get(key, 0):
                    message = f"{value:.0f}, but the blocks of the Member States add up to {added.get(key, 0):.0f}"
                    fix = "add a block for each Member State that issued an order"
                    yield table.finding("ANX503", message, fix, record, heading)


def _cells(table: Table, block: list[Record], heading: str) -> Iterator[tuple[tuple[str, str, str], Record, float]]:
    for line, record in placed(table, block):
        description = table.value(record, DESCRIPTION)
        yield (line.category, line.keyword, description), record, amount(table.value(record, heading)) or 0


CHECKS = (numbers, parts, sums, sums_of_states)
