"""By sound: forms of other scripts where a text has them in Latin letters, wholly or in part.

A find in a sound reading is held against the letters that stand there: how like they are to the form's, in what script, and whether they
are words of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz.distance import Indel

from wildgate_service.match.boundaries import edge_of, is_bounded, is_unspaced
from wildgate_service.match.views import MIXED_SCRIPT, PINYIN, ROMANIZED
from wildgate_service.normalize import fold
from wildgate_service.normalize.sound import JOINERS, LATIN, OTHER_SCRIPT, in_latin, letter_in_latin, script_of
from wildgate_service.types import TAXON_KINDS, RuleKind

if TYPE_CHECKING:
    from wildgate_service.match.effort import Effort
    from wildgate_service.match.tables import BareUses, CompiledLexicon, Search
    from wildgate_service.normalize.sound import Code, Heard

AROUND = 40  # code points before and behind a find by which it is judged
JUDGMENT = 3  # looks that a judgment costs
MOST_TRIED = 2_000  # finds of one sound reading that are held against the text
KANA = frozenset(map(chr, range(0x3041, 0x3100)))
BEFORE_THEIR_CONSONANT = "เแโใไເແໂໃໄ"
AFTER_THEIR_CONSONANT = "ะาະາ"
IMPLIED = {  # the vowels that a consonant has where none is written, and that one writes and another does not
    "Devanagari": str.maketrans("", "", "a"),
    "Myanmar": str.maketrans("", "", "a"),
    "Khmer": str.maketrans("", "", "ao"),
}
NO_JOINERS = str.maketrans("", "", JOINERS)
TOUCHING = re.compile(f"[a-z]{OTHER_SCRIPT.pattern}|{OTHER_SCRIPT.pattern}[a-z]")
FEWEST_IN_LATIN = 5  # letters of a code found in Latin letters alone
FEWEST_INSIDE = 8  # letters of a code found inside a word in Latin letters alone
FEWEST_APART = 2  # letters of a form in either script, where a blank parts them
FEWEST_OF_CONTEXT = 4  # letters of a cue or context: it speaks only beside what was found


class Demand(NamedTuple):
    """What a find must be to be meant: how like the form's letters (1 - Indel distance by length), and of a form of how many letters."""

    likeness: float
    letters: int


PARTLY = Demand(0.75, 5)  # in two scripts
PARTLY_INSIDE = Demand(0.9, 5)  # in two scripts, where it begins or ends inside a Latin word
WORD = Demand(0.9, 8)  # one word in Latin letters
WORDS = Demand(0.88, 9)  # several
INSIDE = Demand(0.95, 9)  # a part of words in Latin letters
SURE = Demand(0.88, 7)  # in two scripts, and no accident


class _Find(NamedTuple):
    """A find in its surroundings. `written` are its Latin letters, `native` its letters of another script; `inside` as in `Demand`s."""

    start: int
    end: int
    inside: bool
    written: str
    native: tuple[str, ...]
    demand: Demand


class _Meant(NamedTuple):
    """A form that is meant, at a span of the surroundings it was judged by, and the view that it took to read it."""

    start: int
    end: int
    form: int
    views: tuple[str, ...]


def by_sound(
    readings: tuple[Heard, ...], lexicon: CompiledLexicon, search: Search, effort: Effort
) -> Iterator[tuple[int, int, int, tuple[str, ...]]]:
    """(start, end, form, views) of forms that are written in Latin letters, wholly or in part."""
    for heard in readings:
        for code in heard.codes:
            yield from _meant(heard, code, lexicon, search, effort)


def _meant(
    heard: Heard, code: Code, lexicon: CompiledLexicon, search: Search, effort: Effort
) -> Iterator[tuple[int, int, int, tuple[str, ...]]]:
    """The same of one code. What stands in the same surroundings as something before is not judged again."""
    judged: dict[tuple[int, int, str], tuple[_Meant, ...]] = {}
    skeleton, positions, tried = heard.skeleton, code.positions, 0
    for first, last, number in code.finds(search.find_sound):
        if not _is_in_latin(code, first, last):
            continue
        tried += 1
        if tried > MOST_TRIED:
            return
        start, end = positions[first], positions[last - 1] + 1
        begin = max(0, start - AROUND)
        around = skeleton[begin : end + AROUND]
        place = (number, start - begin, around)
        if place not in judged:
            if not effort.allows(JUDGMENT):
                return
            judged[place] = tuple(_judge(heard, around, start - begin, end - begin, code.left_out, search.sound_patterns[number], lexicon))
        for each in judged[place]:
            yield heard.start + begin + each.start, heard.start + begin + each.end, each.form, each.views


def _judge(
    heard: Heard, around: str, start: int, end: int, left_out: str, patterns: BareUses, lexicon: CompiledLexicon
) -> Iterator[_Meant]:
    """What is meant by a find between two places of its surroundings."""
    uses = _possible(heard, around[start:end], patterns, lexicon)
    find = _find(around, start, end, left_out, keeps_han=heard.keeps_han) if uses else None
    if find is None:
        return
    for likeness, index in _likest(find, uses, lexicon):
        chinese = lexicon.rules[lexicon.forms[index].rule].language.startswith("zh")
        sure = find.native and likeness >= SURE.likeness and len(find.written) >= SURE.letters
        yield _Meant(find.start, find.end, index, (MIXED_SCRIPT if sure else PINYIN if chinese else ROMANIZED,))


