"""Misspelling: words one edit away from a word of the lexicon; with them words masked (`masked`) and written in signs (`decipher`).

A word that ordinary writing knows (`ordinary_words.tsv`) is never read as another. What is found reads the whole text with such words put
right, so that a form of several words is found with one of them misspelled.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from rapidfuzz.distance import OSA

from wildgate_service.match.decipher import AROUND, Decipherer, is_strange
from wildgate_service.match.masked import MaskedWords, is_masked
from wildgate_service.match.views import MASKED, MISSPELLING
from wildgate_service.normalize.layers import BACKWARDS

SHORTEST = 4  # letters of a word that bears a misspelling
SHORTEST_BACKWARDS = 5  # letters of one that is read from its end to its beginning
LONGEST = 24
MOST_REMEMBERED = 100_000
LONGEST_REMEMBERED = 32
MOST_READINGS = 4
FEWEST_SHORT = 3  # words shorter than that, in a text that has no longer one
WORD = re.compile(r"(?<![^\W_])[^\W\d_]{4,25}(?![^\W_])")
ANY_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{2,25}(?![^\W_])")  # short ones too, which are read where letters are masked or drawn


class Edit(NamedTuple):
    """`[start, end)` of a corrected text stands for `[source_start, source_end)` of the text it was made from."""

    start: int
    end: int
    source_start: int
    source_end: int
    views: tuple[str, ...]


class Corrected(NamedTuple):
    """A text with misspelled words put right; `edits` ascend and do not overlap."""

    text: str
    edits: tuple[Edit, ...]

    def to_source(self, start: int, end: int) -> tuple[int, int, tuple[Edit, ...]] | None:
        """Span in the source of a span that begins and ends at word boundaries, and the edits in it; None if there is none."""
        last = bisect_left(self.edits, end, key=lambda edit: edit.start)
        first = bisect_right(self.edits, start, key=lambda edit: edit.end)
        if first >= last:
            return None
        inside = self.edits[first:last]
        before = self.edits[first - 1] if first else None
        shift = before.source_end - before.end if before else 0
        return start + shift, end + inside[-1].source_end - inside[-1].end, inside


class _Found(NamedTuple):
    """A word that is none of the lexicon's, and the words of it that it may stand for."""

    start: int
    end: int
    words: tuple[str, ...]
    views: tuple[str, ...]


class Speller:
    """Finds the words of a vocabulary that a word may be a misspelling of.

    Of a word with one edit, one half is intact: an index holds both halves of each word with its length.
    """

    def __init__(self, vocabulary: frozenset[str], ordinary: frozenset[str]) -> None:
        self._vocabulary = vocabulary
        self._ordinary = ordinary
        self._halves: dict[tuple[int, bool, str], list[str]] = {}
        self._masked = MaskedWords(vocabulary, ordinary)
        self._deciphered = Decipherer(vocabulary, ordinary)
        self._memo: dict[str, tuple[_Found, ...]] = {}
        for word in sorted(vocabulary):
            if len(word) >= SHORTEST:
                half = len(word) // 2
                self._halves.setdefault((len(word), False, word[:half]), []).append(word)
                self._halves.setdefault((len(word), True, word[half:]), []).append(word)

    def corrected(self, skeleton: str) -> list[Corrected]:
        """Readings of a text with its misspelled and masked words put right; none if there is no such word."""
        tokens = skeleton.split()
        memo = self._memo
        meant = [found if (found := memo.get(token)) is not None else self._remember(token) for token in tokens]
        if not any(meant) or not _is_more_than_chance(meant):
            return []
        wrong = list(_placed(skeleton, tokens, meant))
        return [_apply(skeleton, wrong, choice) for choice in range(max(min(MOST_READINGS, len(each.words)) for each in wrong))]

    def _remember(self, token: str) -> tuple[_Found, ...]:
        """What the words of a token between blanks may mean, kept in a memo that is emptied when full.

        A longer token is text without blanks and left alone.
        """
        if len(token) > LONGEST_REMEMBERED:
            return ()
        meant = self._disguised(token) or tuple(self._misspelled(token))
        if len(self._memo) >= MOST_REMEMBERED:
            self._memo.clear()
        self._memo[token] = meant
        return meant

    def _misspelled(self, token: str) -> Iterator[_Found]:
        for found in WORD.finditer(token):
            words = self._words_meant(found[0])
            if words:
                yield _Found(found.start(), found.end(), words, (MISSPELLING,))
            elif self._stands_backwards(found[0]):
                yield _Found(found.start(), found.end(), (found[0][::-1],), (BACKWARDS,))

    def _stands_backwards(self, word: str) -> bool:
        """Whether a word that nobody knows is one of the vocabulary from its end to its beginning."""
        known = word in self._vocabulary or word in self._ordinary
        return len(word) >= SHORTEST_BACKWARDS and not known and word[::-1] in self._vocabulary

    def _disguised(self, token: str) -> tuple[_Found, ...]:
        """The word that a token is written for with letters masked, or with signs for letters."""
        core = token.strip(AROUND)
        if not is_strange(core) and (core.isalpha() or not is_masked(token)):
            return ()
        masked = self._masked.read(token)
        if masked:
            return (_Found(*masked, (MASKED,)),)
        deciphered = self._deciphered.read(token)
        return (_Found(*deciphered),) if deciphered else ()

    def _words_meant(self, word: str) -> tuple[str, ...]:
        """Words of the vocabulary one edit away (insertion, deletion, substitution, transposition: OSA distance 1)."""
        if not SHORTEST <= len(word) <= LONGEST or word in self._vocabulary or word in self._ordinary:
            return ()
        candidates: dict[str, None] = {}
        for length in (len(word), len(word) + 1, len(word) - 1):
            half = length // 2
            candidates |= dict.fromkeys(self._halves.get((length, False, word[:half]), ()))
            candidates |= dict.fromkeys(self._halves.get((length, True, word[half - length :]), ()))
        middle = len(word) // 2
        swapped = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
        if swapped in self._vocabulary and len(swapped) >= SHORTEST:
            candidates[swapped] = None
        return tuple(each for each in candidates if OSA.distance(word, each, score_cutoff=1) == 1)


def _is_more_than_chance(meant: list[tuple[_Found, ...]]) -> bool:
    """Whether a longer word is found, or several short ones: "a+" alone is no "at"."""
    found = [each for of_token in meant for each in of_token]
    return len(found) >= FEWEST_SHORT or any(len(each.words[0]) >= SHORTEST for each in found)


def _placed(skeleton: str, tokens: list[str], meant: list[tuple[_Found, ...]]) -> Iterator[_Found]:
    """What was found in the tokens of a text, at its place in the text."""
    at = 0
    for token, found in zip(tokens, meant, strict=True):
        at = skeleton.index(token, at)
        for each in found:
            yield each._replace(start=at + each.start, end=at + each.end)
        at += len(token)


def _apply(skeleton: str, found: list[_Found], choice: int) -> Corrected:
    """The text with each word found put right by its reading number `choice`, or its last."""
    pieces: list[str] = []
    edits: list[Edit] = []
    kept = length = 0
    for start, end, words, views in sorted(found):
        if start < kept:
            continue
        word = words[min(choice, len(words) - 1)]
        pieces += [skeleton[kept:start], word]
        length += start - kept
        edits.append(Edit(length, length + len(word), start, end, views))
        length += len(word)
        kept = end
    return Corrected("".join([*pieces, skeleton[kept:]]), tuple(edits))


def one_deletion(word: str) -> set[str]:
    """The word with each one letter left out."""
    return {word[:at] + word[at + 1 :] for at in range(len(word))}
