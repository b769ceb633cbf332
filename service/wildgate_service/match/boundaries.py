"""Where a word begins and ends, for scripts with spaces and without.

Each end of a form has one of five edges, by the script of its outermost character.
"""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum
from functools import cache, lru_cache

UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),
)
DENSE = ((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF))
KANA = ((0x3041, 0x309F), (0x30A1, 0x30FA), (0x30FC, 0x30FF))
HANGUL = (0xAC00, 0xD7A3)
ARABIC = (0x0600, 0x06FF)
PARTICLES = "ノヲハトモガニデ"  # those of Japanese in katakana, behind a noun in katakana
LONG_NOUN = 5  # kana
LONGEST_NUMBER = 24
HAN_NUMERALS = frozenset("一二三四五六七八九十百千万两半几")
# The article and the one-letter words that Arabic writes as part of the next word.
ARABIC_PROCLITIC = re.compile("(?<![\u0621-\u064a])(?:[\u0648\u0641]?(?:[\u0628\u0643]?\u0627\u0644|\u0644\u0644|[\u0628\u0643\u0644])?)$")
# Particles (조사) that Korean writes behind a noun, and 들, plural.
HANGUL_PARTICLE = re.compile(
    "들?(?:을|를|이|가|은|는|의|에|에서|에게|께|도|로|으로|와|과|만|랑|이랑|하고|까지|부터|보다|처럼|이나|나|요|이요|입니다|예요|이에요|임|님)?"
    "(?![가-힣])"
)


class Edge(IntEnum):
    """What must hold beside a form's end."""

    FREE = 0
    WORD = 1
    ARABIC = 2
    HANGUL = 3
    KANA = 4
    CLUSTER = 5
    NUMBER = 6  # a number directly before the form or after it: "12 kg", "€ 400", 三斤


def edge_of(char: str, *, first: bool) -> Edge:
    """The edge that a form whose first (else last) character is `char` has there."""
    point = ord(char)
    if _within(point, KANA):
        return Edge.KANA
    if _within(point, UNSPACED):
        return Edge.CLUSTER
    if first and ARABIC[0] <= point <= ARABIC[1]:
        return Edge.ARABIC
    if not first and HANGUL[0] <= point <= HANGUL[1]:
        return Edge.HANGUL
    return Edge.WORD if char.isalnum() or unicodedata.category(char).startswith("M") else Edge.FREE


@cache
def is_unspaced(char: str) -> bool:
    """Whether a character belongs to a script that writes words without blanks between them."""
    return _within(ord(char), UNSPACED)


@cache
def is_dense(char: str) -> bool:
    """Whether a character is a whole syllable: Han, kana, Hangul."""
    return _within(ord(char), DENSE)


def is_bounded(text: str, start: int, end: int, left: Edge, right: Edge) -> bool:
    """Whether the form at `[start, end)` of a skeleton is a word of its own there."""
    if left is Edge.NUMBER:
        return _beside_number(text, start, end, right)
    return left_holds(text, start, left) and _right_holds(text, end, right)


def _beside_number(text: str, start: int, end: int, right: Edge) -> bool:
    """Whether a unit has its number: before it, or, for what stands in front like a currency, after it."""
    before = start - 2 if start > 1 and text[start - 1] == " " else start - 1
    if before >= 0 and _is_numeral(text[before]) and _right_holds(text, end, right):
        return True
    if end - start == 1 and text[start].isalpha():
        return False  # a letter before a number is no currency
    after = end + 1 if end + 1 < len(text) and text[end] in " .:" else end
    return after < len(text) and text[after].isdigit() and left_holds(text, start, Edge.WORD if text[start].isalpha() else Edge.FREE)


def with_number(text: str, start: int, end: int) -> tuple[int, int]:
    """The span of a unit together with the number beside it."""
    first = start - 1 if start > 0 and text[start - 1] == " " else start
    while first > max(0, start - LONGEST_NUMBER) and (_is_numeral(text[first - 1]) or (text[first - 1] in ".," and first < start)):
        first -= 1
    if first < start and _is_numeral(text[first]):
        return first, end
    last = end + 1 if end < len(text) and text[end] in " .:" else end
    while last < min(len(text), end + LONGEST_NUMBER) and (
        text[last].isdigit() or (text[last] in ".," and text[last + 1 : last + 2].isdigit())
    ):
        last += 1
    return start, last


def _is_numeral(char: str) -> bool:
    return char.isdigit() or char in HAN_NUMERALS


def left_holds(text: str, start: int, edge: Edge) -> bool:
    """Whether a form that is no amount may begin at `start` of a skeleton, wherever it ends."""
    if edge is Edge.FREE or edge is Edge.CLUSTER or start == 0:
        return True
    before = text[start - 1]
    if edge is Edge.KANA:
        return not _same_kana(before, text[start])
    if not _joins(before):
        return True
    return edge is Edge.ARABIC and ARABIC_PROCLITIC.search(text[max(0, start - 6) : start]) is not None


def _right_holds(text: str, end: int, edge: Edge) -> bool:
    if edge is Edge.FREE or end == len(text):
        return True
    after = text[end]
    if edge is Edge.CLUSTER:
        return not unicodedata.category(after).startswith("M")
    if edge is Edge.KANA:
        return not _same_kana(text[end - 1], after) or _is_particle(text, end)
    if not _joins(after):
        return True
    return edge is Edge.HANGUL and HANGUL_PARTICLE.match(text, end) is not None


def _is_particle(text: str, at: int) -> bool:
    """Whether a particle in katakana stands behind a noun in katakana: alone, or the commonest behind a long noun."""
    char = text[at]
    if char in PARTICLES and not _same_kana(char, text[at + 1 : at + 2] or " "):
        return True
    noun = text[max(0, at - LONG_NOUN) : at]
    return char in PARTICLES[:2] and len(noun) == LONG_NOUN and all(_same_kana(char, each) for each in noun)


@lru_cache(maxsize=4096)
def _joins(char: str) -> bool:
    """Whether a character continues a word of a spaced script: a letter, digit or mark, but none of an unspaced script."""
    if char.isascii():
        return char.isalnum()
    if _within(ord(char), UNSPACED):
        return False
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _same_kana(one: str, other: str) -> bool:
    """Both Hiragana or both Katakana; the long mark is Katakana."""
    return _within(ord(one), KANA) and _within(ord(other), KANA) and (one >= "\u30a0") == (other >= "\u30a0")


def _within(point: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(start <= point <= end for start, end in ranges)
