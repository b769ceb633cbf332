"""Headings and rows: whether they are the official ones, in the official order, without what the template only stood for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wildgate_service.annex1.check.finding import Finding, letters
from wildgate_service.annex1.check.tables import Record, Table
from wildgate_service.annex1.template import (
    AUTOMATED,
    BY_CATEGORY,
    CATEGORY_PREFIX,
    KEYWORD_OTHER,
    KEYWORD_PREFIX,
    MANY,
    ORDERS,
    TOTAL,
    Line,
    lines,
    lines_of_states,
    places,
    template,
)

CODE_COLUMN = 3  # of the categories in sheets 3 to 6
DESCRIPTION = 'Description of the sub-category "Other"'
PLACEHOLDERS = {"YYYY-MM-DD", "YYYY-MM-DD/YYYY-MM-DD", "Text", "Free text", MANY, "AT, […], SE"}
DESCRIPTION_PLACEHOLDER = 'Text to detail the "Other" keyword.'
GREECE = "EL"  # Eurostat's code, where the transparency database has GR
MOJIBAKE = re.compile(r"¡[¯°±®]|â€|Ã[\u0080-\u00bf]|Â[\u00a0-\u00bf]|ï»¿|\ufffd")
FORMULA = re.compile(r"[=+@\t\r]|-(?![\d.]+$)")
LISTED = 5  # names in one message


def headings(table: Table) -> Iterator[Finding]:
    """Columns as the template has them; what differs is named with its place."""
    official = [heading.strip() for heading in table.sheet.headings]
    found = [heading.strip() for heading in table.headings]
    for column, heading in enumerate(official):
        if heading not in found:
            fix = "take the headings of the template, letter for letter"
            yield Finding(
                code="ANX201", file=table.file, row=1, column=letters(column), message=f"the heading {heading!r} is missing", fix=fix
            )
    for column, heading in enumerate(found):
        if heading not in official:
            fix = "take out the column; what it says belongs into a column of contextual information"
            yield Finding(
                code="ANX201", file=table.file, row=1, column=letters(column), message=f"{heading!r} is no heading of the sheet", fix=fix
            )
    if sorted(found) == sorted(official) and found != official:
        yield table.finding("ANX201", "the columns stand in another order", "put them in the order of the template")


def cells(table: Table) -> Iterator[Finding]:
    """What no cell may hold: what the template only stood for, letters of a wrong encoding, formulas."""
    for record in table.records:
        for heading, column in table.columns.items():
            cell = record.cells[column]
            if cell.strip() in PLACEHOLDERS:
                fix = "fill it in, or leave it blank if the row does not apply"
                yield table.finding("ANX207", f"the template's {cell.strip()!r} was left in", fix, record, heading)
            if cell.strip() == DESCRIPTION_PLACEHOLDER:
                fix = "say what the row counts, or leave the description blank if it counts nothing"
                yield table.finding("ANX208", f"the template's {cell.strip()!r} was left in", fix, record, heading)
            if damaged := MOJIBAKE.search(cell):
                fix = "write the letter anew and save as UTF-8"
                yield table.finding("ANX108", f"{damaged[0]!r} is a letter in a wrong encoding", fix, record, heading)
            if FORMULA.match(cell):
                fix = "begin the text with a letter or an apostrophe"
                yield table.finding("ANX105", f"a spreadsheet would run {cell[:20]!r} as a formula", fix, record, heading)


# --- sheets by category --------------------------------------------------------------------------


def scopes(table: Table) -> dict[str, list[Record]]:
    """The records of sheets 3 to 6 by block: of orders one for TOTAL and one for each Member State."""
    blocks: dict[str, list[Record]] = {}
    for record in table.records:
        blocks.setdefault(table.value(record, "Scope") if table.name == ORDERS else "", []).append(record)
    return blocks


def placed(table: Table, block: list[Record]) -> Iterator[tuple[Line, Record]]:
    """Every record with its category and keyword: a keyword belongs to the category above it."""
    category = ""
    for record in block:
        code = record.cells[CODE_COLUMN].strip() if len(record.cells) > CODE_COLUMN else ""
        if code.startswith(KEYWORD_PREFIX):
            yield Line(category, code), record
        else:
            category = code
            yield Line(category), record
    del table


def categories(table: Table) -> Iterator[Finding]:
    """The closed list of categories, each with its own sub-categories, each once."""
    if table.name not in BY_CATEGORY:
        return
    for scope, block in scopes(table).items():
        found = list(placed(table, block))
        yield from _unknown(table, found)
        yield from _twice(table, found)
        yield from _missing(table, scope, {line for line, _ in found})
        yield from _disordered(table, [line for line, _ in found])


def _heading_of_code(table: Table) -> str:
    return table.sheet.headings[CODE_COLUMN].strip()


def _unknown(table: Table, found: list[tuple[Line, Record]]) -> Iterator[Finding]:
    official, heading = set(lines(table.name)), _heading_of_code(table)
    elsewhere = {line: name for name in BY_CATEGORY for line in lines(name)}
    for line, record in found:
        code = line.keyword or line.category
        if line in official or (Line(line.category) not in official and line.keyword):
            continue  # of a category that is wrong itself
        if line in elsewhere and not line.keyword:
            fix = "use the category that best covers the ground; Annex II says in which sheet each may stand"
            yield table.finding("ANX206", f"{code} may stand in sheet {elsewhere[line]} alone", fix, record, heading)
        elif code.startswith(CATEGORY_PREFIX):
            yield table.finding("ANX203", f"{code} is no category: the list is closed", "use an official category", record, heading)
        elif code.startswith(KEYWORD_PREFIX):
            fix = f"put it under its category, or describe it in a {KEYWORD_OTHER} row"
            yield table.finding("ANX203", f"{code} is no sub-category of {line.category}", fix, record, heading)
        else:
            yield table.finding("ANX203", f"{code!r} is no category", "use the codes of sheet 2", record, heading)


def _twice(table: Table, found: list[tuple[Line, Record]]) -> Iterator[Finding]:
    seen: set[Line] = set()
    for line, record in found:
        if line in seen and line.keyword != KEYWORD_OTHER:
            name = line.keyword or line.category
            yield table.finding("ANX205", f"{name} is there twice", "keep one row of it", record, _heading_of_code(table))
        seen.add(line)


def _missing(table: Table, scope: str, found: set[Line]) -> Iterator[Finding]:
    official = lines(table.name) if scope in {"", TOTAL} else lines_of_states()
    missing = [line.keyword or line.category for line in official if line not in found]
    if missing:
        where = f" in the block {scope}" if scope else ""
        message = f"{len(missing)} official rows are missing{where}: {_listed(missing)}"
        yield table.finding("ANX202", message, "keep every row of the template, blank where it does not apply")


def _disordered(table: Table, found: list[Line]) -> Iterator[Finding]:
    official = {line: number for number, line in enumerate(lines(table.name))}
    order = [official[line] for line in found if line in official]
    if order != sorted(order):
        yield table.finding("ANX204", "rows stand in another order than in the template", "put them in the official order")


def _listed(names: list[str]) -> str:
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")


# --- sheets of indicators ------------------------------------------------------------------------

INDICATED = tuple(name for name, sheet in template().items() if "Indicator" in sheet.headings)


def indicators(table: Table) -> Iterator[Finding]:
    """The official indicators with their scopes; languages and Member States by their codes."""
    if table.name not in INDICATED:
        return
    official = {_key(str(row[table.sheet.column("Indicator")]), _scope(table, row)) for row in table.sheet.rows}
    found: set[tuple[str, str]] = set()
    for record in table.records:
        indicator, scope = table.value(record, "Indicator"), table.value(record, "Scope")
        if _key(indicator, scope) in found and table.name != AUTOMATED and scope not in PLACEHOLDERS:
            name = f"{indicator} / {scope}" if scope else indicator
            yield table.finding("ANX205", f"{name} is there twice", "keep one row of it", record, "Indicator")
        found.add(_key(indicator, scope))
        if indicator not in {name for name, _ in official}:
            yield table.finding("ANX203", f"{indicator!r} is no indicator of the sheet", "use the template's words", record, "Indicator")
        elif "Scope" in table.columns and scope not in PLACEHOLDERS and _key(indicator, scope) not in official:
            yield from _wrong_scope(table, record, scope, official)
    codes = {*places().languages, *places().member_states, *PLACEHOLDERS}
    missing = [f"{indicator} / {scope}" if scope else indicator for indicator, scope in sorted(official - found) if scope not in codes]
    if missing:
        message = f"{len(missing)} official rows are missing: {_listed(missing)}"
        yield table.finding("ANX202", message, "keep every row of the template, blank where it does not apply")


def _key(indicator: str, scope: str) -> tuple[str, str]:
    return indicator.strip(), scope.strip()


def _scope(table: Table, row: tuple[object, ...]) -> str:
    headings_ = [heading.strip() for heading in table.sheet.headings]
    return str(row[headings_.index("Scope")]) if "Scope" in headings_ else ""


def _wrong_scope(table: Table, record: Record, scope: str, official: set[tuple[str, str]]) -> Iterator[Finding]:
    of_sheet = {each for _, each in official}
    if "bg" in of_sheet and scope not in places().languages:
        fix = f"write an official language in two small letters: {', '.join(places().languages)}"
        yield table.finding("ANX701", f"{scope!r} is no scope of the sheet and no official language", fix, record, "Scope")
    elif "AT" in of_sheet and scope not in {*places().member_states, GREECE}:
        yield _no_member_state(table, record, scope)
    elif "bg" not in of_sheet and "AT" not in of_sheet:
        yield table.finding("ANX203", f"{scope!r} is no scope of the indicator", "use the template's words", record, "Scope")


def member_states(table: Table) -> Iterator[Finding]:
    """Orders by Member State."""
    if table.name == ORDERS and "Scope" in table.columns:
        for scope, block in scopes(table).items():
            if scope not in {*places().member_states, GREECE, TOTAL, *PLACEHOLDERS}:
                yield _no_member_state(table, block[0], scope)


def _no_member_state(table: Table, record: Record, scope: str) -> Finding:
    fix = f"write its code in two capital letters: {', '.join(places().member_states)}"
    return table.finding("ANX702", f"{scope!r} is no Member State", fix, record, "Scope")


# --- sheet 2 -------------------------------------------------------------------------------------


def category_names(table: Table) -> Iterator[Finding]:
    """The list of categories is the law's, and complete."""
    if table.name == "2_categories_names":
        heading = table.sheet.headings[2].strip()
        official = [(str(row[0]).strip(), str(row[2]).strip()) for row in table.sheet.rows]
        found = [(table.value(record, "Category label"), table.value(record, heading)) for record in table.records]
        for record, (label, code) in zip(table.records, found, strict=True):
            if (label, code) not in official:
                fix = "take the categories of the template; further ones go into KEYWORD_OTHER rows of the other sheets"
                yield table.finding("ANX203", f"{label} {code} is no official category", fix, record, heading)
        missing = [label for label, code in official if (label, code) not in found]
        if missing:
            message = f"{len(missing)} official rows are missing: {_listed(missing)}"
            yield table.finding("ANX202", message, "keep every row of the template")


CHECKS = (headings, cells, categories, indicators, member_states, category_names)
