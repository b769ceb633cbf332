"""Parquet as blocks: rows of a row group, of which only the columns that are asked for are read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import msgspec

from wildgate_service.bulk import blocks as sizes
from wildgate_service.bulk.blocks import Block, Numbered, Place
from wildgate_service.bulk.bytes_of import arrow


class ParquetRows:
    """One row a listing. Blocks are handed out in order, so a process that has read one goes on from there to the next it is given."""

    def __init__(self, path: Path, columns: Collection[str]) -> None:
        self._path = path
        with _opened(path) as file:
            metadata = file.metadata
            self._columns = [name for name in file.schema_arrow.names if name in columns]
            self._groups = [0, *accumulate(metadata.row_group(index).num_rows for index in range(metadata.num_row_groups))]
        self.size = self._groups[-1]
        self._reading: _Group | None = None

    def blocks(self, start: Place) -> Iterator[Block]:
        """Some hundred rows each, none from two row groups."""
        for first, end in pairwise(self._groups):
            for row in range(max(first, start.at), end, sizes.BLOCK_ROWS):
                last = min(row + sizes.BLOCK_ROWS, end)
                yield Block(Place(row, row), Place(last, last), last)

    def rows(self, block: Block) -> Iterator[Numbered]:
        """The rows of a block, numbered as in the file."""
        number = block.start.line
        for batch in self._group_of(block.start.at).take(block.start.at, block.end.at):
            for row in json_rows(batch):
                number += 1
                yield number, row

    def _group_of(self, row: int) -> _Group:
        if self._reading is None or not self._reading.at <= row < self._reading.end:
            index = next(index for index, end in enumerate(self._groups[1:]) if row < end)
            self._reading = _Group(self._path, index, self._columns, (self._groups[index], self._groups[index + 1]))
        return self._reading


class _Group:
    """A row group that is being read."""

    def __init__(self, path: Path, index: int, columns: list[str], rows: tuple[int, int]) -> None:
        self.at, self.end = rows
        self._batches = _opened(path).iter_batches(sizes.BLOCK_ROWS, row_groups=[index], columns=columns, use_threads=False)
        self._batch: Any = None

    def take(self, start: int, end: int) -> Iterator[Any]:
        """The record batches from one row to another; what lies before is passed over."""
        while self.at < end:
            if self._batch is None or not self._batch.num_rows:
                self._batch = next(self._batches)
            wanted = min((start if self.at < start else end) - self.at, self._batch.num_rows)
            taken, self._batch = self._batch.slice(0, wanted), self._batch.slice(wanted)
            self.at += wanted
            if self.at > start:
                yield taken


def json_rows(batch: Any) -> Iterator[bytes]:  # noqa: ANN401  (pyarrow has no types)
    """The rows of a record batch, each as a JSON object."""
    yield from map(msgspec.json.encode, batch.to_pylist(maps_as_pydicts="lossy"))


def _opened(path: Path) -> Any:  # noqa: ANN401
    arrow()  # says what is missing
    from pyarrow import parquet  # noqa: PLC0415  (an extra)

    return parquet.ParquetFile(path)
