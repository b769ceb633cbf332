"""Masked words: words of the lexicon with letters masked (iv*ry, r_n_c_ront_).

At least two letters must be seen, and two in five of them all. An index of pairs of letters with their places finds the candidates.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from wildgate_service.match.candidates import Index

LONGEST = 24
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


class MaskedWords:
    """Finds the words of a vocabulary that a token with masked letters may be."""

    def __init__(self, vocabulary: frozenset[str], ordinary: Container[str], index: Index | None = None) -> None:
        """`index`, if it is made already, is that of masked words' `index`."""
        self._vocabulary = vocabulary
        self._ordinary = ordinary
        self.index: Index = _pairs_of_letters(vocabulary) if index is None else index  # keys → words, in the order of the alphabet

    def read(self, token: str) -> tuple[int, int, tuple[str, ...]] | None:
        """Where in a token the masked word stands, and the words that it may be; None if there is none."""
        bare = token.strip(EDGES)
        if not is_masked(token) or not bare or (bare[0] == bare[-1] and bare[0] in MASKS and len(bare) > 1):
            return None  # nothing masked, or *word*, as marked text is written
        for core in _cores(token, bare):
            words = self._words_meant(core) if MASKED.fullmatch(core) and self._masks_its_ends(core) else ()
            if words:
                start = token.index(core)
                return start, start + len(core), words
        return None

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
        candidates = self.index.get((len(core), seen[0], core[seen[0]], seen[1], core[seen[1]]), ())
        hidden = [at for at in range(len(core)) if at not in seen]
        words = tuple(
            sorted(
                (word for word in candidates if all(core[at] == word[at] for at in seen)),
                key=lambda word: sum(word[at] not in VOWELS for at in hidden),
            )
        )
        return words if len(words) == 1 or 2 * len(seen) >= len(core) else ()


def _pairs_of_letters(words: frozenset[str]) -> Index:
    """(length, place, letter, place, letter) → the words that have these."""
    index: Index = {}
    for word in sorted(words):
        for one in range(min(FIRST_SEEN, len(word))):
            for other in range(one + 1, min(one + 1 + FIRST_SEEN, len(word))):
                index.setdefault((len(word), one, word[one], other, word[other]), []).append(word)
    return index


def is_masked(token: str) -> bool:
    """Whether signs that mask letters stand in a token."""
    return MASK.search(token.strip(PUNCTUATION)) is not None


def _cores(token: str, bare: str) -> Iterator[str]:
    """What of a token may be the word: without punctuation, with the signs at its ends that may be masks, and without the full stop."""
    whole = token.strip(PUNCTUATION)
    seen = dict.fromkeys((whole.removesuffix("."), whole, bare, token.rstrip(EDGES), token.lstrip(EDGES), token))
    return (core for core in seen if core)
