"""Letters and marks that a slip repeats, in scripts whose letters bear marks and in Arabic: "ช้ช้ช้าง" is "ช้าง".

Of one mark twice in a row no spelling has any. A letter with its marks, or a syllable of two, stands three times in a row in none, and
twice in some words; so there are two readings, and only a text that shows such a slip gets them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import daachorse

from wildgate_service.match.corrected import Change, Corrected, apply
from wildgate_service.match.slips import DIGIT
from wildgate_service.match.views import MISSPELLING, REPEATS
from wildgate_service.normalize import pages as page
from wildgate_service.normalize.bare import is_tripled

BLOCKS = ((0x0900, 0x0980), (0x0E00, 0x0F00), (0x1000, 0x10A0), (0x1780, 0x1800))
MARKS = "".join(chr(point) for block in BLOCKS for point in range(*block) if unicodedata.category(chr(point)) == "Mn")
LETTERS = "\u0621-\u064a\u0900-\u097f\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
MARKED = (page.DEVANAGARI, page.THAI_AND_LAO, page.MYANMAR, page.KHMER)  # whose letters bear marks
BYTES_OF_MARKED, BYTES_OF_ARABIC = 3, 2  # of one of these letters in UTF-8
MOST_TRIPLED = 3  # characters of a letter with its marks, or of a syllable
SURE = re.compile(rf"([{MARKS}])\1+|([{LETTERS}]{{1,4}}?)\2\2+")
ANY = re.compile(rf"([{LETTERS}]{{1,4}}?)\1+")


def once(skeleton: str, pages: bytes) -> list[Corrected]:
    """Readings with what is repeated written once: where that is sure, and everywhere; none if the text shows no such slip."""
    if not pages or not _has_slip(skeleton, pages):
        return []
    sure = apply(skeleton, [_change(found) for found in SURE.finditer(skeleton)])
    everywhere = apply(skeleton, [_change(found) for found in ANY.finditer(skeleton)])
    return [each for each in dict.fromkeys((sure, everywhere)) if each.edits]


def _has_slip(skeleton: str, pages: bytes) -> bool:
    """Whether something may be repeated: a quick look at what every text of these scripts pays for."""
    marked = page.has_any(pages, MARKED)
    if not (marked or page.ARABIC in pages):
        return False
    letters = range(1, MOST_TRIPLED + 1) if marked else (1,)
    units = [BYTES_OF_MARKED * each for each in letters] if marked else []
    if page.ARABIC in pages:
        units += [BYTES_OF_ARABIC * each for each in letters]
    return is_tripled(skeleton.encode(), *units) or (marked and bool(_doubled_marks().find(skeleton)))


@cache
def _doubled_marks() -> daachorse.CharwiseDoubleArrayAhoCorasick:
    return daachorse.CharwiseDoubleArrayAhoCorasick([mark * 2 for mark in MARKS])


def _change(found: re.Match[str]) -> Change:
    unit = next(filter(None, found.groups()))
    twice = found.end() - found.start() <= 2 * len(unit)
    return Change(found.start() + len(unit), found.end(), "", (MISSPELLING if twice else REPEATS,), DIGIT)
