"""Masked words: words of the lexicon with letters masked (iv*ry, r_n_c_ront_).

At least two letters must be seen, and two in five of them all. The first two find the candidates. What may as well be a common word needs
a word beside it that makes a form.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST = 24
MOST_LEXICONS = 2  # whose common words are remembered by their letters: the one in force, and the next
POINT_BITS = 32  # of a code point
FIRST_SEEN = 3  # a masked word shows one of its first three letters, and another of the next three
MASKS = "*%_"  # signs that mask at the ends of a word too
INNER_MASKS = MASKS + "#.-?!$@"
EDGES = ",;:!?()\"'.-[]#"
PUNCTUATION = ",;:!?()\"'[]"
SIGN = f"[{re.escape(INNER_MASKS)}]"
MASK = re.compile(SIGN)
MASKED = re.compile(rf"{SIGN}{{0,3}}[^\W\d_]+(?:{SIGN}{{1,3}}[^\W\d_]+)*{SIGN}{{0,4}}")
VOWELS = frozenset("aeiouyаеиоуыэюя")  # what is masked mostly
FEWEST_HASHED = 5  # characters of a word whose first letter is a hash: shorter ones are hashtags


class Meant(NamedTuple):
    """Where in a token a masked word stands, the words that it may be, and whether it may be a common word that is none of them."""

    start: int
    end: int
    words: tuple[str, ...]
    may_be_common: bool


class WordsByLetters:
    """Words of at most LONGEST letters by two of those at their beginning.

    For each length and two places the letters that words have there stand in order, with the numbers of the words beside them. A dictionary
    of all such pairs answers as fast, and takes ten times the memory and the time to make.
    """

    def __init__(self, words: Iterable[str]) -> None:
        """`words` stand in the order of the alphabet, each once."""
        self._words: dict[int, list[str]] = defaultdict(list)
        for word in words:
            if 0 < len(word) <= LONGEST:
                self._words[len(word)].append(word)
        self._numbers: dict[tuple[int, int, int], tuple[array[int], array[int]]] = {}
        for length, alike in self._words.items():
            points = np.frombuffer("".join(alike).encode("utf-32-le"), np.uint32).reshape(-1, length).T.astype(np.uint64)
            for one in range(min(FIRST_SEEN, length)):
                for other in range(one + 1, min(one + 1 + FIRST_SEEN, length)):
                    letters = points[one] << POINT_BITS | points[other]
                    order = letters.argsort(kind="stable")
                    self._numbers[length, one, other] = _array("Q", letters[order]), _array("I", order.astype(np.uint32))

    def having(self, core: str, one: int, other: int) -> list[str]:
        """The words as long as a core that have its letters at two places, the first that are seen; in the order of the alphabet."""
        length = len(core)
        numbers = self._numbers.get((length, one, other))
        if numbers is None:
            return []
        letters, order = numbers
        wanted = ord(core[one]) << POINT_BITS | ord(core[other])
        start = bisect_left(letters, wanted)
        if start == len(letters) or letters[start] != wanted:
            return []
        words = self._words[length]
        return [words[number] for number in order[start : bisect_right(letters, wanted, start)]]


def _array(typecode: str, numbers: NDArray[np.unsignedinteger]) -> array[int]:
    """Numbers where Python reads single ones fast."""
    return array(typecode, numbers.tobytes())


class MaskedWords:
    """Finds the words of a vocabulary that a token with masked letters may be."""

    def __init__(
        self,
        vocabulary: frozenset[str],
        ordinary: Container[str],
        by_letters: WordsByLetters | None = None,
        common: frozenset[str] = frozenset(),
    ) -> None:
        """`by_letters` are those of the vocabulary, if they are made already; `common` words may be masked as well."""
        self._vocabulary = vocabulary
        self.common = common
        self._common_by_letters = _by_letters(common)
        self._ordinary = ordinary
        self.by_letters = WordsByLetters(sorted(vocabulary)) if by_letters is None else by_letters

    def read(self, token: str) -> Meant | None:
        """Where in a token the masked word stands, and the words that it may be; None if there is none."""
        bare = token.strip(EDGES)
        if not is_masked(token) or not bare or _is_marked(bare):
            return None
        found = {core: words for core in _cores(token, bare) if (words := self._words_in(core))}
        if not found:
            return None
        start = min(map(token.index, found))
        end = max(token.index(core) + len(core) for core in found)
        words = tuple(dict.fromkeys(chain.from_iterable(found.values())))
        return Meant(start, end, words, may_be_common=any(map(self._may_be_common, found)))

    def _words_in(self, core: str) -> tuple[str, ...]:
        return self._words_meant(core) if MASKED.fullmatch(core) and self._masks_its_ends(core) else ()

    def _may_be_common(self, core: str) -> bool:
        return any(word not in self._vocabulary for word in _having_letters(self._common_by_letters, core))

    def _masks_its_ends(self, core: str) -> bool:
        """Whether signs at the ends of a word mask letters: those that do nothing else, and those that mask letters inside it too."""
        inner = core.strip(INNER_MASKS)
        ends = set(core[: core.index(inner)] + core[core.index(inner) + len(inner) :])
        if ends <= {*MASKS, *(char for char in inner if not char.isalpha())}:
            return True
        hashed = ends == {"#"} and core[1:] == inner and len(core) >= FEWEST_HASHED
        return hashed and inner not in self._vocabulary and inner not in self._ordinary

    def _words_meant(self, core: str) -> tuple[str, ...]:
        """The words that a core may be: the masked letters any, the others as they are."""
        seen = [at for at, char in enumerate(core) if char not in INNER_MASKS]
        if len(seen) == len(core) or 5 * len(seen) < 2 * len(core) or len(seen) < 2 or len(core) > LONGEST:  # noqa: PLR2004  (two letters)
            return ()
        hidden = [at for at, char in enumerate(core) if char in INNER_MASKS]
        words = tuple(sorted(_having_letters(self.by_letters, core), key=lambda word: sum(word[at] not in VOWELS for at in hidden)))
        return words if len(words) == 1 or 2 * len(seen) >= len(core) else ()


@lru_cache(maxsize=MOST_LEXICONS)
def _by_letters(words: frozenset[str]) -> WordsByLetters:
    """Words by their letters; both searches of a lexicon share them."""
    return WordsByLetters(sorted(words))


def _having_letters(words: WordsByLetters, core: str) -> list[str]:
    """Those of some words that have the letters of a core which are not masked, two at least, and as many others."""
    seen = [at for at, char in enumerate(core) if char not in INNER_MASKS]
    letters_of = itemgetter(*seen)
    letters = letters_of(core)
    return [word for word in words.having(core, seen[0], seen[1]) if letters_of(word) == letters]


def _is_marked(bare: str) -> bool:
    """Whether a word is no masked one, but *written like this*: the signs at its two ends are the same, and it has no others."""
    return bare[0] == bare[-1] and bare[0] in MASKS and not MASK.search(bare, 1, len(bare) - 1)


def is_masked(token: str) -> bool:
    """Whether signs that mask letters stand in a token."""
    return MASK.search(token.strip(PUNCTUATION)) is not None


def _cores(token: str, bare: str) -> Iterator[str]:
    """What of a token may be the word: without punctuation, with the signs at its ends that may be masks, and without the full stop."""
    whole = token.strip(PUNCTUATION)
    seen = dict.fromkeys((whole.removesuffix("."), whole, bare, token.rstrip(EDGES), token.lstrip(EDGES), token))
    return (core for core in seen if core)
