"""Arabic, Burmese, Khmer and Lao in Latin letters, each letter by itself, as machines write and who knows no scheme: ကတိုး → "katiu".

A consonant of Burmese and Khmer has its own vowel where no other stands behind it; of Khmer, a or o by its series.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from wildgate_service.normalize import fold
from wildgate_service.normalize.sound import letter_in_latin

OWN_VOWELS = {
    **dict.fromkeys(map(chr, (*range(0x1000, 0x1022), *range(0x103B, 0x103F))), "a"),  # and consonants that are signs under others
    **dict.fromkeys(map(chr, range(0x1780, 0x17A3)), "o"),
    **dict.fromkeys("កខចឆដឋណតថបផសហឡអ", "a"),
}
SHORTENING = "\u17cb"  # a sign of Khmer that leaves its consonant the vowel


def letter_by_letter(form: str, language: str, reading: str) -> Iterator[str]:
    """With the vowels that consonants have by themselves, and without."""
    del language, reading
    folded = fold(form).strip()
    bare = "".join(map(letter_in_latin, folded))
    if not bare.isascii():
        return
    yield "".join(
        letter_in_latin(char) + ("" if _takes_vowel(after) else OWN_VOWELS.get(char, ""))
        for char, after in zip(folded, folded[1:] + " ", strict=True)
    )
    yield bare


def _takes_vowel(char: str) -> bool:
    """Whether a sign takes the vowel of the consonant before it."""
    return unicodedata.category(char).startswith("M") and char != SHORTENING
