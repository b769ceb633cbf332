"""What finds patterns: an automaton, or two that answer as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sized
from itertools import compress
from operator import itemgetter
from typing import Protocol, TypeVar, cast

import daachorse
import numpy as np

MOST, FEWEST = 64, 24  # occurrences of one pattern in a text: of one that is one form, and of one that is many
MOST_FORMS = 4 * MOST  # that they are all together, above the fewest
OUTERMOST = 8  # of them at either end of a text, whatever stands beside them
NEAR = 12  # code points beside one that are its surroundings

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


class Table(Lookup[Held_co], Protocol[Held_co]):
    """The same in an order."""

    def __iter__(self) -> Iterator[Held_co]: ...


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


def without_floods(found: Found, text: str, forms: Lookup[Sized]) -> Found:
    """What was found in a text, in order, but of a pattern that occurs more than MOST times not more than so many; fewer of many `forms`.

    A text that says one word a thousand times says no more by it, and each time would cost what the first does. Those that stand in the
    same surroundings as one before go first, so that the one that is meant is not lost among a hundred that are not; never the outermost.
    """
    if len(found) <= FEWEST:
        return found
    counts = Counter(map(itemgetter(2), found))
    floods = [number for number, count in counts.items() if count > FEWEST and count > _most(forms[number])]
    if not floods:
        return found
    numbers = np.fromiter(map(itemgetter(2), found), np.int64, len(found))
    is_kept = np.ones(len(found), bool)
    for number in floods:
        inner = np.flatnonzero(numbers == number)[OUTERMOST:-OUTERMOST]
        is_kept[inner] = False
        is_kept[_in_new_surroundings(inner.tolist(), found, text)[: _most(forms[number]) - 2 * OUTERMOST]] = True
    return list(compress(found, is_kept.tolist()))


def _in_new_surroundings(places: list[int], found: Found, text: str) -> list[int]:
    """Of these places of what was found the first in each surroundings, in order."""
    surroundings = [text[start - NEAR if start > NEAR else 0 : end + NEAR] for start, end, _ in map(found.__getitem__, places)]
    return sorted(dict(zip(reversed(surroundings), reversed(places), strict=True)).values())


def _most(forms: Sized) -> int:
    """How many times a pattern is looked at, also one whose forms are all gone from a lexicon laid over another."""
    return max(FEWEST, min(MOST, MOST_FORMS // max(1, len(forms))))


def open_automaton(serialized: bytes) -> Automaton:
    """An automaton from its serialized form."""
    return cast("Automaton", daachorse.CharwiseDoubleArrayAhoCorasick.deserialize(serialized))


def build_automaton(patterns: tuple[str, ...]) -> bytes:
    """The automaton that finds some patterns, serialized; for none one that finds what no text holds."""
    compiled: bytes = daachorse.CharwiseDoubleArrayAhoCorasick(list(patterns) or ["\x1f\x1f"]).serialize()
    return compiled
