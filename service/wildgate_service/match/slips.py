"""Slips: how much it takes to read one word as another.

A slip of the hand or of the eye costs less than a letter that is simply another one: letters swapped or doubled, a neighbor on the
keyboard, a shape that looks alike to a scanner. So two slips pass where two random letters do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from rapidfuzz.distance import Postfix, Prefix

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
    start = Prefix.similarity(written, meant)
    end = Postfix.similarity(written[start:], meant[start:])
    first = max(0, start - 1)  # the letter before tells what is doubled
    one, other = written[first : len(written) - end], meant[first : len(meant) - end]
    return _cost_of_rest(one, other) if max(len(one), len(other)) <= LONGEST_REST else float("inf")


@lru_cache(maxsize=16_384)
def _cost_of_rest(written: str, meant: str) -> float:
    """The same by dynamic programming over all ways to line the letters up."""
    before: list[float] = []
    row = [LOST * at for at in range(len(meant) + 1)]
    previous = ""
    for char in written:
        last, row = row, [row[0] + LETTER]
        added = SLIP if previous == char else LETTER
        left, beside = row[0], ""  # the cost and the letter to the left
        for other, letter in enumerate(meant):
            best = last[other] if char == letter else last[other] + _instead(char, letter)
            if (way := last[other + 1] + added) < best:
                best = way
            if (way := left + (SLIP if beside == letter else LOST)) < best:
                best = way
            if char == beside and previous == letter and (way := before[other - 1] + SLIP) < best:
                best = way
            row.append(best)
            left, beside = best, letter
        before, previous = last, char
    return row[-1]


def shape_keys(word: str) -> list[str]:
    """What a word and all words that look like it have in common; several keys if it has digits of several readings."""
    if MANY_READINGS.keys().isdisjoint(word):
        return [word.translate(_TO_CLASS)]
    keys = [""]
    for char in word:
        keys = [key + each for key in keys for each in MANY_READINGS.get(char, char)][:MOST_KEYS]
    return list(dict.fromkeys(key.translate(_TO_CLASS) for key in keys))


def shapes_of(words: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Words of ASCII, none with a line break, each with its `shape_keys`; many at a time are much faster than one by one."""
    written = [word for word in words if word.isascii()]
    for word, shape in zip(written, "\n".join(written).translate(_TO_CLASS).split("\n"), strict=False):
        yield word, [shape] if MANY_READINGS.keys().isdisjoint(word) else shape_keys(word)


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
