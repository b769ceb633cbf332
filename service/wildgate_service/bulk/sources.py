"""Which format a file has, and the file in it."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from wildgate_service.bulk.blocks import Block, Numbered, Place, Source
from wildgate_service.bulk.bytes_of import is_compressed
from wildgate_service.bulk.csv_rows import CsvRows
from wildgate_service.bulk.jsonl import JsonLines
from wildgate_service.bulk.line import InputRow
from wildgate_service.bulk.parquet_rows import ParquetRows
from wildgate_service.errors import WildgateError

FORMATS = ("jsonl", "csv", "parquet")
ENDINGS = {".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}
FIELDS = InputRow.__struct_fields__


def format_of(path: Path) -> str:
    """The format that a file's ending says, else jsonl; `.gz` and `.zst` are looked behind."""
    return ENDINGS.get(Path(path.stem).suffix if is_compressed(path) else path.suffix, "jsonl")


def source_of(path: Path, form: str, columns: Collection[str] = FIELDS) -> Source:
    """The file, opened. `columns` are read of formats that can be read by column. Raises WildgateError if it is not of its format."""
    with _named(path, form):
        found = JsonLines(path) if form == "jsonl" else CsvRows(path) if form == "csv" else ParquetRows(path, columns)
        return _Named(path, form, found)


class _Named:
    """A source whose errors name the file."""

    def __init__(self, path: Path, form: str, source: Source) -> None:
        self._path, self._form, self._source = path, form, source
        self.size = source.size

    def blocks(self, start: Place) -> Iterator[Block]:
        with _named(self._path, self._form):
            yield from self._source.blocks(start)

    def rows(self, block: Block) -> Iterator[Numbered]:
        with _named(self._path, self._form):
            yield from self._source.rows(block)


@contextmanager
def _named(path: Path, form: str) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, ValueError, csv.Error, zlib.error) as error:
        raise WildgateError(f"{path} cannot be read as {form}: {error}") from error


def rows_of(path: Path, form: str) -> Iterator[Numbered]:
    """Every listing of a file as JSON, read in this process. Raises WildgateError if the file is not of its format."""
    source = source_of(path, form)
    for block in source.blocks(Place()):
        yield from source.rows(block)
