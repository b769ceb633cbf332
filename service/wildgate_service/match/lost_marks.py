"""Forms of scripts that write marks on letters and no blanks, with a mark lost, added or put in another's place: "งาชาง" is "งาช้าง".

Text and forms are compared without their marks; what is found so is held against the form with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import daachorse
from rapidfuzz.distance import Indel

from wildgate_service.match.repeated import MARKS

SCRIPTS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+")
FIRST_BYTES = (b"\xe0\xb8", b"\xe0\xb9", b"\xe0\xba", b"\xe0\xbb", b"\xe1\x80", b"\xe1\x81", b"\xe1\x82", b"\xe1\x9e", b"\xe1\x9f")
LEADS = (b"\xe0", b"\xe1")  # what all of these begin with
SHORTEST = 6  # code points of a form that bears a slip
SHORTEST_BARE = 5  # of these without marks
SHORTEST_FIRST = 4  # the same at the beginning of a run of letters
SURE_LETTERS = 9
LETTERS_A_SLIP = 6  # code points of a form for each mark that may be lost or added; another in its place is two slips
_MARK = frozenset(MARKS)
_MARKS = re.compile(f"[{MARKS}]+")
_DOUBLED = re.compile(rf"([{MARKS}])\1+")


class Slipped(NamedTuple):
    """A form found at `[start, end)` of a text, with some of its marks wrong."""

    start: int
    end: int
    form: int
    sure: bool  # it is so long and so nearly right that it can be no other


class MarklessSearch:
    """Finds forms by their letters without marks. `uses` are indices of forms with their folded spellings."""

    def __init__(self, uses: Iterable[tuple[int, str]]) -> None:
        self._uses: list[list[tuple[int, str]]] = []
        numbers: dict[str, int] = {}
        for form, spelling in dict.fromkeys(uses):
            bare = _MARKS.sub("", spelling)
            if len(spelling) >= SHORTEST and len(bare) >= SHORTEST_FIRST and SCRIPTS.fullmatch(spelling):
                number = numbers.setdefault(bare, len(numbers))
                if number == len(self._uses):
                    self._uses.append([])
                self._uses[number].append((form, spelling))
        self._automaton = daachorse.CharwiseDoubleArrayAhoCorasick(list(numbers)) if numbers else None

    def find(self, text: str) -> Iterator[Slipped]:
        """Forms with wrong marks in a skeleton, those with none wrong left out."""
        if self._automaton is None or text.isascii() or not _has_script(text):
            return
        hits = self._automaton.find_overlapping("".join(_MARKS.split(text)))
        if not hits:
            return
        places = [at for at, char in enumerate(text) if char not in _MARK]
        places.append(len(text))
        for first, last, number in hits:
            start, end = places[first], places[last]
            if last - first < SHORTEST_BARE and start and SCRIPTS.match(text, start - 1):
                continue
            written = _DOUBLED.sub(r"\1", text[start:end])
            for form, spelling in self._uses[number]:
                most = len(spelling) // LETTERS_A_SLIP
                if written[-1] in MARKS and spelling[-1] not in MARKS:  # another last letter
                    continue
                slips = Indel.distance(written, spelling, score_cutoff=most)
                if slips <= most and text[start:end] != spelling:
                    yield Slipped(start, end, form, slips == 0 or len(spelling) >= SURE_LETTERS * slips)


def _has_script(text: str) -> bool:
    content = text.encode()
    return (LEADS[0] in content or LEADS[1] in content) and any(first in content for first in FIRST_BYTES)
