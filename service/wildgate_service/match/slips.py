"""Slips: how much it takes to read one word as another.

A slip of the hand or of the eye costs less than a letter that is simply another one: letters swapped or doubled, a neighbor on the
keyboard, a shape that looks alike to a scanner. So two slips pass where two random letters do not.
"""

from __future__ import annotations

from functools import cache, lru_cache

from wildgate_service.normalize import tables
from wildgate_service.normalize.readings import letters_of

LETTER = 1.0  # one letter for another, or one added
LOST = 0.75  # a letter left out
SLIP = 0.5  # letters swapped or doubled, a neighboring key, a shape that looks alike
DIGIT = 0.25  # a digit for a letter that it looks like
LONGEST_REST = 12  # letters between the first slip and the last
MANY_READINGS = {"6": "bg", "8": "sb"}  # digits that look like letters of two classes
# Shapes that one key stands for, so that a word with any number of them misread is found at once: the letters that look alike in pairs.
_CLASSES = ("od0uq", "cg9", "be", "rk", "li1j", "s5", "z2", "t7", "a4")
_TO_CLASS = str.maketrans({char: letters[0] for letters in _CLASSES for char in letters} | {"3": "b"})
MOST_KEYS = 8


def cost(written: str, meant: str) -> float:
    """What it takes to read a written word as the one meant: the least sum over its letters; infinite if they have little in common."""
    start = _alike(written, meant)
    end = _alike(written[start:][::-1], meant[start:][::-1])
    first = max(0, start - 1)  # the letter before tells what is doubled
    one, other = written[first : len(written) - end], meant[first : len(meant) - end]
    return _cost_of_rest(one, other) if max(len(one), len(other)) <= LONGEST_REST else float("inf")


def _alike(one: str, other: str) -> int:
    """How many letters two words begin alike."""
    at = 0
    for char, letter in zip(one, other, strict=False):
        if char != letter:
            break
        at += 1
    return at


def _cost_of_rest(written: str, meant: str) -> float:
    """The same by dynamic programming over all ways to line the letters up."""
    before: list[float] = []
    row = [LOST * at for at in range(len(meant) + 1)]
    for at, char in enumerate(written):
        last, row = row, [row[0] + LETTER]
        for other, letter in enumerate(meant):
            best = min(
                last[other] + _instead(char, letter),
                last[other + 1] + (SLIP if at and written[at - 1] == char else LETTER),
                row[other] + (SLIP if other and meant[other - 1] == letter else LOST),
            )
            if at and other and char == meant[other - 1] and written[at - 1] == letter:
                best = min(best, before[other - 1] + SLIP)
            row.append(best)
        before = last
    return row[-1]


def shape_keys(word: str) -> list[str]:
    """What a word and all words that look like it have in common; several keys if it has digits of several readings."""
    keys = [""]
    for char in word:
        keys = [key + each for key in keys for each in MANY_READINGS.get(char, char)][:MOST_KEYS]
    return list(dict.fromkeys(key.translate(_TO_CLASS) for key in keys))


@lru_cache(maxsize=65_536)
def _instead(char: str, letter: str) -> float:
    if char == letter:
        return 0.0
    looks = letter in letters_of(char) or char in _table("misread_letters.tsv").get(letter, "")
    if looks:
        return DIGIT if char.isdigit() else SLIP
    return SLIP if char in _table("keyboard_neighbors.tsv").get(letter, "") else LETTER


@cache
def _table(name: str) -> dict[str, str]:
    return dict(tables.read_pairs(name))
