"""JSON Lines as blocks."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from wildgate_service.bulk import blocks as sizes
from wildgate_service.bulk.blocks import Block, Numbered, Place
from wildgate_service.bulk.bytes_of import Text, is_compressed, view
from wildgate_service.bulk.line import MOST_LINE


class JsonLines:
    """One JSON object a line; blank lines are passed over, but counted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    def blocks(self, start: Place) -> Iterator[Block]:
        """Cut after the first line end behind so many bytes; of a line without end no more than can be a listing is kept."""
        keep = is_compressed(self._path)
        with Text(self._path, start.at) as text:
            while data := text.bytes.read(sizes.BLOCK_BYTES):
                at, line = start.at + len(data), start.line + data.count(b"\n")
                whole = bytearray(data)
                for piece in _rest_of_line(text.bytes, data):
                    at, line = at + len(piece), line + piece.endswith(b"\n")
                    if keep and len(whole) <= sizes.BLOCK_BYTES + MOST_LINE:
                        whole += piece
                end = Place(at, line)
                yield Block(start, end, text.passed(), bytes(whole) if keep else None)
                start = end

    def rows(self, block: Block) -> Iterator[Numbered]:
        """The lines of a block with their numbers."""
        most = sizes.BLOCK_BYTES + MOST_LINE + 1
        for number, line in enumerate(view(self._path, block, most), block.start.line + 1):
            text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if text.strip():
                yield number, text


def _rest_of_line(file: IO[bytes], data: bytes) -> Iterator[bytes]:
    while not data.endswith(b"\n") and (data := file.readline(sizes.BLOCK_BYTES)):
        yield data
