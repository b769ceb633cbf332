"""Candidates: the words of a vocabulary that one word may be a slip of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rapidfuzz.distance import OSA

from wildgate_service.match.slips import SLIP, cost, shape_keys
from wildgate_service.normalize.readings import reads_as

if TYPE_CHECKING:
    from collections.abc import Collection

SHORTEST = 3  # letters of a word that bears a misspelling
LONGEST = 24
MOST_OPTIONS = 12  # words that one may stand for
LONG_WORD = 8
SHORTEST_FAR = 5  # letters of a word that bears two slips
ALLOWANCE = ((4, 0.5), (7, 1.0), (9, 1.5), (LONGEST + 2, 1.75))  # (letters below, what reading a word of so many may cost)


Index = dict[Any, list[str]]


class Candidates:
    """The words of a vocabulary, indexed for what may be slips of them.

    Of a word with one edit, one half is intact: an index holds both halves of each word with its length. A second holds words by their
    outer letters, for two edits; a third by their shape.
    """

    def __init__(self, vocabulary: frozenset[str], indexes: tuple[Index, Index, Index] | None = None) -> None:
        """`indexes`, if they are made already, are those of a candidates' `indexes`."""
        self._vocabulary = vocabulary
        self._halves: Index = {}
        self._ends: Index = {}
        self._shapes: Index = {}
        if indexes:
            self._halves, self._ends, self._shapes = indexes
            return
        for word in sorted(self._vocabulary):
            half = len(word) // 2
            self._halves.setdefault((len(word), False, word[:half]), []).append(word)
            self._halves.setdefault((len(word), True, word[half:]), []).append(word)
            if len(word) >= SHORTEST_FAR:
                outer = _outer_letters(len(word))
                self._ends.setdefault((len(word), False, word[:outer]), []).append(word)
                self._ends.setdefault((len(word), True, word[-outer:]), []).append(word)
            for key in shape_keys(word) if word.isascii() else ():
                self._shapes.setdefault(key, []).append(word)

    @property
    def indexes(self) -> tuple[Index, Index, Index]:
        """Keys → words, in the order of the alphabet."""
        return self._halves, self._ends, self._shapes

    def of(self, word: str, *, ordinary: bool, far: bool) -> tuple[tuple[str, float], ...]:
        """Words of the vocabulary that a word may be a slip of, and what reading it so costs; the cheapest first.

        An `ordinary` word is one slip off at most, another two if `far`.
        """
        if len(word) > LONGEST:
            return ()
        candidates: Collection[str] = self._alike(word) if word.isascii() else ()
        if word.isalpha() or not word.isascii():
            candidates = {
                **dict.fromkeys(candidates),
                **dict.fromkeys(self._near(word)),
                **dict.fromkeys(self._far(word) if far and not ordinary else ()),
            }
        costs = [(cost(word, each), each) for each in candidates if not _is_disguise(word, each)]
        best = sorted(
            (price, each)
            for price, each in costs
            if 0 < price <= (SLIP if ordinary else _allowance(each)) and _begins_or_ends_alike(word, each)
        )
        return tuple((each, price) for price, each in best[:MOST_OPTIONS])

    def _alike(self, word: str) -> list[str]:
        """Words that look like one, letter by letter; a number with some letters looks like none."""
        if 2 * sum(map(str.isdigit, word)) > len(word):
            return []
        return [each for key in shape_keys(word) for each in self._shapes.get(key, ())]

    def _near(self, word: str) -> Iterator[str]:
        """Words one edit away (insertion, deletion, substitution, transposition: OSA distance 1)."""
        candidates: dict[str, None] = {}
        for length in (len(word), len(word) + 1, len(word) - 1):
            half = length // 2
            candidates |= dict.fromkeys(self._halves.get((length, False, word[:half]), ()))
            candidates |= dict.fromkeys(self._halves.get((length, True, word[half - length :]), ()))
        middle = len(word) // 2
        swapped = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
        if swapped in self._vocabulary:
            candidates[swapped] = None
        return (each for each in candidates if OSA.distance(word, each, score_cutoff=1) == 1)

    def _far(self, word: str) -> Iterator[str]:
        """Words two edits away whose first or last few letters are the same."""
        if len(word) < SHORTEST_FAR:
            return
        for length in range(len(word) - 2, len(word) + 3):
            outer = _outer_letters(length)
            for last, letters in ((False, word[:outer]), (True, word[-outer:])):
                for each in self._ends.get((length, last, letters), ()):
                    if OSA.distance(word, each, score_cutoff=2) <= 2:  # noqa: PLR2004  (the edits)
                        yield each


def _is_disguise(written: str, meant: str) -> bool:
    """Whether nothing but look-alikes stands for letters, which the bare reading finds and names."""
    return len(written) == len(meant) and all(map(reads_as, written, meant))


def _outer_letters(length: int) -> int:
    """How many letters at one end of a word are right where two others are wrong."""
    return 2 if length < LONG_WORD else 3


def _allowance(word: str) -> float:
    """What reading a word of the vocabulary may cost."""
    return next(most for letters, most in ALLOWANCE if len(word) < letters)


def _begins_or_ends_alike(written: str, meant: str) -> bool:
    """Whether a short word keeps its first letter or its last."""
    return len(meant) > SHORTEST or written[0] == meant[0] or written[-1] == meant[-1]


def one_deletion(word: str) -> set[str]:
    """The word with each one letter left out."""
    return {word[:at] + word[at + 1 :] for at in range(len(word))}
