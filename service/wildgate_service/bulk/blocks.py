"""A file as blocks: some hundreds of listings each, named by where they lie, so that any process can read them for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

BLOCK_BYTES = 256 << 10
BLOCK_ROWS = 500

Numbered = tuple[int, bytes]  # line number from 1, and one JSON object


class Place(Struct, frozen=True):
    """A point between two listings: bytes of text (rows of Parquet) and lines before it."""

    at: int = 0
    line: int = 0


class Block(Struct, frozen=True):
    """Listings that lie together. `data` is their text where the file cannot be read from the middle; `passed` how much of it is behind."""

    start: Place
    end: Place
    passed: int
    data: bytes | None = None


class Done(Struct, frozen=True):
    """What became of a block: its answers as they are written, how many, and how many of them failed."""

    answers: bytes
    listings: int
    failed: int


class Source(Protocol):
    """A file of listings in one format. `size` is in what `Block.passed` counts."""

    size: int

    def blocks(self, start: Place) -> Iterator[Block]:
        """All blocks from a place on. Raises OSError, EOFError or ValueError."""

    def rows(self, block: Block) -> Iterator[Numbered]:
        """The listings of a block as JSON."""
