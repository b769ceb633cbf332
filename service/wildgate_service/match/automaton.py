"""What finds patterns: an automaton, or two that answer as one."""

from __future__ import annotations

from typing import Protocol, TypeVar, cast

import daachorse

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


def open_automaton(serialized: bytes) -> Automaton:
    """An automaton from its serialized form."""
    return cast("Automaton", daachorse.CharwiseDoubleArrayAhoCorasick.deserialize(serialized))


def build_automaton(patterns: tuple[str, ...]) -> bytes:
    """The automaton that finds some patterns, serialized; for none one that finds what no text holds."""
    compiled: bytes = daachorse.CharwiseDoubleArrayAhoCorasick(list(patterns) or ["\x1f\x1f"]).serialize()
    return compiled
