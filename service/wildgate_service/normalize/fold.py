"""The fold: one context-free table, code point → string, applied by one `str.translate`.

What a code point becomes depends on nothing beside it, so that the way back is a running sum of lengths. The steps, in order,
are the functions listed in `STEPS`; the table holds their fixed point, so folding what is folded changes nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from wildgate_service.normalize import tables

FIELD_SEPARATOR = "\x1f"  # between the fields of a document; no form can hold it, so nothing matches across fields
LATIN_GREEK_CYRILLIC = (
    (0x41, 0x2AF), (0x370, 0x52F), (0x1C80, 0x1C8F), (0x1D00, 0x1DBF), (0x1E00, 0x1FFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF),
    (0xAB30, 0xAB6F),
)  # fmt: skip
NUKTA = "\u093c"
REGIONAL_INDICATORS = (0x1F1E6, 0x1F1FF)
ENCLOSED = ((0x249C, 0x24B5), (0x1F110, 0x1F129), (0x1F150, 0x1F169), (0x1F170, 0x1F189))  # in parentheses, and white on black
IGNORABLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800\u180b\u180c\u180d\u180e\u180f") | {
    chr(point) for start, end in ((0xFE00, 0xFE0F), (0xE0000, 0xE01EF), (0x1BCA0, 0x1BCA3)) for point in range(start, end + 1)
}
LETTERS_WITHOUT_DECOMPOSITION = {
    "đ": "d", "ħ": "h", "ı": "i", "ł": "l", "ø": "o", "œ": "oe", "æ": "ae", "ŧ": "t", "ð": "d", "þ": "th", "ŋ": "n",
    "ə": "e", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ß": "ss", "ĸ": "k",
}  # fmt: skip
ARABIC_LETTERS = {
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ئ": "ي", "ؤ": "و", "ة": "ه", "ۀ": "ه", "ہ": "ه",
    "ھ": "ه", "ک": "ك", "ڪ": "ك", "ـ": "",
}  # fmt: skip
WITH_APOSTROPHE = {"ŉ": "n", "ẚ": "a"}  # NFKC parts them in two, with an apostrophe that would break a word
BLANK_CONTROLS = frozenset("\t\n\v\f\r\x85")
QUOTES = dict.fromkeys("’‘ʼʻ＇`´‛ʹ", "'") | dict.fromkeys("“”„‟«»＂", '"')
SEPARATORS = dict.fromkeys("\u00b7\u30fb\u2022\u2027\u0387\u05be", " ")  # middle dots part words


def separate_fields(char: str) -> str:
    """The separator between fields stays; line ends, tabs and spaces become a blank."""
    if char == FIELD_SEPARATOR:
        return char
    return " " if char in BLANK_CONTROLS or unicodedata.category(char) in {"Zs", "Zl", "Zp", "Cs"} else char


def drop_invisible(char: str) -> str:
    """Control and format characters, bidirectional marks, variation selectors, fillers and tags vanish."""
    if char == FIELD_SEPARATOR:
        return char
    return "" if char in IGNORABLE or unicodedata.category(char) in {"Cc", "Cf"} else char


def name_emoji(char: str) -> str:
    """An emoji becomes one English word, with a blank on both sides; one that is a letter in a box stays for the next step."""
    words = _emoji_words()
    if char not in words or unicodedata.normalize("NFKC", char).isalpha() or read_enclosed(char) != char:
        return char
    return f" {words[char]} "


def read_enclosed(char: str) -> str:
    """Letters in boxes that Unicode gives no compatibility form of one letter, and flags' letters (each a word)."""
    point = ord(char)
    if REGIONAL_INDICATORS[0] <= point <= REGIONAL_INDICATORS[1]:
        return f" {chr(point - REGIONAL_INDICATORS[0] + ord('a'))} "
    for start, end in ENCLOSED:
        if start <= point <= end:
            return chr(point - start + ord("a"))
    return char


def fold_compatibility(char: str) -> str:
    """NFKC and case folding: width, stylized letters, ligatures, capitals."""
    if char in WITH_APOSTROPHE:
        return WITH_APOSTROPHE[char]
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())


def strip_marks(char: str) -> str:
    """Latin, Greek and Cyrillic letters lose their diacritics; Arabic and Hebrew lose vowel points, Hindi its nukta."""
    point = ord(char)
    if _is_droppable_mark(char):
        return ""
    if any(start <= point <= end for start, end in LATIN_GREEK_CYRILLIC):
        bare = "".join(c for c in unicodedata.normalize("NFD", char) if not unicodedata.combining(c))
        return "".join(LETTERS_WITHOUT_DECOMPOSITION.get(c) or _latin_variants().get(c, c) for c in bare)
    decomposed = unicodedata.normalize("NFD", char)
    if "\u0900" <= char <= "\u097f":
        return decomposed.replace(NUKTA, "")
    return char


