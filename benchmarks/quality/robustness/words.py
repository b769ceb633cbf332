"""Cutting a field into words and choosing which of them a disguise touches, without knowing what they mean."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

LEADING_VOWELS = frozenset("เแโใไເແໂໃໄ")  # Thai and Lao vowels written before their consonant
JOINERS = frozenset("\u094d\u1039\u17d2")  # signs that stack the next consonant under this one
UNSPACED = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x30FF), (0x3400, 0x9FFF))
CHUNK = 2  # clusters of what counts as a word where words are not spaced; a rest of one joins the chunk before it
LEAST_LETTERS = 3  # a shorter word of a spaced script is left alone
SHORT_WORDS = {"hi": 2, "ko": 2, "vi": 2}  # the same for languages whose words are short


@dataclass(frozen=True)
class Strength:
    """How hard a disguise is: the share of eligible words touched, the share of letters in a touched word, and 1, 2 or 3."""

    name: str
    words: float
    letters: float
    level: int


STRENGTHS = (Strength("light", 0.25, 0.34, 1), Strength("medium", 0.5, 0.5, 2), Strength("heavy", 1.0, 1.0, 3))


@dataclass(frozen=True)
class Token:
    """A piece of a field; `eligible` says whether it is a word that may be touched."""

    text: str
    eligible: bool


def clusters(text: str) -> list[str]:
    """What a reader takes for one letter: a base with its marks, stacked consonants and vowels written before."""
    found: list[str] = []
    for char in text:
        if found and (unicodedata.category(char)[0] == "M" or found[-1][-1] in JOINERS or found[-1] in LEADING_VOWELS):
            found[-1] += char
        else:
            found.append(char)
    return found


def is_unspaced(text: str) -> bool:
    """Whether the text is written without blanks between words."""
    return any(low <= ord(char) <= high for char in text for low, high in UNSPACED)


def tokens(field: str, language: str) -> list[Token]:
    """The field cut into words and what lies between; joined they are the field again."""
    least = SHORT_WORDS.get(language, LEAST_LETTERS)
    runs = itertools.groupby(field, key=_kind)
    return [token for (letters, unspaced), run in runs for token in _tokens_of("".join(run), least, letters=letters, unspaced=unspaced)]


def _kind(char: str) -> tuple[bool, bool]:
    return unicodedata.category(char)[0] in "LMN", is_unspaced(char)


def _tokens_of(run: str, least: int, *, letters: bool, unspaced: bool) -> list[Token]:
    if not letters or run.isnumeric():
        return [Token(run, eligible=False)]
    if unspaced:
        return [Token(chunk, eligible=True) for chunk in _chunks(clusters(run))]
    return [Token(run, eligible=len(clusters(run)) >= least)]


def _chunks(parts: list[str]) -> list[str]:
    starts = range(0, max(1, len(parts) - len(parts) % CHUNK), CHUNK)
    bounds = [*starts, len(parts)]
    return ["".join(parts[start:end]) for start, end in itertools.pairwise(bounds)]


def touched(eligible: Iterable[int], share: float, order: Random) -> frozenset[int]:
    """A share of the places, at least one. The same `order` gives a larger share all places of a smaller one."""
    places = list(eligible)
    order.shuffle(places)
    return frozenset(places[: max(1, round(share * len(places)))])
