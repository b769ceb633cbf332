"""Undisguise: what was really written where the bare reading holds a form, and whether a person would read the form there.

A hit in the bare reading is held against the skeleton letter by letter (`written`). What stands between the letters (`gaps`) and in place
of them names the disguise; what nobody would read as the form is refused.

All this is judged by the surroundings of a place alone, and what stood in the same surroundings before is not judged again: a text has
several layers and each several bare readings, most of them alike, and some say one thing a hundred times.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, NamedTuple

from wildgate_service.match.boundaries import Edge, is_bounded, is_dense, left_holds
from wildgate_service.match.gaps import SHORTEST_JOINED, Judgment, judge_gaps, together
from wildgate_service.match.views import JOINED_WORDS, KANA, LEETSPEAK, LOOK_ALIKES, MISSPELLING, MIXED_SCRIPT, REPEATS
from wildgate_service.match.written import LONGEST_GAP, Written, letters_in, letters_worth, read_letters
from wildgate_service.normalize.bare import is_letter

if TYPE_CHECKING:
    from wildgate_service.match.automaton import Found
    from wildgate_service.match.effort import Effort
    from wildgate_service.match.tables import Form
    from wildgate_service.normalize.bare import Bare

JOINERS = re.compile("[_-]")
SHORTEST = 4  # letters of a form that is read through a disguise
SHORTEST_GLUED, FEWEST_SYLLABLES = 5, 4  # letters, or syllables of Hangul, of one that is written together with words of trade
SHORTEST_KANA = 7  # letters' worth of a form that is read in the other kana: three characters
SURELY_MEANT = 10  # letters of a form of several words that is meant wherever it stands
SHORTEST_GLUE, LONGEST_GLUE = 3, 16  # letters of a word that may be written together with a form
SHORTEST_SYLLABLES = 2  # of such a word of Hangul
GLUE_LENGTHS = range(SHORTEST_SYLLABLES, LONGEST_GLUE + 1)
MOST_GLUE = 4  # words before or after a form in one word
LONGEST_BESIDE = MOST_GLUE * LONGEST_GLUE  # letters before or after a form in one word
BEFORE = LONGEST_BESIDE + 16  # code points before a place by which it is judged; nothing looks farther
AFTER = LONGEST_BESIDE + 64  # code points behind, besides what a form of so many letters can stretch over
JUDGMENT = 8  # looks that a judgment costs
NO_SIGNS: frozenset[str] = frozenset()


class Reading(NamedTuple):
    """A form as it was found: its span in the skeleton, and the disguises it took."""

    start: int
    end: int
    views: tuple[str, ...]


class _Surroundings(NamedTuple):
    """All by which a place is judged: the text around it, as read and as it was written, and what is looked for at a place of it."""

    text: str
    written: str
    at: int
    signs: frozenset[str]
    pattern: str
    left: Edge
    right: Edge


class Undisguise:
    """Says what was really written where a bare reading of one text holds a form.

    `glue` are the words that may be written together with it, `effort` what may be done.
    """

    def __init__(self, glue: Container[str], effort: Effort) -> None:
        self._glue = glue
        self._effort = effort
        self._asked: dict[tuple[str, str, frozenset[str]], set[tuple[int, int, int]]] = {}
        self._judged: dict[_Surroundings, Reading | None] = {}

    def places(self, bare: Bare, hits: Found) -> Iterator[tuple[int, int, int]]:
        """Where the hits in a bare reading stand in its skeleton (first and last place), and their pattern; each only once in a text."""
        asked = self._asked.setdefault((bare.skeleton, bare.written, bare.signs), set())
        for (first, last), (_, _, number) in zip(bare.places([start for start, _, _ in hits]), hits, strict=True):
            place = (first, last, number)
            if place not in asked:
                asked.add(place)
                yield place

    def read(self, bare: Bare, first: int, last: int, pattern: str, form: Form) -> Reading | None:
        """The form whose folded spelling is `pattern`, from a place of a bare reading on, as it was written.

        None if nobody would read it there, or if it is written plainly.
        """
        reading = self._from(bare, first, pattern, form)
        return reading or (self._from(bare, last, pattern, form) if last != first else None)

    def _from(self, bare: Bare, at: int, pattern: str, form: Form) -> Reading | None:
        if not self._effort.allows(1) or _is_nothing(bare, at, pattern, form):
            return None
        begin, end = max(0, at - BEFORE), at + AFTER + len(pattern) * (LONGEST_GAP + 1)
        text = bare.skeleton[begin:end]
        written = text if bare.written is bare.skeleton else bare.written[begin:end]
        place = _Surroundings(text, written, at - begin, bare.signs, pattern, form.left, form.right)
        if place not in self._judged:
            if not self._effort.allows(JUDGMENT):
                return None
            self._judged[place] = _judge(place, self._glue)
        reading = self._judged[place]
        if reading is None or (reading.end == len(text) and end < len(bare.skeleton)):
            return None  # a letter that is repeated beyond what is looked at
        return Reading(begin + reading.start, begin + reading.end, reading.views)


def _judge(place: _Surroundings, glue: Container[str]) -> Reading | None:
    text = place.text
    written = read_letters(text, place.at, place.pattern, place.signs)
    if written is None:
        return None
    start, end = written.start, written.end
    heard = place.written[start:end] != text[start:end]
    if place.written is not text and not heard:
        return None
    views = together((_of_letters(text, written), judge_gaps(text, written)))
    if views is not None and heard:
        views = (MIXED_SCRIPT, *views)
    if views is not None and not is_bounded(text, start, end, place.left, place.right):
        views = _of_neighbors(text, written, glue, views)
    if views is None or not (views or JOINERS.search(text, start, end)):
        return None  # written plainly: the plain search has it, unless it takes a hyphen for one blank and not for another
    return Reading(start, end, tuple(dict.fromkeys(views)))


def _is_nothing(bare: Bare, at: int, pattern: str, form: Form) -> bool:
    """Whether a form begins inside a word in which it is not whole or too short, or is written plainly: a quick look at most finds."""
    skeleton, letters = bare.skeleton, letters_in(pattern)
    is_whole = skeleton.startswith(letters, at)
    may_be_glued = is_whole and (_is_long(letters) or form.left is Edge.NUMBER)
    if not may_be_glued and not left_holds(skeleton, at, form.left):
        return True
    if not is_whole:
        return False
    end = at + len(letters)
    goes_on = end < len(skeleton) and skeleton[end] == skeleton[end - 1]
    return letters == pattern and not goes_on and bare.written is skeleton and is_bounded(skeleton, at, end, form.left, form.right)


def _of_letters(skeleton: str, written: Written) -> Judgment:
    """What the letters of a form say by themselves."""
    worth = letters_worth(written.letters)
    return together(_of_each(skeleton, written, worth)) if worth >= SHORTEST else None


def _of_each(skeleton: str, written: Written, worth: float) -> Iterator[Judgment]:
    if written.look_alikes:
        yield None if _is_homograph(skeleton, written) else (LOOK_ALIKES,)
    if written.other_kana:
        yield (KANA,) if worth >= SHORTEST_KANA else None
    if written.stand_ins:
        yield (LEETSPEAK,) if _stand_for_letters(written, len(written.letters)) else None
    if written.repeated > 1:
        yield (REPEATS,)
    elif written.repeated or written.missing:
        doubtful = written.stand_ins or worth < SHORTEST_JOINED - 1 or any(gap.strip() for gap in written.gaps)
        yield None if doubtful else (MISSPELLING,)


def _is_homograph(skeleton: str, written: Written) -> bool:
    """Whether all of a form is written in letters of which most are plain Latin: a Latin word that looks like it."""
    span = skeleton[written.start : written.end]
    return written.look_alikes == len(written.letters) and 2 * sum(map(str.isascii, span)) > len(span)


def _stand_for_letters(written: Written, length: int) -> bool:
    """Whether digits and signs stand among letters: a third of the form is letters, and no stand-in is a number or sign of its own."""
    alone = [at for at in written.stand_ins if written.gaps[at] and (at + 1 == length or written.gaps[at + 1])]
    spelled_out = sum(map(bool, written.gaps)) >= length - 1
    if "-" in written.gaps and 2 * len(written.stand_ins) >= length and not spelled_out:
        return False  # a model number: M0N0-T1T1
    return 3 * (length - len(written.stand_ins)) >= length and (not alone or spelled_out)


def _of_neighbors(skeleton: str, written: Written, glue: Container[str], views: tuple[str, ...]) -> Judgment:
    """The views of a form that is no word of its own: only if nothing but a blank is missing."""
    if set(views) - {JOINED_WORDS} or not _is_glued(skeleton, written, glue, several=JOINED_WORDS in views):
        return None
    return (*views, JOINED_WORDS)


def _is_glued(text: str, written: Written, glue: Container[str], *, several: bool) -> bool:
    """Whether a plain form stands in one word with nothing but words of the lexicon: "rhinohornforsale".

    A form of `several` words that is long enough needs no such proof.
    """
    if not _is_long(written.letters) or any(written.gaps):
        return False
    if several and written.end - written.start >= SURELY_MEANT:
        return True
    return _begins_word(text, written.start, glue) and _ends_word(text, written.end, glue)


def _is_long(letters: str) -> bool:
    """Whether a form of so many letters may be written together with other words."""
    return len(letters) >= (FEWEST_SYLLABLES if is_dense(letters[0]) else SHORTEST_GLUED)


def _begins_word(text: str, at: int, glue: Container[str]) -> bool:
    """Whether a word begins at a place of a text, or a few words of `glue` before it."""
    if at > LONGEST_BESIDE and text[at - LONGEST_BESIDE : at].isalnum():
        return False
    places = {at}
    for _ in range(MOST_GLUE + 1):
        if any(place == 0 or not is_letter(text[place - 1], NO_SIGNS) for place in places):
            return True
        places = {place - length for place in places for length in GLUE_LENGTHS if length <= place and text[place - length : place] in glue}
    return False


def _ends_word(text: str, at: int, glue: Container[str]) -> bool:
    """Whether a word ends at a place of a text, or a few words of `glue` behind it."""
    if at + LONGEST_BESIDE < len(text) and text[at : at + LONGEST_BESIDE].isalnum():
        return False
    places = {at}
    for _ in range(MOST_GLUE + 1):
        if any(place == len(text) or not is_letter(text[place], NO_SIGNS) for place in places):
            return True
        pairs = ((place, place + length) for place in places for length in GLUE_LENGTHS)
        places = {end for place, end in pairs if end <= len(text) and text[place:end] in glue}
    return False
