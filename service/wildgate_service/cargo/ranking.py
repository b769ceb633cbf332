"""A CSV of bookings into a CSV of the same bookings in the order of risk.

Bookings are scored by the machinery of bulk runs, on all cores and resumable; its answers, each a line that begins with what it sorts
by, are what is on disk until all are there. Then they are sorted on disk and written with their ranks. Every row of the input is in
the output once: what cannot be read stands at the end with its line and what is wrong.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from wildgate_service.bulk import Block, Place, Run, carry_out, identity_of, say, versions_of
from wildgate_service.bulk.answers import Form
from wildgate_service.bulk.blocks import Numbered
from wildgate_service.bulk.bytes_of import is_compressed
from wildgate_service.bulk.csv_rows import CsvRows
from wildgate_service.bulk.journal import Journal
from wildgate_service.cargo.columns import columns_of
from wildgate_service.cargo.patterns import risk_of, why
from wildgate_service.cargo.sorting import in_order
from wildgate_service.cargo.transcoding import in_utf_8
from wildgate_service.errors import InvalidListingError, WildgateError
from wildgate_service.pipeline import Engine, decide_on, weigh
from wildgate_service.types import Action, Attribute, ContentKind, Listing

ADDED = ("risk_rank", "high_risk", "risk", "why", "action", "score", "line", "error")
NOT_ATTRIBUTES = ("id", "description", "market", "language")
LAST = 10**9  # where rows sort that could not be read, in thousandths of a point under no risk
RANKED = ".ranked"


class Ranked(Struct, omit_defaults=True):
    """What became of one row; `cells` are those of the input."""

    line: int
    cells: list[str]
    risk: float = 0.0
    score: float = 0.0
    action: Action = Action.ALLOW
    why: str = ""
    error: str | None = None


class Reading(Struct, frozen=True):
    """How to read the file: `columns` are headers by field where they are not known ones; "" is found out."""

    columns: Mapping[str, str] = {}
    encoding: str = "utf-8"
    delimiter: str = ""
    quotes: bool = True


class Total(Struct):
    """What a run came to: rows ranked, those of high risk, the least risk among these, others with as much, and rows not read."""

    ranked: int = 0
    high: int = 0
    least: float = 0.0
    beside: int = 0
    failed: int = 0


def rank_file(
    source: Path, output: Path, share: float, run: Run, reading: Reading, progress: IO[str] | None = None, *, restart: bool = False
) -> Total:
    """Rank a file of bookings; `share` of them (0 to 1, rounded up), if they have any risk, are of high risk.

    Raises WildgateError if a file or the engine cannot be used, or an earlier run of the output was with something else.
    """
    total = Total()
    with in_utf_8(source, output, reading.encoding) as readable:
        given = BookingRows(readable, reading)
        engine = run.engine()
        columns = columns_of(given.columns, reading.columns)
        say("reads " + ", ".join(f"{field} from “{given.columns[index]}”" for field, index in columns.items()))
        told = f"{columns} as {reading.encoding}, {reading.delimiter or 'any delimiter'}, {'with' if reading.quotes else 'without'} quotes"
        made_from = {
            "input": identity_of(source),
            "columns": told,
            "patterns": engine.cargo.patterns.version,
            "share": str(share),
            **versions_of(engine, run),
        }
        written = Form(b"", _as_lines, partial(_finish, headers=given.columns, share=share, total=total))
        with Journal(output, written, made_from, restart=restart) as journal:
            score = partial(rank_row, engine, columns, len(given.columns))
            carry_out(given, journal, written.encode, score, run.workers, progress, compressed=is_compressed(readable))
    return total


class BookingRows(CsvRows):
    """A CSV of bookings; a row is the JSON of all its cells."""

    def __init__(self, path: Path, reading: Reading) -> None:
        try:
            super().__init__(path, reading.delimiter, quotes=reading.quotes)
        except (OSError, EOFError, csv.Error) as error:
            raise WildgateError(f"{path} cannot be read as CSV: {error}") from error

    def blocks(self, start: Place) -> Iterator[Block]:
        """As any CSV, with errors that say what helps."""
        try:
            yield from super().blocks(start)
        except (OSError, EOFError, csv.Error) as error:
            raise WildgateError(f"the bookings cannot be read as CSV: {error}; try --no-quotes if a quote is left open") from error

    def rows(self, block: Block) -> Iterator[Numbered]:
        """The rows of a block with their numbers. Bytes that are no UTF-8 are shown as U+DCxx escapes, and refused by who reads the row."""
        for line, cells in self.cells(block):
            yield line, msgspec.json.encode([cell.encode("utf-8", "backslashreplace").decode() for cell in cells])


def rank_row(engine: Engine, columns: Mapping[str, int], width: int, line: int | None, text: bytes, today: datetime | None = None) -> bytes:
    """One row, the JSON of its cells, into what became of it."""
    ranked = Ranked(line or 0, msgspec.json.decode(text, type=list[str]))
    try:
        listing = _booking(ranked.cells, columns, width, today)
        weighed = weigh(engine, listing)
        decision = decide_on(weighed, engine, engine.policy, tenant="")
    except InvalidListingError as error:
        ranked.error = str(error)
        return msgspec.json.encode(ranked)
    ranked.score, ranked.action = decision.score, decision.shadow_action
    ranked.risk = risk_of(weighed.patterns, decision, engine.cargo.patterns.text)
    named = decision.reason.partition(" Risk ")[0] if decision.shadow_action is not Action.ALLOW else ""
    ranked.why = " ".join(part for part in (named, why(weighed.patterns)) if part)
    return msgspec.json.encode(ranked)


def _booking(cells: list[str], columns: Mapping[str, int], width: int, today: datetime | None) -> Listing:
    if len(cells) != width:
        message = f"the row has {len(cells)} cells, the header {width}"
        raise InvalidListingError(message, reason="FIELD_INVALID", field="row")
    told = {field: cells[index].strip() for field, index in columns.items()}
    if any("\\udc" in value for value in told.values()):
        raise InvalidListingError("not UTF-8; say what it is with --encoding", reason="FIELD_INVALID", field="row")
    return Listing(
        id=told.get("id", ""),
        description=told["description"],
        content_kind=ContentKind.CARGO_BOOKING,
        attributes=tuple(Attribute(name, value) for name, value in told.items() if value and name not in NOT_ATTRIBUTES),
        language=told.get("language", ""),
        market=told.get("market", ""),
        posted_time=today,
    )


def _as_lines(answers: list[bytes]) -> bytes:
    """Answers behind the keys that they sort by: the highest risk first, then as in the input, what was not read last."""
    return b"".join(b"%s\t%s\n" % (_key(msgspec.json.decode(answer, type=Ranked)), answer) for answer in answers)


def _key(ranked: Ranked) -> bytes:
    under = LAST if ranked.error is not None else LAST - 1 - round(ranked.risk * 1000)
    return b"%010d%012d" % (under, ranked.line)


def _finish(scored: Path, *, headers: list[str], share: float, total: Total) -> Path:
    """Write the answers in their order beside where they lie."""
    made = scored.with_name(scored.name + RANKED)
    with scored.open("rb") as lines:
        ranked = sum(int(line[:10]) < LAST for line in lines)
    most = math.ceil(share * ranked)
    is_compressed_too = ".gz" in scored.suffixes
    with in_order(scored) as lines, gzip.open(made, "wb") if is_compressed_too else made.open("wb") as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow([*_added(headers), *headers])
        for rank, line in enumerate(lines, 1):
            writer.writerow(_row(rank, msgspec.json.decode(line.partition(b"\t")[2], type=Ranked), most, len(headers), total))
        text.flush()
    return made


def _added(headers: list[str]) -> list[str]:
    """The columns that are added, under names that the file has not."""
    return [name if name not in headers else f"wildgate_{name}" for name in ADDED]


def _row(rank: int, ranked: Ranked, most: int, width: int, total: Total) -> list[object]:
    """A row of the output, counted."""
    cells, rest = ranked.cells[:width], ranked.cells[width:]
    cells += [""] * (width - len(cells))
    if ranked.error is not None:
        total.failed += 1
        behind = f"; behind them: {' | '.join(rest)}" if rest else ""
        return ["", "", "", "", "", "", ranked.line, ranked.error + behind, *cells]
    high = rank <= most and ranked.risk > 0
    total.ranked += 1
    total.high += high
    if high:
        total.least = ranked.risk
    total.beside += not high and ranked.risk > 0 and ranked.risk == total.least
    return [rank, "yes" if high else "no", f"{ranked.risk:g}", ranked.why, ranked.action, f"{ranked.score:.3f}", ranked.line, "", *cells]
