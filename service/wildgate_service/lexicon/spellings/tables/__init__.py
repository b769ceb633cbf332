"""Tables of words, characters and syllables, apart from the code that walks them. TSV; a line that begins with `#` is a note."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The cells of every line of one table."""
    lines = files(__name__).joinpath(name).read_text(encoding="utf-8").split("\n")
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))


@cache
def choices(name: str) -> dict[str, tuple[str, ...]]:
    """First cell → the blank-separated alternatives of the second; none where there is no second."""
    return {row[0]: tuple(row[1].split()) if len(row) > 1 else () for row in rows(name)}
