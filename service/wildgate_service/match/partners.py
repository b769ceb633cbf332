"""Partners: the words that stand beside a word in forms."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate, chain, pairwise
from typing import NamedTuple

Partners = dict[str, list[str]]


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


def partners_of(pairs: Pairs) -> Partners:
    """Word of a pair → the words that stand beside it in one."""
    words, starts, partners = pairs.words, array("I", pairs.starts), array("I", pairs.partners)
    return {word: list(map(words.__getitem__, partners[start:end])) for word, (start, end) in zip(words, pairwise(starts), strict=True)}
