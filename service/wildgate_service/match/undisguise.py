"""Undisguise: what was really written where the bare reading holds a form, and whether a person would read the form there.

A hit in the bare reading is held against the skeleton letter by letter. What stands between and in place of the letters names the disguise;
what nobody would read as the form is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from wildgate_service.match.boundaries import is_bounded, is_dense, is_unspaced
from wildgate_service.match.views import (
    JOINED_WORDS,
    KANA,
    LEETSPEAK,
    LOOK_ALIKES,
    MISSPELLING,
    MIXED_SCRIPT,
    REPEATS,
    SEPARATED_LETTERS,
    SEPARATORS,
    SPLIT_WORD,
)
from wildgate_service.normalize.bare import is_letter
from wildgate_service.normalize.fold import FIELD_SEPARATOR
from wildgate_service.normalize.kana import is_same_kana
from wildgate_service.normalize.layers import JOINED_FIELDS
from wildgate_service.normalize.readings import reads_as

if TYPE_CHECKING:
    from wildgate_service.match.tables import Form
    from wildgate_service.normalize.bare import Bare

LONGEST_GAP = 6  # code points between two letters of a form
SHORTEST = 4  # letters of a form that is read through a disguise
SHORTEST_JOINED = 7  # letters of one that only lost or gained a blank
SHORTEST_GLUED = 5  # letters of one that is written together with words of trade
SYLLABLE = 2.5  # how many letters a Han character, Hangul syllable or kana is worth
SHORTEST_KANA = 7  # letters' worth of a form that is read in the other kana: three characters
DIVIDING = frozenset(",;:()?\"'&")  # what stands between parts of a sentence and so does not hold a word together
LONG_UNSPACED = 5  # letters of a form of a script without blanks that stays itself with two blanks in it
SHORTEST_SPELLED = 6  # letters of a form that is read in a row of single letters longer than it
SHORTEST_DENSE = 5  # the same where a character is a syllable: two of them
LETTER_BEFORE_GAP = re.compile(r"[\W_]?[^\W\d_]|\w?[\W_][^\W\d_]")  # a letter by itself that a gap follows
LETTER_AFTER_GAP = re.compile(r"[^\W\d_](?:[\W_]\w?)?")  # one that a gap precedes
SURELY_MEANT = 10  # letters of a form of several words that is meant wherever it stands
MOST_SPLITS = 2  # blanks in a form whose words are broken; more are no accident
SHORTEST_GLUE, LONGEST_GLUE = 3, 16  # letters of a word that may be written together with a form
LONGEST_BESIDE = 64  # letters before or after a form in one word
MOST_GLUE = 4  # words before or after a form in one word
_REFUSED = ""  # among the names of disguises: nobody would read the form


class Reading(NamedTuple):
    """A form as it was found: its span in the skeleton, and the disguises it took."""

    start: int
    end: int
    views: tuple[str, ...]


class _Written(NamedTuple):
    """How the letters of a form were written: the gap before each, which of them were stand-ins, and how many were doubled or left out."""

    start: int
    end: int
    gaps: list[str]
    stand_ins: list[int]
    look_alikes: int
    other_kana: int
    repeated: int
    missing: int


def undisguise(bare: Bare, start: int, pattern: str, form: Form, glue: frozenset[str]) -> Reading | None:
    """The form whose folded spelling is `pattern`, from a place of a bare reading on, as it was written.

    None if nobody would read it there, or if it is written plainly. `glue` are the words that may be written together with it.
    """
    first, last = bare.positions[start], bare.last_position(start)
    reading = _from(bare, first, pattern, form, glue)
    return reading or (_from(bare, last, pattern, form, glue) if last != first else None)


def _from(bare: Bare, at: int, pattern: str, form: Form, glue: frozenset[str]) -> Reading | None:
    letters = [char for char in pattern if is_letter(char, frozenset())]
    breaks = _breaks(pattern)
    written = _read(bare.skeleton, at, letters, bare.signs, breaks)
    if written is None:
        return None
    heard = bare.written[written.start : written.end] != bare.skeleton[written.start : written.end]
    if bare.written is not bare.skeleton and not heard:
        return None
    names = [MIXED_SCRIPT] if heard else []
    names += _disguises(bare.skeleton, written, letters, breaks)
    if not is_bounded(bare.skeleton, written.start, written.end, form.left, form.right):
        if set(names) - {JOINED_WORDS} or not _is_glued(bare.skeleton, written, glue, several=JOINED_WORDS in names):
            return None
        names.append(JOINED_WORDS)
    if _REFUSED in names or not (names or "_" in bare.skeleton[written.start : written.end]):
        return None
    return Reading(written.start, written.end, tuple(dict.fromkeys(names)))


def letters_worth(pattern: str) -> float:
    """How many letters a form is worth: a syllable in one character counts for more than one."""
    if pattern.isascii():
        return sum(map(str.isalnum, pattern))
    return sum(SYLLABLE if is_dense(char) else 1 for char in pattern if is_letter(char, frozenset()))


def _breaks(pattern: str) -> frozenset[int]:
    """Indices of the letters before which the form has a blank or hyphen."""
    breaks, index, gap = set(), 0, False
    for char in pattern:
        if not is_letter(char, frozenset()):
            gap = True
            continue
        if gap:
            breaks.add(index)
        index, gap = index + 1, False
    return frozenset(breaks)


def _read(skeleton: str, start: int, letters: list[str], signs: frozenset[str], breaks: frozenset[int]) -> _Written | None:
    """Read the letters of a form from a place of the skeleton on, over gaps and repeats; None if they do not stand there."""
    gaps: list[str] = []
    stand_ins: list[int] = []
    look_alikes = other_kana = repeated = missing = 0
    at = start
    while len(gaps) < len(letters):
        index, begin = len(gaps), at
        while index and at < len(skeleton) and at - begin <= LONGEST_GAP and not is_letter(skeleton[at], signs):
            at += 1
        if at == len(skeleton):
            return None
        char, letter = skeleton[at], letters[index]
        if reads_as(char, letter) or is_same_kana(char, letter):
            gaps.append(skeleton[begin:at])
            if char != letter and not char.isalpha():
                stand_ins.append(index)
            other_kana += is_same_kana(char, letter)
            look_alikes += char != letter and char.isalpha() and not is_same_kana(char, letter)
            at += 1
        elif index and (at == begin or index - 1 in breaks) and reads_as(char, letters[index - 1]):
            repeated += 1
            at += 1
        elif index and letter == letters[index - 1] and not is_dense(letter):
            gaps.append("")
            missing += 1
            at = begin
        else:
            return None
    while at < len(skeleton) and skeleton[at] == skeleton[at - 1] and skeleton[at].isalpha():
        repeated += 1
        at += 1
    return _Written(start, at, gaps, stand_ins, look_alikes, other_kana, repeated, missing)


def _disguises(skeleton: str, written: _Written, letters: list[str], breaks: frozenset[int]) -> Iterator[str]:
    """Names of the disguises; `_REFUSED` among them if nobody would read the form."""
    worth = letters_worth("".join(letters))
    if worth < SHORTEST:
        yield _REFUSED
    if written.look_alikes:
        homograph = written.look_alikes == len(letters) and skeleton[written.start : written.end].isascii()
        yield _REFUSED if homograph else LOOK_ALIKES
    if written.other_kana:
        yield KANA if worth >= SHORTEST_KANA else _REFUSED
    if written.stand_ins:
        yield LEETSPEAK if _stand_for_letters(written, len(letters)) else _REFUSED
    if written.repeated > 1:
        yield REPEATS
    elif written.repeated or written.missing:
        yield _REFUSED if written.stand_ins or worth < SHORTEST_JOINED - 1 or any(gap.strip() for gap in written.gaps) else MISSPELLING
    yield from _of_gaps(skeleton, written, letters, breaks, worth)


def _stand_for_letters(written: _Written, length: int) -> bool:
    """Whether digits and signs stand among letters: a third of the form is letters, and no stand-in is a number or sign of its own."""
    alone = [at for at in written.stand_ins if written.gaps[at] and (at + 1 == length or written.gaps[at + 1])]
    spelled_out = sum(map(bool, written.gaps)) >= length - 1
    if "-" in written.gaps and 2 * len(written.stand_ins) >= length and not spelled_out:
        return False  # a model number: M0N0-T1T1
    return 3 * (length - len(written.stand_ins)) >= length and (not alone or spelled_out)


def _of_gaps(skeleton: str, written: _Written, letters: list[str], breaks: frozenset[int], worth: float) -> Iterator[str]:
    """What the gaps between the letters say."""
    if any(FIELD_SEPARATOR in gap for gap in written.gaps):
        yield JOINED_FIELDS if worth >= SHORTEST_GLUED and all(map(_ends_field, written.gaps)) else _REFUSED
    words = list(_words(written.gaps, breaks))
    fewest = 1 if is_dense(letters[0]) else 2
    spelled_out = any(_is_spelled_out(gaps, fewest) for gaps in words)
    between = [written.gaps[at] for at in sorted(breaks)]
    if not spelled_out and any(_divides(gap) for gap in between):
        yield _REFUSED
    if any(gap.strip(" -_#") and FIELD_SEPARATOR not in gap for gap in between):
        yield SEPARATORS
    if any(not gap for gap in between):
        yield JOINED_WORDS if worth >= SHORTEST_JOINED or spelled_out else _REFUSED
    for gaps in words:
        filled = [gap for gap in gaps if gap and FIELD_SEPARATOR not in gap]
        if filled:
            yield _of_word(skeleton, written, letters, filled, worth, spelled_out=_is_spelled_out(gaps, fewest))


def _words(gaps: list[str], breaks: frozenset[int]) -> Iterator[list[str]]:
    """The gaps inside each word of a form."""
    begin = 0
    for end in (*sorted(breaks), len(gaps)):
        yield gaps[begin + 1 : end]
        begin = end


def _is_spelled_out(gaps: list[str], fewest: int) -> bool:
    """Whether the letters of a word stand apart: so many gaps filled at least, and three in five."""
    filled = sum(map(bool, gaps))
    return filled >= fewest and 5 * filled >= 3 * len(gaps)


def _ends_field(gap: str) -> bool:
    """Whether nothing but blanks and hyphens stands beside the end of a field in a gap, if there is one."""
    return FIELD_SEPARATOR not in gap or gap.strip(" -") == FIELD_SEPARATOR


def _of_word(skeleton: str, written: _Written, letters: list[str], filled: list[str], worth: float, *, spelled_out: bool) -> str:
    """What the gaps inside a word say."""
    if is_unspaced(letters[0]) and not any(_is_hard(gap) for gap in filled):
        return _of_unspaced(skeleton, written, letters, filled, spelled_out=spelled_out)
    if spelled_out:
        return SEPARATED_LETTERS if _stands_apart(skeleton, written, filled, worth) else _REFUSED
    if any(_divides(gap) and " " in gap for gap in filled):
        return _REFUSED
    hyphens = any("-" in gap for gap in filled) and (len(filled) > 1 or worth >= SHORTEST_JOINED)
    if hyphens or any(_is_hard(gap) or _divides(gap) for gap in filled):
        return SEPARATORS
    if len(list(filter(str.isspace, written.gaps))) > MOST_SPLITS:
        return SEPARATED_LETTERS
    return SPLIT_WORD if worth >= SHORTEST_JOINED else _REFUSED


def _stands_apart(skeleton: str, written: _Written, filled: list[str], worth: float) -> bool:
    """Whether letters set apart are a word of their own, and not a part of a longer one set apart in the same way."""
    if any(_divides(gap) and " " in gap for gap in filled) and len(set(filled)) > 1:
        return False
    gap = filled[-1]
    before = skeleton[max(0, written.start - len(gap) - 2) : written.start]
    after = skeleton[written.end : written.end + len(gap) + 2]
    goes_on = LETTER_BEFORE_GAP.fullmatch(before.removesuffix(gap)) is not None and before.endswith(gap)
    goes_on |= LETTER_AFTER_GAP.fullmatch(after.removeprefix(gap)) is not None and after.startswith(gap)
    return not goes_on or worth >= (SHORTEST_DENSE if is_dense(skeleton[written.start]) else SHORTEST_SPELLED)


def _of_unspaced(skeleton: str, written: _Written, letters: list[str], filled: list[str], *, spelled_out: bool) -> str:
    """Blanks in a script without blanks part words, unless they leave nothing but the form: "象 牙", not "大象 牙刷"."""
    if any(_divides(gap) and " " in gap for gap in filled):
        return _REFUSED
    begins = written.start == 0 or not is_letter(skeleton[written.start - 1], frozenset())
    ends = written.end == len(skeleton) or not is_letter(skeleton[written.end], frozenset())
    several = len(filled) > 1 and (spelled_out or len(letters) >= LONG_UNSPACED)
    if several or (begins and (ends or (len(letters) > 2 and is_dense(letters[0])))):  # noqa: PLR2004  (more than one gap's worth)
        return SEPARATED_LETTERS
    return _REFUSED


def _divides(gap: str) -> bool:
    """Whether a gap ends a sentence or a part of one."""
    if FIELD_SEPARATOR in gap:
        return False
    return any(char in DIVIDING for char in gap) or (" " in gap and gap.strip() in {".", "!", "...", "/", "-", "|"})


def _is_hard(gap: str) -> bool:
    """Whether a gap holds a sign that ordinary writing does not put inside a word."""
    return any(char not in " -" and char not in DIVIDING for char in gap)


def _is_glued(skeleton: str, written: _Written, glue: frozenset[str], *, several: bool) -> bool:
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
