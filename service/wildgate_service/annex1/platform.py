"""Sheets 1, 2, 9, 10 and 11: what the platform says of itself, and what Wildgate counted under which category."""

from __future__ import annotations

from collections.abc import Iterator

from wildgate_service.annex1.facts import Facts
from wildgate_service.annex1.mapping import PROHIBITED_PRODUCTS, Place
from wildgate_service.annex1.template import (
    BY_CATEGORY,
    CATEGORIES,
    CATEGORY_PREFIX,
    IDENTIFICATION,
    KEYWORD_OTHER,
    MANY,
    MODERATORS,
    RECIPIENTS,
    TEXTS,
    TOTAL,
    Cell,
    Row,
    Sheet,
    places,
    template,
)

COUNTED = "Wildgate counts here offers of protected wild animals and plants, and of products made of them, and nothing else."
ELSEWHERE = "Without protected wildlife, which stands in KEYWORD_OTHER rows that name it."
DESCRIBED = "Wildgate counts here: {}."


def identification(facts: Facts) -> list[Row]:
    """Sheet 1."""
    about = facts.about
    dates = (about.published, about.previous, facts.start, facts.end)
    values = (about.provider, *(day.isoformat() if day else "" for day in dates))
    return [(row[0], about.service, row[2], value) for row, value in zip(template()[IDENTIFICATION].rows, values, strict=True)]


def categories(facts: Facts) -> list[Row]:
    """Sheet 2: the official rows, with what is counted where."""
    counted = {place for name in BY_CATEGORY for place in facts.classification.known(name)}
    rows: list[Row] = []
    category = ""
    for label, description, code, _ in template()[CATEGORIES].rows:
        if str(code).startswith(CATEGORY_PREFIX) or code == TOTAL:
            category = str(code)
        told = [facts.about.categories.get(str(code), "") if code != KEYWORD_OTHER else "", *_counted(category, str(code), counted)]
        rows.append((label, description, code, " ".join(filter(None, told))))
    return rows


def _counted(category: str, code: str, counted: set[Place]) -> Iterator[str]:
    here = sorted(place.description for place in counted if (place.category, place.keyword) == (category, code))
    if code == KEYWORD_OTHER and here:
        yield DESCRIBED.format("; ".join(here))
    elif here:
        yield COUNTED
    elif code == PROHIBITED_PRODUCTS.keyword and any(place.description for place in counted):
        yield ELSEWHERE


def moderators(facts: Facts) -> list[Row]:
    """Sheet 9: three rows of totals, then the languages."""
    said = facts.about.moderators
    totals = (said.internal, said.external, said.expertise)
    return _expanded(facts, template()[MODERATORS], totals, places().languages, said.languages)


def recipients(facts: Facts) -> list[Row]:
    """Sheet 10: the total, then the Member States."""
    said = facts.about.recipients
    return _expanded(facts, template()[RECIPIENTS], (said.total,), places().member_states, said.member_states)


def _expanded(facts: Facts, sheet: Sheet, totals: tuple[int | None, ...], codes: tuple[str, ...], said: dict[str, int]) -> list[Row]:
    """The rows of totals, and a row for each code in place of those between the first and the last."""
    scope = sheet.column("Scope")
    pattern = next(row for row in sheet.rows if row[scope] == MANY)
    official = [*sheet.rows[: len(totals)], *((*pattern[:scope], code, *pattern[scope + 1 :]) for code in codes)]
    values = [*totals, *(said.get(code) for code in codes)]
    return [_valued(facts, sheet, row, value) for row, value in zip(official, values, strict=True)]


def _valued(facts: Facts, sheet: Sheet, row: Row, value: int | None) -> Row:
    cells: list[Cell] = [row[0], facts.about.service, facts.period, *row[3:]]
    if value is not None and facts.applies(str(row[0])):
        cells[sheet.column("Value")] = value
    return tuple(cells)


def texts(facts: Facts) -> list[Row]:
    """Sheet 11."""
    said = facts.about.texts
    values = [getattr(said, name) for name in said.__struct_fields__]
    rows = zip(template()[TEXTS].rows, values, strict=True)
    return [(row[0], facts.about.service, facts.period, row[3], value) for row, value in rows]
