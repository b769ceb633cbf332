"""Undisguise: what was really written where the bare reading holds a form, and whether a person would read the form there.

A hit in the bare reading is held against the skeleton letter by letter (`written`). What stands between the letters (`gaps`) and in place
of them names the disguise; what nobody would read as the form is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from wildgate_service.match.boundaries import Edge, is_bounded, left_holds
from wildgate_service.match.gaps import SHORTEST_JOINED, Judgment, judge_gaps, together
from wildgate_service.match.views import JOINED_WORDS, KANA, LEETSPEAK, LOOK_ALIKES, MISSPELLING, MIXED_SCRIPT, REPEATS
from wildgate_service.match.written import Written, letters_in, letters_worth, read_letters
from wildgate_service.normalize.bare import is_letter

if TYPE_CHECKING:
    from wildgate_service.match.tables import Form
    from wildgate_service.normalize.bare import Bare

JOINERS = re.compile("[_-]")
SHORTEST = 4  # letters of a form that is read through a disguise
SHORTEST_GLUED = 5  # letters of one that is written together with words of trade
SHORTEST_KANA = 7  # letters' worth of a form that is read in the other kana: three characters
SURELY_MEANT = 10  # letters of a form of several words that is meant wherever it stands
SHORTEST_GLUE, LONGEST_GLUE = 3, 16  # letters of a word that may be written together with a form
LONGEST_BESIDE = 64  # letters before or after a form in one word
MOST_GLUE = 4  # words before or after a form in one word


class Reading(NamedTuple):
    """A form as it was found: its span in the skeleton, and the disguises it took."""

    start: int
    end: int
    views: tuple[str, ...]


def undisguise(bare: Bare, start: int, pattern: str, form: Form, glue: frozenset[str]) -> Reading | None:
    """The form whose folded spelling is `pattern`, from a place of a bare reading on, as it was written.

    None if nobody would read it there, or if it is written plainly. `glue` are the words that may be written together with it.
    """
    first, last = bare.position(start), bare.last_position(start)
    reading = _from(bare, first, pattern, form, glue)
    return reading or (_from(bare, last, pattern, form, glue) if last != first else None)


def _from(bare: Bare, at: int, pattern: str, form: Form, glue: frozenset[str]) -> Reading | None:
    if _is_nothing(bare, at, pattern, form):
        return None
    written = read_letters(bare.skeleton, at, pattern, bare.signs)
    if written is None:
        return None
    heard = bare.written[written.start : written.end] != bare.skeleton[written.start : written.end]
    if bare.written is not bare.skeleton and not heard:
        return None
    views = together((_of_letters(bare.skeleton, written), judge_gaps(bare.skeleton, written)))
    if views is not None and heard:
        views = (MIXED_SCRIPT, *views)
    if views is not None and not is_bounded(bare.skeleton, written.start, written.end, form.left, form.right):
        views = _of_neighbors(bare.skeleton, written, glue, views)
    if views is None or not (views or JOINERS.search(bare.skeleton, written.start, written.end)):
        return None  # written plainly: the plain search has it, unless it takes a hyphen for one blank and not for another
    return Reading(written.start, written.end, tuple(dict.fromkeys(views)))


def _is_nothing(bare: Bare, at: int, pattern: str, form: Form) -> bool:
    """Whether a form begins inside a word in which it is not whole or too short, or is written plainly: a quick look at most finds."""
    skeleton, letters = bare.skeleton, letters_in(pattern)
    is_whole = skeleton.startswith(letters, at)
    may_be_glued = is_whole and (len(letters) >= SHORTEST_GLUED or form.left is Edge.NUMBER)
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


def _of_neighbors(skeleton: str, written: Written, glue: frozenset[str], views: tuple[str, ...]) -> Judgment:
    """The views of a form that is no word of its own: only if nothing but a blank is missing."""
    if set(views) - {JOINED_WORDS} or not _is_glued(skeleton, written, glue, several=JOINED_WORDS in views):
        return None
    return (*views, JOINED_WORDS)


def _is_glued(skeleton: str, written: Written, glue: frozenset[str], *, several: bool) -> bool:
    """Whether a plain form stands in one word with nothing but words of the lexicon: "rhinohornforsale".

    A form of `several` words that is long enough needs no such proof.
    """
    length = written.end - written.start
    if length < SHORTEST_GLUED or any(written.gaps):
        return False
    if several and length >= SURELY_MEANT:
        return True
    first, last = written.start, written.end
    farthest = max(0, first - LONGEST_BESIDE), min(len(skeleton), last + LONGEST_BESIDE)
    while first > farthest[0] and is_letter(skeleton[first - 1], frozenset()):
        first -= 1
    while last < farthest[1] and is_letter(skeleton[last], frozenset()):
        last += 1
    return _is_made_of(skeleton[first : written.start], glue, MOST_GLUE) and _is_made_of(skeleton[written.end : last], glue, MOST_GLUE)


def _is_made_of(text: str, words: frozenset[str], most: int) -> bool:
    if not text or text in words:
        return True
    longest = min(len(text), LONGEST_GLUE)
    return most > 1 and any(text[:at] in words and _is_made_of(text[at:], words, most - 1) for at in range(SHORTEST_GLUE, longest + 1))
