"""Statements as files: for every day one of those that can be sent, one of those that are incomplete and one of what was left out.

A day's files hold all of that day and are replaced whole, so that exporting a day again gives the same bytes and leaves nothing old behind.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from wildgate_service.errors import WildgateError
from wildgate_service.statements.make import Complete, Incomplete, LeftOut, Made

COMPLETE, INCOMPLETE, LEFT_OUT = "statements", "incomplete", "left-out"
NAMES: dict[type[Made], str] = {Complete: COMPLETE, Incomplete: INCOMPLETE, LeftOut: LEFT_OUT}


class Sendable(Struct, frozen=True):
    """A statement of a file; `digest` is the SHA-256 of its canonical JSON, which tells whether it changed since it was sent."""

    puid: str
    digest: str
    statement: dict[str, Any]


def write_days(made: Iterable[Made], start: date, end: date, folder: Path) -> dict[str, int]:
    """Write the files of every day from `start` to `end`, both included; how many lines of each name. Raises WildgateError."""
    lines: dict[tuple[date, str], list[bytes]] = defaultdict(list)
    counts = dict.fromkeys(NAMES.values(), 0)
    for each in made:
        name = NAMES[type(each)]
        lines[each.day, name].append(_line(each))
        counts[name] += 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for day in (start + timedelta(days=number) for number in range((end - start).days + 1)):
            for name in counts:
                _replace(folder / f"{name}-{day}.jsonl", b"".join(sorted(lines[day, name])))
    except OSError as error:
        raise WildgateError(f"{folder} cannot be written: {error.strerror}") from error
    return counts


def read_days(folder: Path) -> Iterator[Sendable]:
    """The statements of all days that lie in a folder, the oldest first. Raises WildgateError at a line that is none."""
    for file in sorted(folder.glob(f"{COMPLETE}-*.jsonl")):
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield _sendable(line, f"{file}, line {number}")


def _line(made: Made) -> bytes:
    if isinstance(made, Complete):
        return msgspec.json.encode(made.statement) + b"\n"
    if isinstance(made, Incomplete):
        wrong = [{"field": each.field, "problem": each.message} for each in made.wrong]
        return msgspec.json.encode({"outcome_id": made.outcome_id, "incomplete": wrong}) + b"\n"
    return msgspec.json.encode({"outcome_id": made.outcome_id, "left_out": made.reason}) + b"\n"


def _replace(file: Path, content: bytes) -> None:
    """Put the content in the file's place in one step; no file stands for no line."""
    if not content:
        with suppress(FileNotFoundError):
            file.unlink()
        return
    new = file.with_name(f"{file.name}.new")
    with new.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)


def _sendable(line: bytes, place: str) -> Sendable:
    try:
        statement = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WildgateError(f"{place}: no JSON object: export the day again ({error})") from error
    puid = statement.get("puid")
    if not isinstance(puid, str) or not puid:
        raise WildgateError(f"{place}: a statement without a puid could be sent twice; export the day again")
    return Sendable(puid, hashlib.sha256(msgspec.json.encode(statement, order="sorted")).hexdigest(), statement)
