"""Partners: the words that stand beside a word in forms."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate, chain
from typing import NamedTuple


class Pairs(NamedTuple):
    """Pairs of words by number. The partners of word i are those from `starts[i]` to `starts[i + 1]` in `partners`.

    Both are unsigned integers of four bytes, as a compiled file holds them.
    """

    words: tuple[str, ...]
    starts: bytes
    partners: bytes


def pairs_in(phrases: Iterable[str]) -> Pairs:
    """The pairs among phrases of one word or of two."""
    partners: dict[str, list[str]] = defaultdict(list)
    for phrase in phrases:
        one, blank, other = phrase.partition(" ")
        if blank:
            partners[one].append(other)
            partners[other].append(one)
    words = tuple(sorted(partners))
    numbers = {word: number for number, word in enumerate(words)}
    beside = [sorted(map(numbers.__getitem__, partners[word])) for word in words]
    starts = accumulate(map(len, beside), initial=0)
    return Pairs(words, array("I", starts).tobytes(), array("I", chain.from_iterable(beside)).tobytes())


class Partners:
    """Which words stand beside a word."""

    def __init__(self, pairs: Pairs) -> None:
        self._words = pairs.words
        self._numbers = {word: number for number, word in enumerate(pairs.words)}
        self._starts, self._partners = array("I", pairs.starts), array("I", pairs.partners)

    def beside(self, word: str) -> list[str]:
        """The words that stand before or behind a word; none for one that stands in no pair."""
        number = self._numbers.get(word)
        if number is None:
            return []
        words = self._words
        return [words[each] for each in self._partners[self._starts[number] : self._starts[number + 1]]]
