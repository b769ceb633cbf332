"""CSV as blocks: RFC 4180 as spreadsheets write it, with a header line.

UTF-8, with or without a byte order mark; the delimiter is the one of comma, semicolon and tab that stands most often in the header line.
Only a CSV reader can say where a row ends, so one passes over the file to cut it, and others read the blocks.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from wildgate_service.bulk import blocks as sizes
from wildgate_service.bulk.blocks import Block, Numbered, Place
from wildgate_service.bulk.bytes_of import Text, is_compressed, view
from wildgate_service.errors import WildgateError

Reader = Any  # of `csv`, whose type has no public name before Python 3.12
MOST_CELL = 64 << 20  # characters; what is too long for a field is said of its line, what is longer than this of the file
DELIMITERS = ",;\t"
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class CsvRows:
    """One row a listing, one column a field. Empty cells are left out, a cell `attributes` may hold JSON."""

    def __init__(self, path: Path, delimiter: str = "", *, quotes: bool = True) -> None:
        csv.field_size_limit(MOST_CELL)
        self._path = path
        self._quotes = quotes
        self.size = path.stat().st_size
        self._delimiter, self.columns, self._first = _header(path, delimiter, quotes=quotes)

    def blocks(self, start: Place) -> Iterator[Block]:
        """Cut after the first row end behind so many bytes."""
        start = start if start.at else self._first
        keep = is_compressed(self._path)
        with Text(self._path, start.at) as text:
            lines = _Counted(text, keep=keep)
            reader = _reader(lines, self._delimiter, quotes=self._quotes)
            for _ in reader:
                if lines.length >= sizes.BLOCK_BYTES:
                    block = lines.block(start)
                    yield block
                    start = block.end
            if lines.length:
                yield lines.block(start)

    def rows(self, block: Block) -> Iterator[Numbered]:
        """The rows of a block, each with the number of the line at which it ends."""
        yield from ((line, _as_json(dict(zip(self.columns, cells, strict=False)))) for line, cells in self.cells(block))

    def cells(self, block: Block) -> Iterator[tuple[int, list[str]]]:
        """All cells of each row of a block that is not empty; bytes that are no UTF-8 stand in them as lone surrogates."""
        length = block.end.at - block.start.at
        text = io.TextIOWrapper(view(self._path, block, length), encoding="utf-8", errors="surrogateescape", newline="")
        reader = _reader(text, self._delimiter, quotes=self._quotes)
        rows: Iterator[list[str]] = reader
        yield from ((block.start.line + reader.line_num, cells) for cells in rows if cells)


class _Counted:
    """Lines of a text, a character a byte, that knows what was read of it since the last block."""

    def __init__(self, text: Text, *, keep: bool = False) -> None:
        self.length = self.lines = 0
        self._text = text
        self._kept: list[str] | None = [] if keep else None
        self._lines = iter(io.TextIOWrapper(text.bytes, encoding="latin-1", newline=""))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.length += len(line)
        self.lines += 1
        if self._kept is not None:
            self._kept.append(line)
        return line

    def block(self, start: Place) -> Block:
        """What was read since the last one."""
        data = None if self._kept is None else "".join(self._kept).encode("latin-1")
        block = Block(start, Place(start.at + self.length, start.line + self.lines), self._text.passed(), data)
        self.length = self.lines = 0
        if self._kept:
            self._kept.clear()
        return block


def _header(path: Path, delimiter: str, *, quotes: bool) -> tuple[str, list[str], Place]:
    """Delimiter, columns, and where the rows begin. Raises WildgateError for a file in UTF-16."""
    with Text(path) as text:
        begin = text.bytes.read(len(codecs.BOM_UTF8))
    if begin.startswith(UTF16):
        raise WildgateError(f"{path} is UTF-16; save it as CSV in UTF-8")
    skipped = len(begin) if begin == codecs.BOM_UTF8 else 0
    with Text(path, skipped) as text:
        line = text.bytes.readline(MOST_CELL).decode("latin-1")
    delimiter = delimiter or max(DELIMITERS, key=line.count)
    with Text(path, skipped) as text:
        lines = _Counted(text)
        cells: list[str] = next(_reader(lines, delimiter, quotes=quotes), [])
        columns = [cell.encode("latin-1").decode("utf-8", "surrogateescape") for cell in cells]
        return delimiter, columns, Place(skipped + lines.length, lines.lines)


def _reader(lines: Iterable[str], delimiter: str, *, quotes: bool) -> Reader:
    """Rows as lists of cells; without `quotes` a quote is a sign like any other."""
    return csv.reader(lines, delimiter=delimiter) if quotes else csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)


def _as_json(row: dict[str, Any]) -> bytes:
    kept = {key: value for key, value in row.items() if key and value}
    if "attributes" in kept:
        kept["attributes"] = _attributes(kept["attributes"])
    return json.dumps(kept, ensure_ascii=False).encode("utf-8", "surrogatepass")  # refused later, as a line that is not UTF-8


def _attributes(cell: str) -> Any:  # noqa: ANN401  (whatever the cell holds)
    """JSON, or the whole cell as one text."""
    try:
        loaded = json.loads(cell)
    except (ValueError, RecursionError):
        return [cell]
    return loaded if isinstance(loaded, dict | list) else [cell]
