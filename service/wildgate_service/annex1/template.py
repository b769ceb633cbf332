"""The official sheets of Annex I, read from the files that the European Commission publishes: `template/` beside this module."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from msgspec import Struct

Cell = str | int | float  # "" is blank
Row = tuple[Cell, ...]

NAMES = (
    "1_report_identification",
    "2_categories_names",
    "3_member_states_orders",
    "4_notices",
    "5_own_initiative_illegal",
    "6_own_initiative_TC",
    "7_appeals_and_recidivism",
    "8_automated_means",
    "9_human_resources",
    "10_AMAR",
    "11_qualitative",
)
IDENTIFICATION, CATEGORIES, ORDERS, NOTICES, ILLEGAL, TERMS, APPEALS, AUTOMATED, MODERATORS, RECIPIENTS, TEXTS = NAMES
BY_CATEGORY = (ORDERS, NOTICES, ILLEGAL, TERMS)

TOTAL = "TOTAL"
KEYWORD_OTHER = "KEYWORD_OTHER"
CATEGORY_PREFIX, KEYWORD_PREFIX = "STATEMENT_CATEGORY_", "KEYWORD_"
CONTEXT = "contextual information"  # however it is spelled
MANY = "[...]"  # stands for the languages or Member States between the first and the last


class Sheet(Struct, frozen=True):
    """A sheet: its name, the headings in order, and the rows below them, each as wide as the headings. Blanks at the ends are the law's."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]

    def column(self, heading: str) -> int:
        """The place of a column by its heading, from 0. Raises ValueError if there is none."""
        return [each.strip() for each in self.headings].index(heading)


class Line(Struct, frozen=True):
    """A row of the sheets by category: TOTAL, a category (no keyword), or one of its keywords."""

    category: str
    keyword: str = ""


class Places(Struct, frozen=True):
    """What `bg [..] sv` and `AT [..] SE` stand for, in that order."""

    languages: tuple[str, ...]
    member_states: tuple[str, ...]


@cache
def template() -> Mapping[str, Sheet]:
    """Every official sheet by its name, in order."""
    folder = resources.files("wildgate_service.annex1") / "template"
    return MappingProxyType({name: _sheet(name, (folder / f"{name}.csv").read_text(encoding="utf-8")) for name in NAMES})


def _sheet(name: str, text: str) -> Sheet:
    headings, *rows = csv.reader(io.StringIO(text, newline=""))
    return Sheet(name, tuple(headings), tuple(tuple(row) for row in rows))


@cache
def places() -> Places:
    """The official languages and the Member States."""
    file = resources.files("wildgate_service.annex1") / "places.json"
    return Places(**{name: tuple(codes) for name, codes in json.loads(file.read_text(encoding="utf-8")).items()})


@cache
def lines(name: str) -> tuple[Line, ...]:
    """The rows of a sheet by category, in the official order; of orders those of the block of all."""
    sheet = template()[name]
    codes = [str(row[3]) for row in sheet.rows if name != ORDERS or row[sheet.column("Scope")] == TOTAL]
    return tuple(_lines(codes))


@cache
def lines_of_states() -> tuple[Line, ...]:
    """The rows of a Member State's block of orders, in which the official template leaves out one that the block of all has."""
    sheet = template()[ORDERS]
    return tuple(_lines([str(row[3]) for row in sheet.rows if row[sheet.column("Scope")] != TOTAL]))


def _lines(codes: list[str]) -> Iterator[Line]:
    category = ""
    for code in codes:
        if code.startswith(KEYWORD_PREFIX):
            yield Line(category, code)
        else:
            category = code
            yield Line(category)


def contextual(sheet: Sheet) -> dict[int, int]:
    """Of a sheet by category the columns of numbers, each with the column of its contextual information."""
    explained = [number for number, heading in enumerate(sheet.headings) if heading.lower().startswith(CONTEXT)]
    first = explained[0] - len(explained)
    return dict(zip(range(first, explained[0]), explained, strict=True))
