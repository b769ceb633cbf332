"""By sound: forms of other scripts where a text has them in Latin letters, wholly or in part.

A find in a sound reading is held against the letters that stand there: how like they are to the form's, in what script, and whether they are
words of their own.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz.distance import Indel

from wildgate_service.match.boundaries import edge_of, is_bounded, is_kana, is_unspaced
from wildgate_service.match.views import MIXED_SCRIPT, PINYIN, ROMANIZED
from wildgate_service.normalize import fold
from wildgate_service.normalize.sound import JOINERS, OTHER_SCRIPT, SILENT, in_latin, letter_in_latin
from wildgate_service.types import TAXON_KINDS

if TYPE_CHECKING:
    from wildgate_service.types import RuleKind
    from wildgate_service.match.tables import CompiledLexicon, Search
    from wildgate_service.normalize.sound import Heard

MOST_TRIED = 64  # places at which one pattern is held against the text
LONGEST_SPREAD = 2  # how many times as long as its Latin letters a form may be written, blanks and all
VOWELS = "aeiou"
BEFORE_THEIR_CONSONANT = "เแโใไເແໂໃໄ"
AFTER_THEIR_CONSONANT = "ะาະາ"
NO_JOINERS = str.maketrans("", "", JOINERS)
# How like the letters must be (1 - Indel distance by length): where some are Latin, where all are, and there inside a word.
PARTLY, WHOLLY, INSIDE = 0.65, 0.8, 0.9
SURELY = 0.8, 7  # how like, and how many, letters of a form in two scripts that is not taken for one by mistake
FEWEST_PARTLY, FEWEST_WHOLLY, FEWEST_INSIDE = 5, 7, 8  # letters of a form in each case
FEWEST_OF_CONTEXT = 4  # of a cue or context: it speaks only beside what was found


class _Span(NamedTuple):
    """Where a form was found; `inside`: it begins or ends inside a word in Latin letters."""

    start: int
    end: int
    inside: bool


def by_sound(heard: Heard, lexicon: CompiledLexicon, search: Search) -> Iterator[tuple[int, int, int, tuple[str, ...]]]:
    """(start, end, form, views) of forms that are written in Latin letters, wholly or in part."""
    for code in (heard.full, heard.consonants):
        hits = search.find_sound(code)
        if hits:
            yield from _meant(heard, code, hits, lexicon, search)


def _meant(
    heard: Heard, code: str, hits: list[tuple[int, int, int]], lexicon: CompiledLexicon, search: Search
) -> Iterator[tuple[int, int, int, tuple[str, ...]]]:
    positions = heard.positions(code)
    left_out = SILENT if code is heard.full else SILENT + VOWELS
    tried: Counter[int] = Counter()
    for first, last, number in hits:
        if not heard.has_latin(positions[first], positions[last - 1] + 1) or tried[number] == MOST_TRIED:
            continue
        tried[number] += 1
        span = _span(heard.skeleton, positions[first], positions[last - 1] + 1, left_out)
        written = in_latin(heard.skeleton[span.start : span.end], keeps_han=heard.keeps_han).translate(NO_JOINERS)
        if not _is_word(heard.skeleton, span):
            continue
        native = OTHER_SCRIPT.findall(heard.skeleton[span.start : span.end])
        least = PARTLY if native else INSIDE if span.inside else WHOLLY
        likeness = [
            (Indel.normalized_similarity(written, latin, score_cutoff=least), index, len(latin))
            for index, latin in search.sound_patterns[number]
            if _is_of(_folded(lexicon.forms[index].form), native, inside=span.inside)
        ]
        best = max(likeness, default=(0.0, 0))[0]
        for each, index, letters in likeness:
            rule = lexicon.rules[lexicon.forms[index].rule]
            if each == best >= least and letters >= _fewest(rule.kind, native, inside=span.inside):
                sure = native and each >= SURELY[0] and letters >= SURELY[1]
                yield span.start, span.end, index, (MIXED_SCRIPT if sure else PINYIN if rule.language.startswith("zh") else ROMANIZED,)


def _fewest(kind: RuleKind, native: list[str], *, inside: bool) -> int:
    """How many Latin letters a form must have to be told by them."""
    if kind not in TAXON_KINDS:
        return FEWEST_OF_CONTEXT
    return FEWEST_PARTLY if native else FEWEST_INSIDE if inside else FEWEST_WHOLLY


def _is_of(form: str, native: list[str], *, inside: bool) -> bool:
    """Whether a form may be written with these letters of its script, and begin or end inside a word."""
    return (not inside or is_unspaced(form[0])) and all(char in form or is_kana(char) for char in native)


def _is_word(skeleton: str, span: _Span) -> bool:
    """Whether the span begins and ends where words do, other than inside a Latin word, which `inside` says."""
    start, end = span.start, span.end
    left, right = edge_of(skeleton[start], first=True), edge_of(skeleton[end - 1], first=False)
    if not span.inside:
        return is_bounded(skeleton, start, end, left, right)
    return True


def _span(skeleton: str, start: int, end: int, left_out: str) -> _Span:
    """The span of a find with the letters beside it that its code leaves out, up to the ends of Latin words."""
    first = start
    while first and skeleton[first - 1] in left_out:
        first -= 1
    if first and _is_latin(skeleton[first - 1]):
        first = start
    while first and skeleton[first - 1] in BEFORE_THEIR_CONSONANT:
        first -= 1
    last = _end(skeleton, end, left_out)
    begins_inside = first > 0 and _is_latin(skeleton[first]) and _is_latin(skeleton[first - 1])
    ends_inside = last < len(skeleton) and _is_latin(skeleton[last - 1]) and _is_latin(skeleton[last])
    return _Span(first, last, begins_inside or ends_inside)


def _end(skeleton: str, last: int, left_out: str) -> int:
    """Where a find ends with the letters behind it that its code leaves out: of Latin words vowels and doubled letters, else marks."""
    while last < len(skeleton):
        char, before = skeleton[last], skeleton[last - 1]
        doubled = char == before and char.isalpha() or letter_in_latin(char) == letter_in_latin(skeleton[last - 2]) != "" == letter_in_latin(before)
        if not (char in left_out or doubled or char in AFTER_THEIR_CONSONANT or unicodedata.category(char)[0] == "M"):
            break
        last += 1
    return last


def _is_latin(char: str) -> bool:
    return "a" <= char <= "z"


@lru_cache(maxsize=4096)
def _folded(form: str) -> str:
    return fold(form)
