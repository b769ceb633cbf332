"""What "short" and "mixed" mean, by script."""

from __future__ import annotations

import re
import unicodedata

# Characters of a script that carry its words, and how many of them are too few to stand alone.
UNITS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile("[\u3400-\u4dbf\u4e00-\u9fff]"), 1),  # Han
    (re.compile("[\uac00-\ud7a3]"), 1),  # Hangul syllables
    (re.compile("[\u3041-\u30fa\u30fc]"), 2),  # kana
    (re.compile("[\u0e01-\u0e2e\u0e81-\u0eae\u0edc-\u0edf]"), 2),  # Thai and Lao consonants
    (re.compile("[\u1780-\u17a2]"), 2),  # Khmer consonants
    (re.compile("[\u1000-\u1021](?![\u1039\u103a])"), 1),  # Myanmar consonants that begin a syllable
    (re.compile("[\u0904-\u0939\u0958-\u0961]"), 2),  # Devanagari letters
    (re.compile("[\u0985-\u09b9\u09dc-\u09df]"), 2),  # Bengali letters
    (re.compile("[\u0b85-\u0bb9]"), 2),  # Tamil letters
    (re.compile("[\u0620-\u064a]"), 3),  # Arabic
    (re.compile("[a-z\u00df-\u024f\u0370-\u052f\u1e00-\u1fff]"), 4),  # Latin, Greek, Cyrillic
)
LOOK_ALIKE = (re.compile(r"LATIN "), re.compile(r"CYRILLIC "), re.compile(r"GREEK "))
WORD = re.compile(r"[^\W\d_]{2,}")


def is_short(folded: str) -> bool:
    """Whether a folded form has too few characters of its script to mean one thing only; never for one of several words or scripts."""
    if not folded or " " in folded or not all(char.isalpha() or unicodedata.category(char).startswith("M") for char in folded):
        return bool(folded) and folded.isascii() and len(folded) <= UNITS[-1][1]
    counts = [(len(unit.findall(folded)), most) for unit, most in UNITS]
    present = [(count, most) for count, most in counts if count]
    return len(present) == 1 and present[0][0] <= present[0][1]


def mixed_word(form: str) -> str:
    """A word of Latin, Cyrillic and Greek letters mixed, or ""."""
    return "" if form.isascii() else next((word for word in WORD.findall(form) if _is_mixed(word)), "")


def _is_mixed(word: str) -> bool:
    names = [unicodedata.name(char, "") for char in word]
    return sum(any(script.match(name) for name in names) for script in LOOK_ALIKE) > 1
