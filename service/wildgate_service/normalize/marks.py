"""Protected marks: the fold that keeps diacritics, for languages in which they tell words apart."""

from __future__ import annotations

import unicodedata

from wildgate_service.normalize.fold import drop_invisible, fold_compatibility

MOST_MARKS = 1.5  # marks a letter; ế has two, but no word has them on every letter
# Marks that no spelling of a language has: strokes and enclosures through letters.
NOISE = frozenset(map(chr, (*range(0x0332, 0x0340), 0x0488, 0x0489, *range(0x20D0, 0x20F1))))

TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
# The letters that Vietnamese writes with marks, the only language whose marks are protected by rule.
VIETNAMESE = frozenset(unicodedata.normalize("NFC", vowel + tone) for vowel in "aăâeêioôơuưy" for tone in TONES) | {"đ"}
FEWEST_FOREIGN = 2  # letters with marks that the language does not have, before none of the marks is believed


def fold_with_marks(text: str) -> str:
    """Case, width and blanks folded, invisible characters and noise dropped, marks kept, composed (NFC)."""
    seen = "".join(char for char in map(drop_invisible, fold_compatibility(text)) if char not in NOISE)
    return " ".join(unicodedata.normalize("NFC", seen).split())


def has_marks(text: str) -> bool:
    """Whether a Latin letter of the text bears a mark, or is đ."""
    if text.isascii():
        return False
    lowered = text.lower()
    return "đ" in lowered or any("\u0300" <= char <= "\u036f" for char in unicodedata.normalize("NFD", lowered))


def is_noisy(text: str) -> bool:
    """Whether so many marks are heaped on the letters that none of them says anything."""
    pulled_apart = unicodedata.normalize("NFD", text)
    marks = sum("\u0300" <= char <= "\u036f" for char in pulled_apart)
    return marks > MOST_MARKS * sum(map(str.isalpha, pulled_apart))


def marks_of(text: str) -> list[str]:
    """The marks on each letter that bears some, whatever the letter: what is left of the spelling in a disguise; equal neighbors once."""
    marks: list[str] = []
    bare = True
    own = "".join(char for char in unicodedata.normalize("NFC", text) if not _is_foreign(char.lower()))
    for char in unicodedata.normalize("NFD", own):
        if not "\u0300" <= char <= "\u036f" or char in NOISE:
            bare = True
        elif bare:
            marks.append(char)
            bare = False
        else:
            marks[-1] += char
    return [mark for at, mark in enumerate(marks) if at == 0 or mark != marks[at - 1]]


def are_among(marks: list[str], expected: list[str]) -> bool:
    """Whether marks stand among the expected ones in the same order."""
    rest = iter(expected)
    return all(mark in rest for mark in marks)


def foreign_letters(text: str) -> int:
    """How many letters bear marks that Vietnamese does not give them: marks that somebody put there for their look."""
    return sum(map(_is_foreign, unicodedata.normalize("NFC", text.lower())))


def _is_foreign(char: str) -> bool:
    return "\u00c0" <= char < "\u2000" and char not in VIETNAMESE and char.isalpha() and len(unicodedata.normalize("NFD", char)) > 1
