"""Read outcomes from a file: JSON Lines, or CSV with a header, a line an outcome.

Columns are the fields of `OutcomeRow`. In CSV an empty cell is a field not said, and lists (`restrictions`, `territories`) are parted by
blanks. A line without `outcome_id` gets one made from what it says, so that the same file read again records nothing twice.
"""

from __future__ import annotations

import csv
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct, structs

from wildgate_service.errors import WildgateError
from wildgate_service.outcomes import AccountType, Ground, Means, Misuse, NoticeSource, Outcome, OutcomeKind, Restriction, wrong_fields

NAMESPACE = uuid.UUID("5b6dd0c3-6f1c-5d57-9d0c-6d2f0a3c6f10")  # of outcome ids made from lines
CSV_SUFFIX = ".csv"
LISTS = ("restrictions", "territories")
IDS = ("outcome_id", "decision_id", "request_id", "corrects")
Given = TypeVar("Given")
Time = Annotated[datetime, Meta(tz=True)]


class OutcomeFileError(WildgateError):
    """A line of a file of outcomes that cannot be one; says which, what is wrong and what would be right."""


class OutcomeRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line: an outcome without its tenant. Times are ISO 8601 with a time zone."""

    kind: OutcomeKind
    occurred_time: Time
    outcome_id: str = ""
    decision_id: str = ""
    request_id: str = ""
    means: Means = Means.UNKNOWN
    notice_source: NoticeSource = NoticeSource.NONE
    restrictions: tuple[Restriction, ...] = ()
    ground: Ground = Ground.UNKNOWN
    corrects: str = ""
    reference: str = ""
    items: int = 1
    misuse: Misuse = Misuse.NONE
    authority: str = ""
    restricted_until: Time | None = None
    account_type: AccountType = AccountType.UNKNOWN
    territories: tuple[str, ...] = ()
    taxon_group: str = ""


def read_outcomes(file: Path, *, tenant: str, now: datetime) -> Iterator[Outcome]:
    """The outcomes of a file, in order. Raises OutcomeFileError at the first line that cannot be one, OSError if there is no file."""
    number = 0
    try:
        for number, row in _rows(file):  # noqa: B007  (errors name it)
            yield _outcome(row, tenant, now)
    except UnicodeDecodeError as error:  # read ahead, so that its line is not known
        raise OutcomeFileError(f"{file}, after line {number}: not UTF-8 ({error.reason}); save it as UTF-8") from error
    except (ValueError, RecursionError, csv.Error) as error:
        raise OutcomeFileError(f"{file}, line {number}: {error}") from error


def _outcome(row: OutcomeRow | ValueError, tenant: str, now: datetime) -> Outcome:
    if isinstance(row, ValueError):
        raise row
    ids = {name: _as_uuid(name, getattr(row, name)) for name in IDS}
    if bool(row.decision_id) == bool(row.request_id):
        raise ValueError("give either decision_id or request_id")
    ids["outcome_id"] = ids["outcome_id"] or str(uuid.uuid5(NAMESPACE, f"{tenant}\0{msgspec.json.encode(row).decode()}"))
    outcome = Outcome(**{**structs.asdict(row), **ids}, tenant=tenant, recorded_time=now)
    if wrong := ", ".join(wrong_fields(outcome)):
        raise ValueError(f"{wrong}: not what an outcome of the kind {outcome.kind} may say; the fields are described in docs/outcomes.md")
    return outcome


def _as_uuid(name: str, text: str) -> str:
    try:
        return str(uuid.UUID(text)) if text else ""
    except ValueError as error:
        raise ValueError(f"{name} {text!r} is no UUID") from error


def _rows(file: Path) -> Iterator[tuple[int, OutcomeRow | ValueError]]:
    """Line numbers and rows, or what is wrong with one."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        if file.suffix.lower() == CSV_SUFFIX:
            table = csv.DictReader(lines, strict=True)
            for cells in table:
                yield table.line_num, _tried(_from_cells, cells)
        else:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, _tried(_from_json, line)


def _tried(read: Callable[[Given], OutcomeRow], given: Given) -> OutcomeRow | ValueError:
    try:
        return read(given)
    except ValueError as error:
        return error


def _from_json(line: str) -> OutcomeRow:
    return msgspec.json.decode(line, type=OutcomeRow)


def _from_cells(cells: dict[str, str]) -> OutcomeRow:
    if None in cells:
        raise ValueError("it has more cells than the header")
    said = {name: cell.split() if name in LISTS else cell for name, cell in cells.items() if cell}
    return msgspec.convert(said, OutcomeRow, strict=False)
