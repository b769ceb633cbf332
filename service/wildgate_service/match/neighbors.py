"""Neighbors: matches by where they stand, so that what is beside one of thousands is found without looking at all of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from wildgate_service.types import Match


class Neighbors:
    """Some matches in the order of the text."""

    def __init__(self, matches: Iterable[Match]) -> None:
        self._matches = sorted(matches, key=lambda each: each.skeleton_start)
        self._starts = [each.skeleton_start for each in self._matches]
        self._longest = max((each.skeleton_end - each.skeleton_start for each in self._matches), default=0)

    def __len__(self) -> int:
        return len(self._matches)

    def near(self, match: Match, reach: int) -> list[Match]:
        """Those at most so many code points of the skeleton from a match."""
        first = bisect_left(self._starts, match.skeleton_start - reach - self._longest)
        last = bisect_right(self._starts, match.skeleton_end + reach)
        return [each for each in self._matches[first:last] if distance(match, each) <= reach]

    def overlapping(self, match: Match) -> list[Match]:
        """Those that share a code point with a match, itself if it is one of them."""
        return [each for each in self.near(match, 0) if overlap(match, each)]


def distance(one: Match, other: Match) -> int:
    """Code points of the skeleton between two matches; 0 if they touch or overlap."""
    return max(0, other.skeleton_start - one.skeleton_end, one.skeleton_start - other.skeleton_end)


def overlap(one: Match, other: Match) -> bool:
    """Whether two matches share a code point."""
    return one.skeleton_start < other.skeleton_end and other.skeleton_start < one.skeleton_end
