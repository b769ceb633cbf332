"""Chunks: a rule file cut at its rules, so that of a changed file only the changed rules are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

RULE = re.compile(r"^-(?= )", re.MULTILINE)
HEADER = re.compile(r"(?:[ ]*(?:#.*)?\n)*")
# What makes a file more than a list of rules one below the other: marks of documents, directives, and line breaks other than \n.
IRREGULAR = re.compile("^(?:---|\\.\\.\\.|%)|[\r\x85\u2028\u2029\ufeff]", re.MULTILINE)


class Chunk(NamedTuple):
    """A part of a file, and how many lines stand before it."""

    text: str
    lines_before: int


def chunks_of(text: str) -> tuple[Chunk, ...]:
    """A rule file's text cut before each rule but the first; in one piece where that is not plain to see.

    Where a line inside quotes or brackets only looks like a rule, at least one of the pieces is no YAML.
    """
    starts = [found.start() for found in RULE.finditer(text)]
    if not starts or IRREGULAR.search(text) or not HEADER.fullmatch(text, 0, starts[0]):
        return (Chunk(text, 0),)
    return tuple(_cut(text, [0, *starts[1:], len(text)]))


def _cut(text: str, bounds: list[int]) -> Iterator[Chunk]:
    lines = 0
    for start, end in pairwise(bounds):
        yield Chunk(text[start:end], lines)
        lines += text.count("\n", start, end)
