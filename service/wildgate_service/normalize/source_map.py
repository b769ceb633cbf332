"""The way back from the skeleton to the document."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from wildgate_service.normalize.fold import fold_table
from wildgate_service.normalize.markup import CONTINUED

_LAST_PAIR = 0x12000  # above it Unicode has only musical symbols and ideographs, which NFC never joins
_HANGUL_TAILS = range(0x1160, 0x1200)


def _lengths() -> NDArray[np.uint8]:
    """How many code points the table makes of each; the last stands for all behind, which it leaves alone."""
    table = fold_table()
    lengths = np.ones(max(table) + 2, np.uint8)
    for point, folded in table.items():
        if isinstance(folded, str):
            lengths[point] = len(folded)
    return lengths


_LENGTHS = _lengths()


class SourceMap:
    """For each code point of the skeleton, the half-open range of the document that it stands for.

    Three maps composed: the table's running sum of lengths, the segments that NFC put together, and the blanks that were squeezed. Each
    is made only if it changes something: for a plain ASCII document the map is a range.
    """

    __slots__ = ("_document", "_ends", "_starts")

    def __init__(self, document: str, skeleton: str) -> None:
        text, cells = document.translate(fold_table()), _translated(document)
        if not text.isascii() and not unicodedata.is_normalized("NFC", text):
            text, cells = _composed(text, cells)
        if "  " in text:
            cells = _squeezed(text, cells)
        self._document = document
        self._starts, self._ends = cells
        if len(self._starts) != len(skeleton):
            raise AssertionError(
                f"the map has {len(self._starts)} code points, the skeleton {len(skeleton)}: the fold and its map disagree"
            )

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The range of the document behind a non-empty range of the skeleton, with the marks that trail its last letter."""
        first, last = self._starts[start], self._ends[end - 1]
        while last < len(self._document) and _trails(self._document[last]):
            last += 1
        return first, last

    def skeleton_span(self, first: int, last: int) -> tuple[int, int]:
        """The range of the skeleton that a non-empty range of the document became."""
        start = bisect_right(self._ends, first)
        return start, max(start + 1, bisect_left(self._starts, last))


def _trails(char: str) -> bool:
    """Whether a character belongs to the one before it: a mark, or the rest of a character reference."""
    return char == CONTINUED or unicodedata.category(char) in {"Mn", "Me"}


Cells = tuple[Sequence[int], Sequence[int]]  # where each code point begins in the document, and where it ends


def _translated(document: str) -> Cells:
    """The cells of what the table makes of each code point."""
    if document.isascii() and len(document.translate(fold_table())) == len(document):
        return range(len(document)), range(1, len(document) + 1)
    starts = np.repeat(np.arange(len(document)), _LENGTHS.take(_points(document), mode="clip"))
    return starts.tolist(), (starts + 1).tolist()


def _points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _composed(text: str, cells: Cells) -> tuple[str, Cells]:
    """NFC, segment by segment; each code point of a composed segment stands for the segment's whole range."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    begin = 0
    for at in range(1, len(text) + 1):
        if at < len(text) and _continues(text[at]):
            continue
        segment = unicodedata.normalize("NFC", text[begin:at])
        if segment == text[begin:at]:
            starts += cells[0][begin:at]
            ends += cells[1][begin:at]
        else:
            starts += [cells[0][begin]] * len(segment)
            ends += [cells[1][at - 1]] * len(segment)
        pieces.append(segment)
        begin = at
    return "".join(pieces), (starts, ends)


def _squeezed(text: str, cells: Cells) -> Cells:
    """Blanks after a blank fall away."""
    is_blank = _points(text) == ord(" ")
    is_kept = np.append(True, ~(is_blank[1:] & is_blank[:-1])).tolist()
    return list(compress(cells[0], is_kept)), list(compress(cells[1], is_kept))


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
