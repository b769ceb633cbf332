"""Files of answers: JSONL, CSV or Parquet, whole or not there."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from wildgate_service.errors import WildgateError

COLUMNS = ("id", "action", "score", "language", "taxa", "matches", "evidence", "reason", "notice", "lexicon_version", "model_version",
           "policy_version", "degraded", "line", "error")  # fmt: skip
NESTED = frozenset({"taxa", "matches", "evidence", "degraded"})

Write = Callable[[bytes], object]


@contextmanager
def writer_of(output: Path, form: str) -> Iterator[Any]:
    """A function that writes one answer; the file appears whole or, if something fails, not at all."""
    output = output.resolve()  # what a link points at is written, not the link
    if output.exists() and not output.is_file():
        raise WildgateError(f"{output} is no regular file and would be replaced by one; name a file to write")
    partial = output.with_name(f".{output.name}.partial")
    try:
        if form == "parquet":
            answers: list[bytes] = []
            yield answers.append
            _write_parquet(partial, answers)
        else:
            with partial.open("wb") as file:
                yield _csv_writer(file) if form == "csv" else lambda answer: file.write(answer + b"\n")
        partial.replace(output)
    except OSError as error:
        raise WildgateError(f"{output} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def _csv_writer(file: IO[bytes]) -> Write:
    """Writes answers as CSV rows; what is nested stands as JSON in its cell."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    rows = csv.writer(text)
    rows.writerow(COLUMNS)

    def write(answer: bytes) -> None:
        rows.writerow(_flat(answer).values())

    return write


def _flat(answer: bytes) -> dict[str, Any]:
    loaded = msgspec.json.decode(answer)
    flat = {name: loaded.get(name) for name in COLUMNS}
    return flat | {name: json.dumps(flat[name], ensure_ascii=False) for name in NESTED if flat[name] is not None}


def _write_parquet(path: Path, answers: list[bytes]) -> None:
    import pyarrow as pa  # noqa: PLC0415  (an extra)

    rows = [{key: str(value) if key == "id" and value is not None else value for key, value in _flat(answer).items()} for answer in answers]
    types = {"score": pa.float64(), "line": pa.int64()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    parquet().write_table(pa.Table.from_pylist(rows, schema), path)


def parquet() -> Any:  # noqa: ANN401  (a module without types)
    """`pyarrow.parquet`, or a clear error."""
    try:
        from pyarrow import parquet as module  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise WildgateError("parquet needs the extra: pip install 'wildgate-service[parquet]'") from error
    return module
