"""How a form in another script sounds: what the sound reading of a text (`normalize.sound`) is searched for.

    form, its spellings in Latin letters ─→ Latin letters ─→ code: consonants if there are enough, else consonants and vowels

Letter by letter, as a machine or somebody who does not know better writes; and as it is pronounced, by the generators of `spellings`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from msgspec import Struct

from wildgate_service.lexicon.spellings import ROMANIZED, spellings
from wildgate_service.normalize import fold
from wildgate_service.normalize.sound import CONSONANTS, FULL, HAN, OTHER_SCRIPT, codes_of, in_latin

FEWEST_CONSONANTS = 5
FEWEST_OF_ABUGIDA = 4  # where vowels are often left out, or written in many ways
SHORTEST = 4  # letters of a code with vowels
MOST = 8
ABUGIDA = re.compile("[\u0620-\u109f\u1780-\u17d3]")  # and Arabic, which is written without vowels
KANA_OR_NOT = re.compile("[\u3041-\u30ff]+|[^\u3041-\u30ff]+")
KANA = re.compile("[\u3041-\u30ff]+")


class Sound(Struct, frozen=True, array_like=True):
    """A way in which a form sounds: the code that is searched for, and the Latin letters that what is found is held against."""

    code: str
    latin: str


def sounds_of(form: str, language: str, reading: str) -> tuple[Sound, ...]:
    """The ways in which a form sounds; none for one in Latin letters or too short to be told by it."""
    folded = fold(form).strip()
    if not OTHER_SCRIPT.search(folded):
        return ()
    found: dict[str, Sound] = {}
    for latin in _in_latin(folded, form, language, reading):
        letters = re.sub("[ '-]", "", latin)
        code = code_of(letters, FEWEST_OF_ABUGIDA if ABUGIDA.search(folded) else FEWEST_CONSONANTS)
        if code and len(found) < MOST:
            found.setdefault(letters, Sound(code, letters))
    return tuple(found.values())


def code_of(latin: str, fewest: int = FEWEST_CONSONANTS) -> str:
    """What is searched for of a form in Latin letters; empty if it is too short, or so long that nobody searches for it."""
    full, consonants = codes_of(latin)
    if len(consonants) >= fewest:
        return consonants if len(consonants) <= CONSONANTS.longest else ""
    return full if SHORTEST <= len(full) <= FULL.longest else ""


def _in_latin(folded: str, form: str, language: str, reading: str) -> Iterator[str]:
    """A form in Latin letters, letter by letter and as it is pronounced; Japanese with and without its Han characters."""
    if language == "ja":
        yield from _japanese(folded, reading)
    else:
        yield in_latin(folded, keeps_han=False)
    yield from (in_latin(fold(each.text), keeps_han=False) for each in spellings(form, language, reading) if each.view in ROMANIZED)


def _japanese(folded: str, reading: str) -> Iterator[str]:
    """Each run of Han characters as it is or by its part of the reading."""
    pieces = KANA_OR_NOT.findall(folded)
    parts = _parts_of(pieces, fold(reading)) if HAN.search(folded) else pieces
    choices = [dict.fromkeys((piece, part)) for piece, part in zip(pieces, parts, strict=True)]
    yield from (in_latin("".join(chosen), keeps_han=True) for chosen in product(*choices))


def _parts_of(pieces: list[str], reading: str) -> list[str]:
    """The part of a reading that each piece has, told apart by the kana between them; the pieces where that fails."""
    pattern = "".join(f"({re.escape(_one_kana(piece))})" if KANA.fullmatch(piece) else "(.+?)" for piece in pieces)
    found = re.fullmatch(pattern, _one_kana(reading))
    return list(found.groups()) if found else pieces


def _one_kana(text: str) -> str:
    """Katakana as hiragana."""
    return "".join(chr(ord(char) - 0x60) if "\u30a1" <= char <= "\u30f6" else char for char in text)