def unify_letters(char: str) -> str:
    """Arabic letter variants, Traditional Chinese, digits of any script, dashes, quotes and word separators."""
    for table in (ARABIC_LETTERS, _han_simplified(), QUOTES, SEPARATORS):
        if char in table:
            return table[char]
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    return "-" if unicodedata.category(char) == "Pd" or char == "\u2212" else char


STEPS: tuple[Callable[[str], str], ...] = (
    separate_fields,
    drop_invisible,
    name_emoji,
    read_enclosed,
    fold_compatibility,
    strip_marks,
    unify_letters,
)


@cache
def fold_char(char: str) -> str:
    """What one code point becomes: the steps, each on every character of the last one's result, until nothing changes."""
    before, after = "", char
    while before != after:
        before = after
        for step in STEPS:
            after = step(after) if len(after) == 1 else "".join(map(step, after))
    return after


def in_table(char: str) -> bool:
    """Whether the fold covers this code point; any other is passed through as it is."""
    return char in _han_simplified() or any(start <= ord(char) < end for start, end in (*_IDENTITY, *_FOLDED))


@cache
def fold_table() -> dict[int, str | int]:
    """The whole table for `str.translate`, with identities, since a lookup that misses costs more than one that hits."""
    table: dict[int, str | int] = {}
    for start, end in _IDENTITY:
        table.update(zip(range(start, end), range(start, end), strict=True))
    for point in _irregular_points():
        folded = fold_char(chr(point))
        table[point] = ord(folded) if len(folded) == 1 else folded
    return table


def regular_table() -> tuple[NDArray[np.uint16], str]:
    """What each code point of the first plane becomes that becomes one of it; and what stands for any other, as well as behind the last."""
    points = [fold_table().get(point, point) for point in range(_PLANE)]
    return np.array([point if isinstance(point, int) and point < _PLANE else _LAST for point in points] + [_LAST], np.uint16), chr(_LAST)


def ascii_table() -> bytes:
    """The part below U+0080 for `bytes.translate`: one to one but for `ascii_dropped`; the upper half is never looked up."""
    return bytes(ord(fold_char(chr(point)) or " ") for point in range(128)) + bytes(128)


def ascii_dropped() -> bytes:
    """The controls below U+0080 that vanish."""
    return bytes(point for point in range(128) if not fold_char(chr(point)))


_PLANE, _LAST = 0x10000, 0xFFFF
# Hangul syllables, private use, and ideographs that no table names, fold to themselves.
_IDENTITY = ((0xAC00, 0xD7A4), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xE000, 0xF900))
# The rest of what is folded. Code points in neither are passed through: rare scripts and unassigned planes.
_FOLDED = (
    (0, 0x3400), (0x4DC0, 0x4E00), (0xA000, 0xAC00), (0xD7A4, 0xE000), (0xF900, 0x10200), (0x10400, 0x10600),
    (0x10780, 0x107C0), (0x10C80, 0x10D90), (0x110B0, 0x110D0), (0x118A0, 0x118E0), (0x13430, 0x13440), (0x16E40, 0x16EC0),
    (0x1BCA0, 0x1BCA4), (0x1CCD0, 0x1CD00), (0x1D100, 0x1D800), (0x1E030, 0x1E070), (0x1E900, 0x1E960), (0x1EE00, 0x1EF00),
    (0x1F000, 0x1FC00), (0x2F800, 0x2FA20), (0xE0000, 0xE01F0),
)  # fmt: skip


def _irregular_points() -> list[int]:
    points = [point for start, end in _FOLDED for point in range(start, end)]
    return points + [ord(char) for char in _han_simplified()]


@cache
def _emoji_words() -> dict[str, str]:
    return dict(tables.read("emoji_words.tsv"))


@cache
def _latin_variants() -> dict[str, str]:
    return dict(tables.read("latin_variants.tsv"))


@cache
def _han_simplified() -> dict[str, str]:
    return dict(tables.read("han_simplified.tsv"))


# Combining marks of Latin, Greek, Cyrillic, Arabic, Hebrew and symbols; those of Indic, Southeast Asian and kana stay.
_DROPPABLE_MARKS = ((0x0300, 0x06FF), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F))


def _is_droppable_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M") and any(first <= ord(char) <= last for first, last in _DROPPABLE_MARKS)
