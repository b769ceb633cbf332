"""Forms of scripts that write marks on letters and no blanks, with a mark lost, added or put in another's place: "งาชาง" is "งาช้าง".

Text and forms are compared without their marks; what is found so is held against the form with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import daachorse
import numpy as np
from rapidfuzz.distance import Indel

from wildgate_service.match.repeated import MARKS
from wildgate_service.normalize import pages as page

SCRIPTS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+")
FIRST, BEHIND_LAST = "\u0e00", "\u1800"  # between which all that begins with a letter of these scripts stands
PAGES = (page.THAI_AND_LAO, page.MYANMAR, page.KHMER)
SHORTEST = 6  # code points of a form that bears a slip
SHORTEST_BARE = 5  # of these without marks
SHORTEST_FIRST = 4  # the same at the beginning of a run of letters
SURE_LETTERS = 9
VOWELS_BEHIND = frozenset("ะาະາ")  # that are no marks, and stand behind the consonant they are spoken with
LETTERS_A_SLIP = 6  # code points of a form for each mark that may be lost or added; another in its place is two slips
_IS_NO_MARK = np.array([chr(point) not in MARKS for point in range(ord(max(MARKS)) + 2)])  # by code point; the last for all behind it
_MARKS = re.compile(f"[{MARKS}]+")
_DOUBLED = re.compile(rf"([{MARKS}])\1+")


class Slipped(NamedTuple):
    """A form found at `[start, end)` of a text, with some of its marks wrong."""

    start: int
    end: int
    form: int
    sure: bool  # it is so long and so nearly right that it can be no other


def that_may_slip(uses: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """Those of some forms with their spellings that are of these scripts and so long that they bear a slip; each once."""
    written_so = (use for use in uses if FIRST <= use[1] < BEHIND_LAST and SCRIPTS.fullmatch(use[1]) and len(use[1]) >= SHORTEST)
    return tuple(use for use in dict.fromkeys(written_so) if len(_MARKS.sub("", use[1])) >= SHORTEST_FIRST)


class MarklessSearch:
    """Finds forms by their letters without marks. `uses` are indices of forms with their folded spellings."""

    def __init__(self, uses: Iterable[tuple[int, str]]) -> None:
        """`uses` are such as `that_may_slip` leaves."""
        self._uses: list[list[tuple[int, str]]] = []
        numbers: dict[str, int] = {}
        for form, spelling in uses:
            number = numbers.setdefault(_MARKS.sub("", spelling), len(numbers))
            if number == len(self._uses):
                self._uses.append([])
            self._uses[number].append((form, spelling))
        self._automaton = daachorse.CharwiseDoubleArrayAhoCorasick(list(numbers)) if numbers else None

    def find(self, text: str, pages: bytes) -> Iterator[Slipped]:
        """Forms with wrong marks in a skeleton of some pages, those with none wrong left out."""
        if not pages or self._automaton is None or not page.has_any(pages, PAGES):
            return
        points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        kept = _IS_NO_MARK.take(points, mode="clip")
        hits = self._automaton.find_overlapping(points[kept].tobytes().decode("utf-32-le"))
        if not hits:
            return
        places = [*np.flatnonzero(kept).tolist(), len(text)]
        for first, last, number in hits:
            start, end = places[first], places[last]
            if last - first < SHORTEST_BARE and start and SCRIPTS.match(text, start - 1):
                continue
            if text[end : end + 1] in VOWELS_BEHIND:  # the last letter has another vowel: "ໝາ", a dog, is no "ໝີ", a bear
                continue
            written = _DOUBLED.sub(r"\1", text[start:end])
            for form, spelling in self._uses[number]:
                most = len(spelling) // LETTERS_A_SLIP
                if written[-1] in MARKS and spelling[-1] not in MARKS:  # another last letter
                    continue
                slips = Indel.distance(written, spelling, score_cutoff=most)
                if slips <= most and text[start:end] != spelling:
                    yield Slipped(start, end, form, slips == 0 or len(spelling) >= SURE_LETTERS * slips)
