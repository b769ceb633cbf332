"""Corrected: a text with words put right, and the way back to where they stand in the text it was made from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """`[start, end)` of a corrected text stands for `[source_start, source_end)` of the text it was made from.

    `views` say what was undone, `cost` how much it took (`slips`).
    """

    start: int
    end: int
    source_start: int
    source_end: int
    views: tuple[str, ...]
    cost: float


class Change(NamedTuple):
    """What is to stand instead of `[start, end)` of a text."""

    start: int
    end: int
    text: str
    views: tuple[str, ...]
    cost: float


class Corrected(NamedTuple):
    """A text with some words put right; `edits` ascend and do not overlap, `starts` and `ends` are theirs."""

    text: str
    edits: tuple[Edit, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def to_source(self, start: int, end: int) -> tuple[int, int, tuple[Edit, ...]] | None:
        """Span in the source of a span, and the edits in it or, of blanks put in, at its ends; None if there is none."""
        first = bisect_left(self.ends, start)
        last = bisect_right(self.starts, end, first)
        if first == last:
            return None
        inside = tuple([edit for edit in self.edits[first:last] if _touches(edit, start, end)])
        return (self._first_of(start), self._last_of(end), inside) if inside else None

    def _first_of(self, at: int) -> int:
        """Where in the source a span begins that begins here."""
        behind = bisect_right(self.ends, at)
        if behind < len(self.edits) and self.edits[behind].start <= at:
            return self.edits[behind].source_start
        before = self.edits[behind - 1] if behind else None
        return at + before.source_end - before.end if before else at

    def _last_of(self, at: int) -> int:
        """Where in the source a span ends that ends here."""
        behind = bisect_left(self.starts, at)
        before = self.edits[behind - 1] if behind else None
        return max(at, before.end) + before.source_end - before.end if before else at


def _touches(edit: Edit, start: int, end: int) -> bool:
    """Whether an edit lies in a span, or is a blank put in or taken out beside it."""
    if edit.source_start == edit.source_end:
        return edit.end >= start and edit.start <= end
    return edit.start < end and edit.end > start


def apply(text: str, changes: Iterable[Change]) -> Corrected:
    """The text with changes made; of those that overlap, the first."""
    pieces: list[str] = []
    edits: list[Edit] = []
    kept = length = 0
    for change in sorted(changes):
        if change.start < kept:
            continue
        pieces += [text[kept : change.start], change.text]
        length += change.start - kept
        edits.append(Edit(length, length + len(change.text), change.start, change.end, change.views, change.cost))
        length += len(change.text)
        kept = change.end
    starts, ends = tuple([edit.start for edit in edits]), tuple([edit.end for edit in edits])
    return Corrected("".join([*pieces, text[kept:]]), tuple(edits), starts, ends)
