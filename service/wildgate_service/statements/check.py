"""Check a statement of reasons against the database's rules. Pure: a statement in, what is wrong with it out.

The checker is stricter than the database where its documentation is, or where the database would drop something without a word: such
findings are not `refused`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from urllib.parse import urlsplit

from msgspec import Struct

from wildgate_service.statements.schema import EAN, END_DATES, RESTRICTIONS, Field, fields

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
EAN_13 = re.compile(r"[0-9]{13}")
NULL = "null"

Statement = Mapping[str, object]


class Wrong(Struct, frozen=True):
    """What is wrong with a field; `refused` if the database would refuse the statement for it, else it says or means something else."""

    field: str
    message: str
    refused: bool = True

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def check(statement: Statement) -> list[Wrong]:
    """Everything that is wrong with a statement, in the order of the fields; [] if it can be sent."""
    return [*_known(statement), *(wrong for field in fields().values() for wrong in _of_field(field, statement)), *_documented(statement)]


def counts(field: Field, statement: Statement) -> bool:
    """Whether the database reads the field in this statement at all."""
    return all(_holds(statement, *each) for each in field.only_with.items()) and not (
        field.not_with and all(_holds(statement, *each) for each in field.not_with.items())
    )


def _known(statement: Statement) -> Iterator[Wrong]:
    for name in statement:
        if name not in fields():
            yield Wrong(name, "is no field of a statement and would be dropped", refused=False)


def _of_field(field: Field, statement: Statement) -> Iterator[Wrong]:
    value = statement.get(field.name)
    if not counts(field, statement):
        if value is not None:
            yield Wrong(field.name, f"would be dropped: it counts {_condition(field)}", refused=False)
    elif value is None or value in ("", []):
        yield from _nothing(field, statement, value)
    else:
        yield from check_field(field, value)


def _nothing(field: Field, statement: Statement, value: object) -> Iterator[Wrong]:
    """A field that says nothing: missing, null or empty."""
    if field.required == "restriction":
        if all(statement.get(name) in (None, "", []) for name in RESTRICTIONS):
            yield Wrong(field.name, f"is required when no other of {', '.join(RESTRICTIONS)} is there")
    elif field.required == "with":
        yield Wrong(field.name, f"is required {_condition(field)}")
    elif field.required:
        yield Wrong(field.name, "is required")
    elif field.name in statement and value is None and not field.nullable:
        yield Wrong(field.name, "may be left out but not be null")


def check_field(field: Field, value: object) -> Iterator[Wrong]:
    """What is wrong with something that was said, whatever else the statement says."""
    if field.kind == "values":
        yield from _values(field, value)
    elif field.kind == "content_id":
        yield from _content_id(field, value)
    elif not isinstance(value, str):
        yield Wrong(field.name, "must be text")
    elif field.kind == "value":
        yield from _one(field, value)
    elif field.kind == "day":
        yield from _day(field, value)
    else:
        yield from _text(field, value)


def _values(field: Field, value: object) -> Iterator[Wrong]:
    if not isinstance(value, list):
        yield Wrong(field.name, "must be a list")
        return
    for each in value:
        yield from _one(field, each)


def _one(field: Field, value: object) -> Iterator[Wrong]:
    if value == NULL and field.null_text:
        yield Wrong(field.name, "is the text null, which the database takes for a value; leave the field out", refused=False)
    elif not isinstance(value, str) or value not in field.allowed:
        yield Wrong(field.name, f"{value!r:.80} is not one of the {len(field.allowed)} values that it may have")


def _day(field: Field, value: str) -> Iterator[Wrong]:
    try:
        found = date.fromisoformat(value) if DAY.fullmatch(value) else None
    except ValueError:
        found = None
    if found is None:
        yield Wrong(field.name, f"{value!r:.80} is no day like 2026-03-31")
    elif field.earliest and value < field.earliest:
        yield Wrong(field.name, f"{value} is before {field.earliest}")
    elif value > field.latest:
        yield Wrong(field.name, f"{value} is after {field.latest}")


def _text(field: Field, value: str) -> Iterator[Wrong]:
    if field.longest and len(value) > field.longest:
        yield Wrong(field.name, f"has {len(value):,} characters, {len(value) - field.longest:,} too many")
    if field.pattern and not re.fullmatch(field.pattern, value):
        yield Wrong(field.name, f"does not match {field.pattern}")
    if field.kind == "link" and not _is_link(value):
        yield Wrong(field.name, "is no address that begins with https:// or http://")


def _is_link(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(map(str.isspace, value))


def _content_id(field: Field, value: object) -> Iterator[Wrong]:
    if not isinstance(value, dict):
        yield Wrong(field.name, "must be an object")
        return
    for key, each in value.items():
        if key != EAN:
            yield Wrong(field.name, f"may hold {EAN} alone")
        elif not (isinstance(each, str) and EAN_13.fullmatch(each)):
            yield Wrong(field.name, f"{EAN} must be 13 digits")


def _documented(statement: Statement) -> Iterator[Wrong]:
    """What the documentation asks for and the database does not check."""
    if not statement.get("territorial_scope"):
        yield Wrong("territorial_scope", "is required by the documentation", refused=False)
    begin = statement.get("application_date")
    for name in END_DATES:
        end = statement.get(name)
        if isinstance(begin, str) and isinstance(end, str) and DAY.fullmatch(end) and end < begin:
            yield Wrong(name, f"{end} is before the application_date {begin}", refused=False)


def _holds(statement: Statement, name: str, value: str) -> bool:
    said = statement.get(name)
    return value in said if isinstance(said, list) else said == value


def _condition(field: Field) -> str:
    """When a field counts, in words."""
    only = [f"with {name} {value}" for name, value in field.only_with.items()]
    never = [f"without {name} {value}" for name, value in field.not_with.items()]
    return " and ".join((*only, *never))
