"""Training texts in disguise: misspelled, masked, spaced out, in Latin letters.

Offers and ordinary texts alike, so that a disguise alone says nothing. Made from what the service itself knows of
letters; the disguises that `benchmarks/quality/robustness.py` measures with are others.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace as replaced
from functools import cache

from msgspec.structs import replace

from wildgate_service.model.authored import AuthoredText
from wildgate_service.model.training_data import Negative, is_for_calibration, is_held_out
from wildgate_service.normalize import fold, tables
from wildgate_service.normalize.sound import OTHER_SCRIPT, letter_in_latin

SHARE, ORDINARY_SHARE = 0.4, 0.05  # of authored and of real texts that are trained on
STRENGTHS = (0.2, 0.5, 1.0)  # share of the words that are touched
PIECE = re.compile(r"\s+|[^\W\d_]+|\d+|.", re.DOTALL)
WITHOUT_BLANKS = re.compile(
    "[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u4e00-\u9fff]{5,}"
)  # scripts that have none between words
LONGEST_WORD = 4  # characters of such a script that count as a word
FEWEST = 3  # letters of a word that is touched
VOWELS = re.compile("[aeiou]")
SEPARATORS = (" ", ".", "-", "_", "*", "/", "\u200b")
DIGITS = str.maketrans("aeiost", "431057")
FURTHER = (2, 3)  # times that a letter is repeated

Change = Callable[[str, random.Random], str]


def disguised(texts: Sequence[AuthoredText], seed: int) -> list[AuthoredText]:
    """So many of the authored texts that are trained on, in disguise; labels stay."""
    chance = random.Random(seed)  # noqa: S311  (a seed, no secret)
    return [replace(each, text=in_disguise(each.text, chance)) for each in texts if not each.is_kept and chance.random() < SHARE]


def ordinary_disguised(negatives: Sequence[Negative], seed: int) -> list[Negative]:
    """The same of real texts."""
    chance = random.Random(seed)  # noqa: S311  (a seed, no secret)
    trained = (each for each in negatives if not (is_held_out(each.id) or is_for_calibration(each.id)))
    return [replaced(each, text=in_disguise(each.text, chance)) for each in trained if chance.random() < ORDINARY_SHARE]


def in_disguise(text: str, chance: random.Random) -> str:
    """A text with some of its words, or all, touched in one way."""
    changes = (*CHANGES, _in_latin, _in_latin) if OTHER_SCRIPT.search(text) else CHANGES
    change, strength = chance.choice(changes), chance.choice(STRENGTHS)
    return "".join(
        change(word, chance) if len(word) >= FEWEST and word[0].isalpha() and chance.random() < strength else word for word in _words(text)
    )


def _words(text: str) -> list[str]:
    """The words of a text and what stands between them."""
    found: list[str] = []
    for piece in PIECE.findall(text):
        if WITHOUT_BLANKS.fullmatch(piece):
            found += [piece[at : at + LONGEST_WORD] for at in range(0, len(piece), LONGEST_WORD)]
        else:
            found.append(piece)
    return found


def _slip(word: str, chance: random.Random) -> str:
    """A letter dropped, doubled, moved, or its neighbor on the keyboard instead."""
    at = chance.randrange(len(word) - 1)
    beside = _neighbors().get(word[at].lower(), word[at])
    new = chance.choice(("", word[at] * 2, word[at + 1] + word[at], chance.choice(beside)))
    return word[:at] + new + word[at + (2 if len(new) == 2 and new[0] != new[1] else 1) :]  # noqa: PLR2004  (two letters that changed places)


def _slips(word: str, chance: random.Random) -> str:
    return _slip(_slip(word, chance) + " ", chance).rstrip()


def _masked(word: str, chance: random.Random) -> str:
    """A vowel, or any inner letter, behind a sign."""
    places = [match.start() for match in VOWELS.finditer(word)] or range(1, len(word))
    at = chance.choice(places)
    return word[:at] + chance.choice("*#_.") + word[at + 1 :]


def _spaced(word: str, chance: random.Random) -> str:
    return chance.choice(SEPARATORS).join(word)


def _split(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word))
    return word[:at] + chance.choice(SEPARATORS) + word[at:]


def _in_digits(word: str, chance: random.Random) -> str:
    del chance
    return word.translate(DIGITS)


def _stretched(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word))
    return word[:at] + word[at] * chance.choice(FURTHER) + word[at:]


def _without_marks(word: str, chance: random.Random) -> str:
    del chance
    return "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))


def _in_latin(word: str, chance: random.Random) -> str:
    """In Latin letters, letter by letter; sometimes with a blank behind, as the words of scripts without blanks are written."""
    return "".join(map(letter_in_latin, fold(word))) + chance.choice(("", "", " "))


@cache
def _neighbors() -> dict[str, str]:
    return dict(tables.read_pairs("keyboard_neighbors.tsv"))


CHANGES: tuple[Change, ...] = (_slip, _slips, _slips, _masked, _spaced, _split, _in_digits, _stretched, _without_marks)
