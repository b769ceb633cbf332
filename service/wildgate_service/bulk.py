"""Files of listings into files of decisions, in the same order, by one process or several.

A line that cannot be read becomes `{"id"?, "line", "error"}` and the rest go on.
"""

from __future__ import annotations

import codecs
import csv
import itertools
import json
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec
from msgspec import Struct

from wildgate_service.answer_files import parquet, writer_of
from wildgate_service.errors import InvalidListingError, WildgateError
from wildgate_service.local import local_engine
from wildgate_service.pipeline import Engine, score_listing
from wildgate_service.restricted import without_words
from wildgate_service.tags import language_tag, market_code
from wildgate_service.types import Attribute, ContentKind, Decision, Listing

FORMATS = ("jsonl", "csv", "parquet")
CHUNK = 500
WINDOW = 4  # chunks a process may be ahead
MOST_CELL = 1 << 30  # characters of a CSV cell; what is too long for a field is said of its line, not of the file
FAILED = b'"error":'  # quotes inside a text are escaped, so that this is the key

Numbered = tuple[int, bytes]  # line number from 1, and one JSON object
Score = Callable[[int, bytes], bytes]  # line number from 1 and one JSON object in, one JSON object out
Attributes = dict[str, str | None] | list[Attribute | str] | None


class InputRow(Struct, kw_only=True):
    """One line of input. `attributes` is a mapping (null: no such attribute), a list of {"name", "value"}, or a list of texts."""

    id: str | int | None = None
    title: str | None = None
    description: str | None = None
    kind: ContentKind = ContentKind.LISTING
    language: str | None = None
    market: str | None = None
    category: str | None = None
    attributes: Attributes = None
    posted_time: str | None = None


class _Identified(Struct):
    """What can still be read of an object that is otherwise no listing."""

    id: str | int | None = None


class Job(Protocol):
    """What a process does with lines, as plain data that can be sent to it."""

    def open(self) -> Score:
        """Load what is needed, once in each process. Raises WildgateError."""


class Run(Struct, frozen=True):
    """What to score with, and in how many processes."""

    lexicons: Path | None
    policy: Path | None
    workers: int
    packs: tuple[Path, ...] | None = None

    def open(self) -> Score:
        """The engine, scoring."""
        return partial(score_line, local_engine(self.lexicons, self.policy, self.packs))


def score_file(source: Path, output: Path, form: str, run: Run, progress: IO[str] | None = None) -> int:
    """Score a file; returns the number of lines that failed. Raises WildgateError if a file or the engine cannot be used."""
    failed = done = 0
    with writer_of(output, form) as write:
        for answered in answers(chunks(rows_of(source, form)), run, run.workers):
            for answer in answered:
                failed += FAILED in answer
                write(answer)
            done += len(answered)
            if progress:
                progress.write(f"\r{done:,} listings, {failed:,} failed")
                progress.flush()
    if progress:
        progress.write("\n")
    return failed


def decision_json(decision: Decision, listing_id: str | int | None) -> dict[str, Any]:
    """A decision as one line of output, which may travel: without the words of restricted rules."""
    return {
        "id": listing_id,
        "action": decision.action,
        "score": decision.score,
        "language": decision.language,
        "taxa": [{"group": taxon.group, "scientific_name": taxon.scientific_name, "appendix": taxon.appendix} for taxon in decision.taxa],
        "matches": [
            {
                "rule_id": match.rule_id,
                "kind": match.kind,
                "form": match.form,
                "surface": match.surface,
                "field": match.field,
                "start": match.start,
                "end": match.end,
                "views": match.views,
            }
            for match in without_words(decision.matches)
        ],
        "evidence": [{"name": evidence.name, "weight": evidence.weight} for evidence in decision.evidence],
        "reason": decision.reason,
        "notice": decision.notice,
        "lexicon_version": decision.versions.lexicon,
        "model_version": decision.versions.model,
        "policy_version": decision.versions.policy,
        **({"degraded": list(decision.degraded_reasons)} if decision.degraded_reasons else {}),
    }


def score_line(engine: Engine, line: int, text: bytes) -> bytes:
    """One JSON object in, one out."""
    try:
        row = msgspec.json.decode(text, type=InputRow)
        return msgspec.json.encode(decision_json(score_listing(engine, listing_of(row)), row.id))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidListingError) as error:
        return failure_of(error, line, text)


def failure_of(error: Exception, line: int, text: bytes) -> bytes:
    """The answer to a line that is no listing: its id, if it can be found, its number and what is wrong."""
    listing_id = None if isinstance(error, UnicodeDecodeError | RecursionError) else _id_of(text)
    return msgspec.json.encode({**({} if listing_id is None else {"id": listing_id}), "line": line, "error": _said(error)})


def _said(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, RecursionError):
        return "not a listing: nested too deeply"
    return f"not a listing: {error}" if isinstance(error, msgspec.DecodeError) else str(error)


