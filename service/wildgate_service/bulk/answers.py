"""Answers as JSONL, CSV or Parquet, block by block, so that what is on disk can be gone on from."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

from wildgate_service.bulk.bytes_of import arrow, compressed

NUMBERS = {"score": "float64", "line": "int64"}  # the other columns are strings
GROUP_ROWS = 100_000  # of a row group of Parquet
PARQUET_BEGUN = ".writing"


class Flat(Struct, kw_only=True):
    """An answer by columns; what is nested stays JSON."""

    id: str | int | None = None
    action: str | None = None
    score: float | None = None
    language: str | None = None
    taxa: Raw = Raw()
    matches: Raw = Raw()
    evidence: Raw = Raw()
    reason: str | None = None
    notice: str | None = None
    lexicon_version: str | None = None
    model_version: str | None = None
    policy_version: str | None = None
    degraded: Raw = Raw()
    line: int | None = None
    error: str | None = None

    def cells(self) -> Iterator[str | int | float | None]:
        """In the order of the columns."""
        for name in COLUMNS:
            cell = getattr(self, name)
            yield (bytes(cell).decode() or None) if isinstance(cell, Raw) else cell


COLUMNS = Flat.__struct_fields__
Encode = Callable[[list[bytes]], bytes]


class Form(Struct, frozen=True):
    """What stands before all, the bytes of some, and what makes the file that is wanted of all that was written."""

    head: bytes
    encode: Encode
    finish: Callable[[Path], Path] = lambda written: written


def form_of(name: str, output: Path) -> Form:
    """The form of a file of answers; JSONL and CSV are compressed if its ending says so."""
    if name == "parquet":
        arrow()  # says what is missing
        return Form(b"", _as_arrow, _arrow_to_parquet)
    encode = _as_csv if name == "csv" else _as_lines
    head = compressed(_csv([COLUMNS]), output.suffix) if name == "csv" else b""
    return Form(head, lambda answers: compressed(encode(answers), output.suffix))


def _as_lines(answers: list[bytes]) -> bytes:
    return b"".join(answer + b"\n" for answer in answers)


def _as_csv(answers: list[bytes]) -> bytes:
    """Rows; what is nested stands as JSON in its cell."""
    return _csv(msgspec.json.decode(answer, type=Flat).cells() for answer in answers)


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def answers_schema() -> Any:  # noqa: ANN401  (pyarrow has no types)
    """The columns in Arrow."""
    pa = arrow()
    return pa.schema([(name, getattr(pa, NUMBERS.get(name, "string"))()) for name in COLUMNS])


def answers_batch(answers: list[bytes]) -> Any:  # noqa: ANN401
    """Answers as a record batch of that schema; ids are texts in it."""
    flat = [msgspec.json.decode(answer, type=Flat) for answer in answers]
    for each in flat:
        each.id = None if each.id is None else str(each.id)
    columns = list(zip(*(each.cells() for each in flat), strict=True)) or [()] * len(COLUMNS)
    pa, schema = arrow(), answers_schema()
    return pa.record_batch([pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)], schema)


def _as_arrow(answers: list[bytes]) -> bytes:
    """A whole Arrow stream. Parquet itself could not be gone on with, for its index stands at its end."""
    pa, sink = arrow(), io.BytesIO()
    with pa.ipc.new_stream(sink, answers_schema(), options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
        stream.write_batch(answers_batch(answers))
    return sink.getvalue()


def _arrow_to_parquet(path: Path) -> Path:
    """Write a file of such streams as Parquet beside it."""
    from pyarrow import parquet  # noqa: PLC0415  (an extra)

    pa, made = arrow(), path.with_name(path.name + PARQUET_BEGUN)
    with parquet.ParquetWriter(made, answers_schema()) as writer:
        waiting: list[Any] = []
        for batch in _batches(path):
            waiting.append(batch)
            if sum(each.num_rows for each in waiting) >= GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting.clear()
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))
    return made


def _batches(path: Path) -> Iterator[Any]:
    """The batches of Arrow streams that stand one behind another."""
    pa = arrow()
    with pa.OSFile(str(path)) as file:
        while file.tell() < file.size():
            yield from pa.ipc.open_stream(file)
