"""Word n-grams of listings for `suggest`: words in scripts with spaces, runs of characters in scripts without.

A *unit* is a word, or one character of an unspaced script with the marks it bears. An n-gram is a run of units between two breaks; a
break is whatever is neither (punctuation, another script), and whatever the lexicon has found already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from wildgate_service.match.boundaries import UNSPACED

MOST_WORDS = 4
MOST_CHARACTERS = 8
_RANGES = "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSPACED)
# Marks (vowels, tones) of Thai, Lao, Myanmar and Khmer stay with the letter before them.
_MARKS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u17b4-\u17d3\u17dd"
_UNIT = re.compile(f"(?P<character>[{_RANGES}][{_MARKS}]*)|(?P<word>(?:(?![{_RANGES}])[^\\W_])(?:(?![{_RANGES}])[\\w'-])*)")
_NUMBER = re.compile(r"[\d\W]+")

Span = tuple[int, int]
Grams = dict[str, Span]  # n-gram → its first place in the text


class Unit(Struct, frozen=True):
    """`[start, end)` of a folded text."""

    start: int
    end: int
    spaced: bool


def ngrams(text: str, known: Sequence[Span] = (), cues: Sequence[Span] = ()) -> Grams:
    """Every n-gram of a folded text that touches no known span, and neither begins nor ends in a cue, with its first place."""
    found: Grams = {}
    for run in _runs(text, known):
        longest = MOST_WORDS if run[0].spaced else MOST_CHARACTERS
        inside = [_touches(unit, cues) for unit in run]
        for first in range(len(run)):
            for last in range(first, min(first + longest, len(run))):
                place = run[first].start, run[last].end
                gram = text[slice(*place)]
                if not (inside[first] or inside[last]) and _is_candidate(gram, run[first]):
                    found.setdefault(gram, place)
    return found


def order(gram: str) -> int:
    """How many units an n-gram has."""
    return sum(1 for _ in _UNIT.finditer(gram))


def is_spaced(gram: str) -> bool:
    """Whether it is made of words, not of characters of an unspaced script."""
    unit = _UNIT.match(gram)
    return unit is None or unit.lastgroup == "word"


def _is_candidate(gram: str, first: Unit) -> bool:
    """No number by itself, and no single character: of an unspaced script it means too much, of a spaced one nothing."""
    return len(gram) > 1 and not _NUMBER.fullmatch(gram) and (first.spaced or order(gram) > 1)


def _touches(unit: Unit, spans: Sequence[Span]) -> bool:
    return any(start < unit.end and unit.start < end for start, end in spans)


def _runs(text: str, known: Sequence[Span]) -> Iterator[list[Unit]]:
    """Units that stand together: parted by one blank at most, of one sort, and outside the known spans."""
    run: list[Unit] = []
    for unit in _units(text):
        if _touches(unit, known):
            if run:
                yield run
            run = []
            continue
        if run and not _continues(text, run[-1], unit):
            yield run
            run = []
        run.append(unit)
    if run:
        yield run


def _continues(text: str, before: Unit, unit: Unit) -> bool:
    between = text[before.end : unit.start]
    return before.spaced == unit.spaced and (between == " " if unit.spaced else between == "")


def _units(text: str) -> Iterator[Unit]:
    for found in _UNIT.finditer(text):
        yield Unit(found.start(), found.end(), found.lastgroup == "word")
