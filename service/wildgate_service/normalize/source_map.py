"""The way back from the skeleton to the document."""

from __future__ import annotations

import unicodedata
from functools import cache

from wildgate_service.normalize.fold import fold_table

_LAST_PAIR = 0x12000  # above it Unicode has only musical symbols and ideographs, which NFC never joins
_HANGUL_TAILS = range(0x1160, 0x1200)


class SourceMap:
    """For each code point of the skeleton, the half-open range of the document that it stands for.

    Three maps composed: the table's running sum of lengths, the segments that NFC put together, and the blanks that were squeezed.
    """

    __slots__ = ("_document", "_ends", "_starts")

    def __init__(self, document: str, skeleton: str) -> None:
        cells = _squeeze(_compose(_translate(document)))
        if len(cells) != len(skeleton):
            message = f"the map has {len(cells)} code points and the skeleton {len(skeleton)}: the fold and its map disagree"
            raise AssertionError(message)
        self._document = document
        self._starts = [start for _, start, _ in cells]
        self._ends = [end for _, _, end in cells]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The range of the document behind a non-empty range of the skeleton, with the marks that trail its last letter."""
        first, last = self._starts[start], self._ends[end - 1]
        while last < len(self._document) and unicodedata.category(self._document[last]) in {"Mn", "Me"}:
            last += 1
        return first, last


Cell = tuple[str, int, int]  # a code point of the skeleton and its range in the document


def _translate(document: str) -> list[Cell]:
    """What the table makes of each code point."""
    table = fold_table()
    cells: list[Cell] = []
    for at, char in enumerate(document):
        folded = table.get(ord(char), char)
        text = chr(folded) if isinstance(folded, int) else folded
        cells.extend((piece, at, at + 1) for piece in text)
    return cells


def _compose(cells: list[Cell]) -> list[Cell]:
    """NFC, segment by segment; each code point of a composed segment stands for the segment's whole range."""
    text = "".join(char for char, _, _ in cells)
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return cells
    composed: list[Cell] = []
    begin = 0
    for at in range(1, len(cells) + 1):
        if at < len(cells) and _continues(cells[at][0]):
            continue
        composed.extend(_composed_segment(cells[begin:at]))
        begin = at
    return composed


def _composed_segment(segment: list[Cell]) -> list[Cell]:
    before = "".join(char for char, _, _ in segment)
    after = unicodedata.normalize("NFC", before)
    if before == after:
        return segment
    return [(char, segment[0][1], segment[-1][2]) for char in after]


def _squeeze(cells: list[Cell]) -> list[Cell]:
    """Blanks after a blank fall away."""
    kept: list[Cell] = []
    for cell in cells:
        if cell[0] != " " or not kept or kept[-1][0] != " ":
            kept.append(cell)
    return kept


@cache
def _continues(char: str) -> bool:
    """Whether NFC can join this code point to the one before it."""
    return unicodedata.combining(char) != 0 or ord(char) in _HANGUL_TAILS or char in _second_of_pairs()


@cache
def _second_of_pairs() -> frozenset[str]:
    """Starters that end a canonical decomposition, such as vowel signs of Bengali, Tamil and Myanmar."""
    seconds = set()
    for point in range(_LAST_PAIR):
        parts = unicodedata.decomposition(chr(point)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):  # noqa: PLR2004  (a pair)
            seconds.add(chr(int(parts[1], 16)))
    return frozenset(seconds)