def listing_of(row: InputRow) -> Listing:
    """A line of input as the listing it stands for."""
    return Listing(
        id=str(row.id if row.id is not None else ""),
        title=row.title or "",
        description=row.description or "",
        attributes=tuple(_attributes(row.attributes)),
        content_kind=row.kind,
        category=row.category or "",
        language=language_tag(row.language or ""),
        market=market_code(row.market or ""),
        posted_time=_time_of(row.posted_time),
    )


def _time_of(text: str | None) -> datetime | None:
    """A day or time in ISO 8601, in UTC if it says no zone."""
    if not text:
        return None
    try:
        posted = datetime.fromisoformat(text)
    except ValueError:
        message = f"posted_time {text[:40]!r} is no ISO 8601 time such as 2026-03-31 or 2026-03-31T12:00:00Z"
        raise InvalidListingError(message, reason="FIELD_INVALID", field="posted_time") from None
    return posted if posted.tzinfo else posted.replace(tzinfo=UTC)


def _attributes(given: Attributes) -> Iterator[Attribute]:
    if isinstance(given, dict):
        yield from (Attribute(name, value) for name, value in given.items() if value is not None)
    for item in given if isinstance(given, list) else ():
        yield Attribute("", item) if isinstance(item, str) else item


def _id_of(text: bytes) -> str | int | None:
    """The id of an object that is otherwise no listing, if it can be found."""
    try:
        return msgspec.json.decode(text, type=_Identified).id
    except (ValueError, RecursionError):
        return None


def rows_of(source: Path, form: str) -> Iterator[Numbered]:
    """Every listing of a file as JSON; blank lines of JSONL are passed over. Raises WildgateError if the file is not of its format."""
    read = {"jsonl": _jsonl_rows, "csv": _csv_rows, "parquet": _parquet_rows}[form]
    try:
        yield from read(source)
    except (OSError, ValueError, csv.Error) as error:
        raise WildgateError(f"{source} cannot be read as {form}: {error}") from error


def _jsonl_rows(source: Path) -> Iterator[Numbered]:
    with source.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if text.strip():
                yield number, text


def _csv_rows(source: Path) -> Iterator[Numbered]:
    csv.field_size_limit(MOST_CELL)
    with source.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.DictReader(file)
        yield from ((reader.line_num, _csv_row(row)) for row in reader)


def _parquet_rows(source: Path) -> Iterator[Numbered]:
    batches = parquet().ParquetFile(source).iter_batches(CHUNK)
    rows = (row for batch in batches for row in batch.to_pylist(maps_as_pydicts="lossy"))
    yield from ((number, msgspec.json.encode(row)) for number, row in enumerate(rows, 1))


def _csv_row(row: dict[str, Any]) -> bytes:
    """One CSV row as JSON; empty cells are left out, a cell `attributes` may hold JSON."""
    kept = {key: value for key, value in row.items() if key and value}
    if "attributes" in kept:
        kept["attributes"] = _csv_attributes(kept["attributes"])
    return json.dumps(kept, ensure_ascii=False).encode("utf-8", "surrogatepass")  # refused later, as a line that is not UTF-8


def _csv_attributes(cell: str) -> Any:  # noqa: ANN401  (whatever the cell holds)
    """JSON, or the whole cell as one text."""
    try:
        loaded = json.loads(cell)
    except (ValueError, RecursionError):
        return [cell]
    return loaded if isinstance(loaded, dict | list) else [cell]


def chunks(rows: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """The rows, some hundreds at a time."""
    iterator = iter(rows)
    while chunk := list(itertools.islice(iterator, CHUNK)):
        yield chunk


def answers(chunks: Iterable[list[Numbered]], job: Job, workers: int) -> Iterator[list[bytes]]:
    """Answers chunk by chunk in the order of the input. Raises WildgateError if the job cannot be opened, or a process dies."""
    score = job.open()  # here too, so that a broken lexicon or policy is one error and not one per process
    if workers == 1:
        yield from ([score(*row) for row in chunk] for chunk in chunks)
        return
    del score
    context = multiprocessing.get_context("spawn")
    waiting: deque[Future[list[bytes]]] = deque()
    try:
        with ProcessPoolExecutor(workers, context, _start, (job,)) as pool:
            for chunk in chunks:
                waiting.append(pool.submit(_score_chunk, chunk))
                if len(waiting) > WINDOW * workers:  # so that a file larger than memory is read as it is scored
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise WildgateError("a scoring process died, perhaps killed for its memory; try fewer --workers") from error


_score: Score


def _start(job: Job) -> None:
    global _score  # noqa: PLW0603  (one engine per process of the pool)
    _score = job.open()


def _score_chunk(chunk: list[Numbered]) -> list[bytes]:
    return [_score(*row) for row in chunk]
