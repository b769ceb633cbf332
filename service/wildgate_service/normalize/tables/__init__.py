"""Tables of characters, apart from the code that walks them; written by `tools/make_tables.py`."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def read(name: str) -> Iterator[tuple[str, str]]:
    """(character, replacement) pairs of one TSV table; lines that begin with `#` are notes."""
    for line in files(__name__).joinpath(name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            point, _, replacement = line.partition("\t")
            yield chr(int(point.removeprefix("U+"), 16)), replacement


def read_pairs(name: str) -> Iterator[tuple[str, str]]:
    """(letter, drawing) pairs of a table of drawings of several signs; lines that begin with `# ` are notes."""
    for line in files(__name__).joinpath(name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("# "):
            letter, _, drawing = line.partition("\t")
            yield letter, drawing


def read_words(name: str) -> frozenset[str]:
    """The words of a list, one a line; lines that begin with `#` are notes."""
    lines = files(__name__).joinpath(name).read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