def _is_in_latin(code: Code, first: int, last: int) -> bool:
    """Whether a part of a code is in Latin letters; all of a short one only if it is words of its own."""
    letters = code.latin_letters(first, last)
    if letters < last - first or letters >= FEWEST_INSIDE:
        return letters > 0
    return letters >= FEWEST_IN_LATIN and code.is_break(first) and code.is_break(last)


def _possible(heard: Heard, span: str, uses: BareUses, lexicon: CompiledLexicon) -> BareUses:
    """The forms that hold all letters of another script in a span, or, where there are none, are of a script of the text at all."""
    native = () if heard.is_latin else set(OTHER_SCRIPT.findall(span))
    if native:
        return tuple(use for use in uses if _holds(lexicon, use[0], native))
    scripts = heard.scripts
    return tuple(use for use in uses if script_of(lexicon.forms[use[0]].form[0]) in scripts) if scripts else uses


def _holds(lexicon: CompiledLexicon, index: int, native: set[str]) -> bool:
    """Whether a form has all these letters; of a Japanese one kana may be its reading."""
    form = lexicon.forms[index]
    missing = native - _letters_of(form.form)
    return not missing or (missing <= KANA and lexicon.rules[form.rule].language == "ja")


def _likest(find: _Find, uses: BareUses, lexicon: CompiledLexicon) -> list[tuple[float, int]]:
    """(likeness, form) of the forms of a pattern that are likest to a find; none if none is like enough."""
    least = find.demand.likeness
    found = []
    for index, latin in uses:
        form = lexicon.forms[index]
        kind = lexicon.rules[form.rule].kind
        if kind is RuleKind.BENIGN_CONTEXT and not find.native:
            continue  # what makes something innocent must be written: "nga chang" is ivory, and nearly the plant "wan nga chang"
        fewest = find.demand.letters if kind in TAXON_KINDS else FEWEST_OF_CONTEXT
        if len(latin) >= fewest and (not find.inside or is_unspaced(form.form[0])):
            found.append((_likeness(find.written, latin, script_of(form.form[0]), least), index))
    best = max(found, default=(0.0, 0))[0]
    return [each for each in found if each[0] == best >= least]


def _likeness(written: str, latin: str, script: str, least: float) -> float:
    """How like two words in Latin letters are (1 - Indel distance by length; 0 below `least`), without vowels that a script implies."""
    if script in IMPLIED:
        written, latin = written.translate(IMPLIED[script]), latin.translate(IMPLIED[script])
    return Indel.normalized_similarity(written, latin, score_cutoff=least)


def _find(skeleton: str, start: int, end: int, left_out: str, *, keeps_han: bool) -> _Find | None:
    """A find with what it says of itself; None if it is no word of its own, or has too little of one script to be in two."""
    start, end, inside = _span(skeleton, start, end, left_out)
    text = skeleton[start:end]
    native = tuple(OTHER_SCRIPT.findall(text))
    if not inside and not is_bounded(skeleton, start, end, edge_of(text[0], first=True), edge_of(text[-1], first=False)):
        return None
    if native and not _is_in_two_scripts(text, native):
        return None
    demand = (PARTLY_INSIDE if inside else PARTLY) if native else INSIDE if inside else WORDS if " " in text else WORD
    return _Find(start, end, inside, in_latin(text, keeps_han=keeps_han).translate(NO_JOINERS), native, demand)


def _is_in_two_scripts(text: str, native: tuple[str, ...]) -> bool:
    """Whether letters of both scripts touch, or one letter of either is not all that stands apart from the rest."""
    if TOUCHING.search(text):
        return True
    return len(native) >= FEWEST_APART and len(LATIN.findall(text)) >= FEWEST_APART


def _span(skeleton: str, start: int, end: int, left_out: str) -> tuple[int, int, bool]:
    """The span of a find with the letters beside it that its code leaves out; whether it begins or ends inside a Latin word."""
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
    return first, last, begins_inside or ends_inside


def _end(skeleton: str, last: int, left_out: str) -> int:
    """Where a find ends with the letters behind it that its code leaves out: of Latin words vowels and doubled letters, else marks."""
    while last < len(skeleton):
        char, before = skeleton[last], skeleton[last - 1]
        doubled = (char == before and char.isalpha()) or letter_in_latin(char) == letter_in_latin(
            skeleton[last - 2]
        ) != "" == letter_in_latin(before)
        if not (char in left_out or doubled or char in AFTER_THEIR_CONSONANT or unicodedata.category(char)[0] == "M"):
            break
        last += 1
    return last


def _is_latin(char: str) -> bool:
    return "a" <= char <= "z"


@lru_cache(maxsize=4096)
def _letters_of(form: str) -> frozenset[str]:
    return frozenset(fold(form))
