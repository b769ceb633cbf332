"""Letters replaced by others that look alike or stand for them: tables computed from Unicode's names, or of this benchmark's own."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path

from robustness.family import Work
from robustness.words import clusters

TABLES = Path(__file__).parent / "tables"
MATHEMATICAL = ("BOLD", "ITALIC", "BOLD ITALIC", "BOLD SCRIPT", "FRAKTUR", "BOLD FRAKTUR", "DOUBLE-STRUCK", "SANS-SERIF", "SANS-SERIF BOLD",
                "SANS-SERIF ITALIC", "MONOSPACE")  # fmt: skip
ENCLOSED = ("CIRCLED LATIN {case} LETTER {letter}", "PARENTHESIZED LATIN SMALL LETTER {letter}", "SQUARED LATIN CAPITAL LETTER {letter}",
            "NEGATIVE CIRCLED LATIN CAPITAL LETTER {letter}", "NEGATIVE SQUARED LATIN CAPITAL LETTER {letter}")  # fmt: skip
INDICATOR = "REGIONAL INDICATOR SYMBOL LETTER {letter}"
VOWELS = frozenset("aeiouаеёиоуыэюя")
MASKS = "*._-#"
FULL_WIDTH = 0xFEE0

Readings = Callable[[str], list[str]]


@cache
def table(name: str) -> dict[str, list[str]]:
    """A table of this folder: per line a character, a tab, and its readings with blanks between."""
    lines = (TABLES / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("# "))
    return {char: readings.split() for char, readings in rows}


def replaced(word: str, work: Work, readings: Readings) -> str:
    """The word with a share of its replaceable letters replaced; a mark on a letter stays on what replaces it."""
    chars = [part for char in word for part in _parts(char)]
    places = [place for place, char in enumerate(chars) if readings(char)]
    if not places:
        return word
    work.random.shuffle(places)
    for place in places[: work.share_of(len(places))]:
        chars[place] = work.random.choice(readings(chars[place]))
    return unicodedata.normalize("NFC", "".join(chars))


def _parts(char: str) -> str:
    """A Latin letter and its marks; any other character as it is."""
    apart = unicodedata.normalize("NFD", char)
    return apart if apart[0].isascii() else char


def full_width(word: str, work: Work) -> str:
    """ASCII letters and digits as their full-width forms."""
    return replaced(word, work, lambda char: [chr(ord(char) + FULL_WIDTH)] if "!" <= char <= "~" else [])


def mathematical(word: str, work: Work) -> str:
    """Letters of one mathematical alphabet per word."""
    style = work.random.choice(MATHEMATICAL)
    return replaced(word, work, lambda char: _named(f"MATHEMATICAL {style} {{case}} {{letter}}", char))


def enclosed(word: str, work: Work) -> str:
    """Letters in circles, squares or parentheses, one kind per word."""
    style = work.random.choice(ENCLOSED)
    return replaced(word, work, lambda char: _named(style, char))


def emoji_letters(word: str, work: Work) -> str:
    """Regional indicators, and emoji that look like a letter."""
    return replaced(word, work, lambda char: _named(INDICATOR, char) + table("emoji_letters").get(char.lower(), []))


def _named(pattern: str, char: str) -> list[str]:
    """The character of that name, or nothing where Unicode has none."""
    if not (char.isascii() and char.isalpha()):
        return []
    try:
        return [unicodedata.lookup(pattern.format(case="SMALL" if char.islower() else "CAPITAL", letter=char.upper()))]
    except KeyError:
        return []


def leetspeak(word: str, work: Work) -> str:
    """Digits at light, single signs at medium, at heavy also letters drawn from several signs where there is no single one."""

    def readings(char: str) -> list[str]:
        every = table("leetspeak").get(char.lower(), [])
        signs = [each for each in every if len(each) == 1 and (work.strength.level > 1 or each.isdigit())]
        return signs or (every if work.strength.level == 3 else [])

    return replaced(word, work, readings)


def mixed_script(word: str, work: Work) -> str:
    """Latin letters as Cyrillic ones of the same sound and the reverse."""
    return replaced(word, work, lambda char: table("sounds").get(char.lower(), []))


def masked(word: str, work: Work) -> str:
    """A third of the vowels masked with their marks, half, all, but never more than half of the letters; one mask per word."""
    mask = work.random.choice(MASKS)
    places = [place for place, char in enumerate(word) if _parts(char)[0].lower() in VOWELS]
    work.random.shuffle(places)
    hit = set(places[: min(work.share_of(len(places)), len(word) // 2)])
    return "".join(mask if place in hit else char for place, char in enumerate(word))


def case(word: str, work: Work) -> str:
    """All capitals at light, random at medium, alternating at heavy."""
    if work.strength.level == 1:
        return word.upper()
    flips = [work.random.random() < 0.5 if work.strength.level == 2 else place % 2 == 1 for place in range(len(word))]
    return "".join(char.upper() if flip else char.lower() for char, flip in zip(word, flips, strict=True))


def marks_dropped(word: str, _work: Work) -> str:
    """The word without its marks, đ as d."""
    bare = (char for char in unicodedata.normalize("NFD", word.replace("đ", "d").replace("Đ", "D")) if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", "".join(bare))


def repeated(word: str, work: Work) -> str:
    """One letter three times at light, a third of them at medium, half at heavy, two to four times each."""
    parts = clusters(word)
    count = max(1, round(len(parts) * (0, 1 / 3, 1 / 2)[work.strength.level - 1]))
    for place in work.random.sample(range(len(parts)), count):
        parts[place] *= 3 if work.strength.level == 1 else work.random.randint(2, 4)
    return "".join(parts)
