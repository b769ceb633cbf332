"""Arabic in Latin letters, from a vocalized reading: chat spelling with digits ("3aaj") and without ("aaj").

Without its vowels a word cannot be read aloud by rule, so an entry without `reading` gets none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from msgspec import Struct

from wildgate_service.lexicon.spellings.tables import rows

VOWEL_BEFORE_SHADDA = re.compile("([\u064b-\u0650])\u0651")  # the order that NFC makes
ARTICLE = re.compile("^ا\u064e?ل\u0652?(?=\\w)")
DOUBLED_BY_ARTICLE = re.compile("^(\\w)\u0651")
SUKUN = "\u0652"
AT_END = re.compile("\u0651[\u064b-\u0650]?$")
WRITTEN_TWICE, WRITTEN_ONCE = 1, 2


class Manner(Struct, frozen=True):
    """A way of writing: column of letters and of long vowels in the table, and the article."""

    letters: int
    length: int
    article: str


DIGITS, PLAIN, COLLOQUIAL_DIGITS, COLLOQUIAL_PLAIN = 1, 2, 3, 4
MANNERS = (
    Manner(DIGITS, WRITTEN_ONCE, "el"),
    Manner(PLAIN, WRITTEN_ONCE, "el"),
    Manner(COLLOQUIAL_DIGITS, WRITTEN_ONCE, "el"),
    Manner(COLLOQUIAL_PLAIN, WRITTEN_ONCE, "el"),
    Manner(DIGITS, WRITTEN_TWICE, "el"),
    Manner(PLAIN, WRITTEN_TWICE, "el"),
    Manner(DIGITS, WRITTEN_ONCE, "al"),
    Manner(PLAIN, WRITTEN_ONCE, "al"),
)


def arabizi(form: str, language: str, reading: str) -> Iterator[str]:
    """With digits and without, as in books and as spoken, long vowels as one letter or two, the article as el and al."""
    del form, language
    words = [VOWEL_BEFORE_SHADDA.sub("\u0651\\1", unicodedata.normalize("NFC", word)) for word in reading.split()]
    yield from (" ".join(_word(word, manner) for word in words) for manner in MANNERS if words)


def _word(word: str, manner: Manner) -> str:
    """A word, its article apart; what the article doubles in speech, and what is doubled at the end, is written once."""
    rest = ARTICLE.sub("", word)
    article = f"{manner.article} " if rest != word else ""
    return article + _spell(AT_END.sub("", DOUBLED_BY_ARTICLE.sub(r"\1", rest) if article else rest), manner)


def _spell(word: str, manner: Manner) -> str:
    letters, long_vowels = _table("letter"), _table("long")
    written = ""
    last = ""
    for part in _pattern().findall(word.replace(SUKUN, "")):
        if part in long_vowels:
            last = long_vowels[part][manner.length]
        elif part in letters:
            row = letters[part]
            last = row[manner.letters if manner.letters < len(row) else manner.letters - 2]
        written += last  # of a shadda, the consonant before it once more
    return written


@cache
def _table(kind: str) -> dict[str, tuple[str, ...]]:
    """Letters or vowels of a kind → their row, less the kind."""
    return {row[1]: row[1:] for row in rows("arabic.tsv") if row[0] == kind}


@cache
def _pattern() -> re.Pattern[str]:
    """Long vowels first, where no vowel of their own makes them consonants; then any letter."""
    return re.compile(f"(?:{'|'.join(_table('long'))})(?![\u064b-\u0651])|.")
