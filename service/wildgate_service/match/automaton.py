"""What finds patterns: an automaton, or two that answer as one."""

from __future__ import annotations

from collections import Counter
from typing import Protocol, TypeVar, cast

import daachorse

MOST = 64  # occurrences of one pattern in a text

Found = list[tuple[int, int, int]]
Held_co = TypeVar("Held_co", covariant=True)


class Automaton(Protocol):
    """Finds patterns, which it numbers."""

    def find_overlapping(self, text: str) -> Found:
        """(start, end, pattern) of every occurrence, overlapping ones too; by their ends, the longest first."""
        ...


class Lookup(Protocol[Held_co]):
    """So many things, asked for by number."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Held_co:
        """What has the number."""
        ...


class Both:
    """Two automata that answer as one. The patterns of the second are numbered from `first`."""

    def __init__(self, one: Automaton, first: int, other: Automaton) -> None:
        self._one = one
        self._first = first
        self._other = other

    def find_overlapping(self, text: str) -> Found:
        """(start, end, pattern) of every occurrence, in the order in which one automaton would give them."""
        more = self._other.find_overlapping(text)
        if not more:
            return self._one.find_overlapping(text)
        first = self._first
        found = [*self._one.find_overlapping(text), *((start, end, first + number) for start, end, number in more)]
        return sorted(found, key=lambda each: (each[1], each[0]))


def without_floods(found: Found) -> Found:
    """What was found, in order, but of a pattern that occurs more than MOST times the first and the last only.

    A text that says one word a thousand times says no more by it, and each time would cost what the first does.
    """
    if len(found) <= MOST:
        return found
    left = Counter(number for _, _, number in found)
    floods = {number: count for number, count in left.items() if count > MOST}
    if not floods:
        return found
    kept: Found = []
    for each in found:
        number = each[2]
        count = floods.get(number)
        if count is None or left[number] > count - MOST // 2 or left[number] <= MOST // 2:
            kept.append(each)
        left[number] -= 1
    return kept


def open_automaton(serialized: bytes) -> Automaton:
    """An automaton from its serialized form."""
    return cast("Automaton", daachorse.CharwiseDoubleArrayAhoCorasick.deserialize(serialized))


def build_automaton(patterns: tuple[str, ...]) -> bytes:
    """The automaton that finds some patterns, serialized; for none one that finds what no text holds."""
    compiled: bytes = daachorse.CharwiseDoubleArrayAhoCorasick(list(patterns) or ["\x1f\x1f"]).serialize()
    return compiled
