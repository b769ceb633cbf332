"""Candidates: the words of a vocabulary that one word may be a slip of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from wildgate_service.match.slips import SLIP, cost, shape_keys, shapes_of
from wildgate_service.normalize.readings import reads_as

SHORTEST = 3  # letters of a word that bears a misspelling
LONGEST = 24
MOST_OPTIONS = 12  # words that one may stand for
LONG_WORD = 8
OUTER, OUTER_OF_LONG = 2, 3  # letters at one end of a word that are right where two others are wrong
SHORTEST_FAR = 5  # letters of a word that bears two slips
ALLOWANCE = ((4, 0.5), (7, 1.0), (9, 1.5), (LONGEST + 2, 1.75))  # (letters below, what reading a word of so many may cost)


Index = dict[Any, list[str]]


class Indexes(NamedTuple):
    """Keys → words in the order of the alphabet: short ones by their halves, longer ones by their outer letters, all by their shape."""

    halves: Index
    beginnings: Index
    endings: Index
    shapes: Index


class Candidates:
    """The words of a vocabulary, indexed for what may be slips of them.

    Of a word with one edit, one half is intact: an index holds both halves of each short word with its length. A second holds longer words
    by their outer letters, at one end intact after one edit and mostly after two; a third by their shape.
    """

    def __init__(self, vocabulary: frozenset[str], indexes: Indexes | None = None) -> None:
        """`indexes` are those of the vocabulary, if they are made already."""
        self._vocabulary = vocabulary
        self.indexes = indexes_of(sorted(vocabulary)) if indexes is None else indexes
        self._halves, self._beginnings, self._endings, self._shapes = self.indexes

    def of(self, word: str, *, ordinary: bool) -> tuple[tuple[str, float], ...]:
        """Words of the vocabulary that a word may be a slip of, and what reading it so costs; the cheapest first.

        An `ordinary` word is one slip off at most, any other two.
        """
        if len(word) > LONGEST:
            return ()
        candidates = self._alike(word) if word.isascii() else []
        if word.isalpha() or not word.isascii():
            if len(word) <= SHORTEST_FAR:
                candidates += self._near(word)
            if len(word) >= SHORTEST_FAR:
                candidates += _within(word, self._alike_at_an_end(word), edits=2 if not ordinary else 1)
        if not candidates:
            return ()
        costs = [(cost(word, each), each) for each in set(candidates) if not _is_disguise(word, each)]
        best = sorted(
            (price, each)
            for price, each in costs
            if 0 < price <= (SLIP if ordinary else _allowance(each)) and _begins_or_ends_alike(word, each)
        )
        return tuple((each, price) for price, each in best[:MOST_OPTIONS])

    def _alike(self, word: str) -> list[str]:
        """Words that look like one, letter by letter; a number with some letters looks like none."""
        if not word.isalpha() and 2 * sum(map(str.isdigit, word)) > len(word):
            return []
        return [each for key in shape_keys(word) for each in self._shapes.get(key, ())]

    def _near(self, word: str) -> list[str]:
        """Words one edit away (insertion, deletion, substitution, transposition: OSA distance 1)."""
        halves, written = self._halves, len(word)
        candidates: list[str] = []
        for length in (written, written + 1, written - 1):
            half = length // 2
            candidates += halves.get((length, False, word[:half]), ())
            candidates += halves.get((length, True, word[half - length :]), ())
        near = _within(word, candidates, edits=1)
        middle = written // 2
        swapped = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
        if swapped in self._vocabulary and OSA.distance(word, swapped) == 1:
            near.append(swapped)
        return near

    def _alike_at_an_end(self, word: str) -> list[str]:
        """Words whose first or last few letters are those of a word, all of those among them that are two letters longer or shorter."""
        found: list[str] = []
        if len(word) < LONG_WORD + 2:
            found += self._beginnings.get(word[:OUTER], ())
            found += self._endings.get(word[-OUTER:], ())
        if len(word) >= LONG_WORD - 2:
            found += self._beginnings.get(word[:OUTER_OF_LONG], ())
            found += self._endings.get(word[-OUTER_OF_LONG:], ())
        return found


def indexes_of(words: Sequence[str]) -> Indexes:
    """The indexes of words that stand in the order of the alphabet, as their words do then."""
    indexes = halves, beginnings, endings, shapes = Indexes(defaultdict(list), defaultdict(list), defaultdict(list), defaultdict(list))
    for word in words:
        length = len(word)
        if length <= SHORTEST_FAR + 1:
            half = length // 2
            halves[length, False, word[:half]].append(word)
            halves[length, True, word[half:]].append(word)
        if length >= SHORTEST_FAR:
            outer = OUTER if length < LONG_WORD else OUTER_OF_LONG
            beginnings[word[:outer]].append(word)
            endings[word[-outer:]].append(word)
    for word, keys in shapes_of(words):
        for key in keys:
            shapes[key].append(word)
    return indexes


def _within(word: str, candidates: list[str], edits: int) -> list[str]:
    """Those of some words that are at most so many edits away."""
    if not candidates:
        return candidates
    return [each for each, _, _ in extract(word, candidates, scorer=OSA.distance, score_cutoff=edits, limit=None)]


def _is_disguise(written: str, meant: str) -> bool:
    """Whether nothing but look-alikes stands for letters, which the bare reading finds and names."""
    return len(written) == len(meant) and all(map(reads_as, written, meant))


def _allowance(word: str) -> float:
    """What reading a word of the vocabulary may cost."""
    return next(most for letters, most in ALLOWANCE if len(word) < letters)


def _begins_or_ends_alike(written: str, meant: str) -> bool:
    """Whether a short word keeps its first letter or its last."""
    return len(meant) > SHORTEST or written[0] == meant[0] or written[-1] == meant[-1]


def one_deletion(word: str) -> set[str]:
    """The word with each one letter left out."""
    return {word[:at] + word[at + 1 :] for at in range(len(word))}
