"""Training texts as sellers disguise them, so that a model reads what is left of the words, and takes no disguise for an offer by itself.

Offers and innocent texts are disguised alike. The tables are those of the normalization; what measures robustness disguises by means of
its own (`benchmarks/quality/robustness`).
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from random import Random
from typing import NamedTuple, TypeVar

import msgspec

from wildgate_service.model.authored import AuthoredText
from wildgate_service.model.training_data import Negative, is_for_calibration, is_held_out
from wildgate_service.normalize import tables

SHARE = 0.5  # of the texts of a set that get a copy in disguise
WORD = re.compile(r"[^\W\d_][\w\u0300-\u036f]*")
SPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{3,}")  # no blank says where a word ends
PIECE = 2  # code points of such a run that are disguised as if they were a word
WORDS = (0.3, 0.6, 1.0)  # shares of the words of a text
LETTERS = (0.15, 0.3, 0.5)  # shares of the letters of a word that a table is used on
LEAST = 3  # letters of a word that is disguised
LONG = 6  # letters of a word in which two slips may happen
VOWELS = frozenset("aeiouyáàâãäéèêëíìîïóòôõöúùûüаеиоуыэюя")
MASKS = ("*", "_", ".", "-", "")
SIGNS = (".", "-", "_", "*", " ")

Text = TypeVar("Text", AuthoredText, Negative)
Disguise = Callable[[str, float, Random], str]  # of a word, by a share of its letters


class Disguised(NamedTuple):
    """Copies of texts that models are trained on, in disguise; labels and sources are those of the texts."""

    written: list[AuthoredText]
    negatives: list[Negative]


def disguised(written: Iterable[AuthoredText], negatives: Iterable[Negative], seed: int) -> Disguised:
    """A share of either set, of what is trained on alone, each text in a disguise that the seed draws."""
    trained = (text for text in written if not text.is_kept)
    ordinary = (text for text in negatives if not (is_held_out(text.id) or is_for_calibration(text.id)))
    return Disguised(
        [msgspec.structs.replace(text, text=found) for text, found in _changed(trained, seed)],
        [dataclasses.replace(text, text=found) for text, found in _changed(ordinary, seed)],
    )


def _changed(texts: Iterable[Text], seed: int) -> Iterator[tuple[Text, str]]:
    chance = Random(seed)  # noqa: S311  (a seed, no secret)
    chosen = (text for text in texts if chance.random() < SHARE)
    return ((text, found) for text in chosen if (found := in_disguise(text.text, chance)) != text.text)


def in_disguise(text: str, chance: Random) -> str:
    """A text with a share of its words disguised in one way."""
    way = chance.choice(WAYS)
    words, letters = chance.choice(WORDS), chance.choice(LETTERS)

    def touched(word: str) -> str:
        return way(word, letters, chance) if chance.random() < words else word

    def of_word(found: re.Match[str]) -> str:
        word = found.group()
        if SPACED.search(word):
            return "".join(touched(word[start : start + PIECE]) for start in range(0, len(word), PIECE))
        return touched(word) if len(word) >= LEAST else word

    return WORD.sub(of_word, text)


def slipped(word: str, _letters: float, chance: Random) -> str:
    """Slips of the hand: a letter left out, doubled, swapped with the next, or a neighboring key; two in a long word now and then."""
    for _ in range(chance.choice((1, 2)) if len(word) >= LONG else 1):
        word = chance.choice(SLIPS)(word, chance.randrange(len(word)), chance)
    return word


def _lost(word: str, at: int, _chance: Random) -> str:
    return word[:at] + word[at + 1 :] or word


def _doubled(word: str, at: int, _chance: Random) -> str:
    return word[: at + 1] + word[at:]


def _swapped(word: str, at: int, _chance: Random) -> str:
    return word[:at] + word[at : at + 2][::-1] + word[at + 2 :]


def _key_beside(word: str, at: int, chance: Random) -> str:
    return word[:at] + _instead(word[at], "keyboard_neighbors.tsv", chance) + word[at + 1 :]


def _instead(char: str, table: str, chance: Random) -> str:
    """What a table of letters has for a letter, or itself."""
    others = _letters_of(table).get(char.lower())
    return chance.choice(others) if others else char


@cache
def _letters_of(table: str) -> dict[str, str]:
    return dict(tables.read_pairs(table))


@cache
def _signs() -> dict[str, str]:
    """Digits and signs by the letter that they are written for."""
    found = defaultdict[str, str](str)
    for sign, letters in tables.read("leet.tsv"):
        for letter in letters:
            found[letter] += sign
    return dict(found)


@cache
def _in_latin() -> dict[str, str]:
    """Letters and Han characters in Latin letters."""
    return dict(tables.read("letters_in_latin.tsv")) | dict(tables.read("pinyin.tsv"))


def _letter_by_letter(change: Callable[[str, Random], str]) -> Disguise:
    """A disguise of a share of the letters, of one at least."""

    def disguise(word: str, letters: float, chance: Random) -> str:
        sure = chance.randrange(len(word))
        return "".join(change(char, chance) if at == sure or chance.random() < letters else char for at, char in enumerate(word))

    return disguise


def romanized(word: str, _letters: float, _chance: Random) -> str:
    """In Latin letters, one by one."""
    latin = _in_latin()
    return "".join(latin.get(char, char) for char in word)


misread = _letter_by_letter(lambda char, chance: _instead(char, "misread_letters.tsv", chance))
mistyped = _letter_by_letter(lambda char, chance: _instead(char, "keyboard_neighbors.tsv", chance))
masked = _letter_by_letter(lambda char, chance: chance.choice(MASKS) if char.lower() in VOWELS else char)
in_signs = _letter_by_letter(lambda char, chance: chance.choice(_signs().get(char.lower(), char)))
parted = _letter_by_letter(lambda char, chance: char + chance.choice(SIGNS))

SLIPS = (_lost, _doubled, _swapped, _key_beside)
WAYS: tuple[Disguise, ...] = (slipped, slipped, misread, mistyped, masked, in_signs, parted, romanized)
