"""Japanese in kana and in Latin letters, of a form in kana or of its entry's reading."""

from __future__ import annotations

import re
from collections.abc import Iterator

import jaconv

KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fc\u30fb ]+")
LATIN = re.compile(r"[a-z ]+")
LONG_VOWELS = re.compile(r"oo|ou|uu")


def syllabaries(form: str, language: str, reading: str) -> Iterator[str]:
    """The reading of a form that is not all kana; which kana it is written in is the bare reading's to see."""
    del language
    if KANA.fullmatch(reading) and not KANA.fullmatch(form):
        yield reading


def romaji(form: str, language: str, reading: str) -> Iterator[str]:
    """As typed into a computer ("zouge", wapuro) and as on signs ("zoge", Hepburn without marks); words apart and joined."""
    del language
    typed = jaconv.kana2alphabet(jaconv.kata2hira(_kana(form, reading))).replace("-", "").replace("・", " ")
    if not LATIN.fullmatch(typed):
        return
    for written in (typed, LONG_VOWELS.sub(lambda vowel: vowel[0][0], typed)):
        yield written
        yield written.replace(" ", "")


def _kana(form: str, reading: str) -> str:
    """The reading, or a form that is its own; empty if neither is all kana."""
    return next((text for text in (reading, form) if KANA.fullmatch(text)), "")
