"""Written: how the letters of a form stand in a skeleton, with the gaps between them and what stands in their place."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from wildgate_service.match.boundaries import is_dense
from wildgate_service.normalize.bare import is_letter
from wildgate_service.normalize.kana import is_same_kana
from wildgate_service.normalize.readings import reads_as

LONGEST_GAP = 6  # code points between two letters of a form
MOST_REMEMBERED = 16_384  # forms of which it is known what in them are letters
SYLLABLE = 2.5  # how many letters a Han character, Hangul syllable or kana is worth


class Written(NamedTuple):
    """How the letters of a form were written: the gap before each, which of them were stand-ins, and how many were doubled or left out.

    `start` and `end` are in the skeleton; `breaks` are the indices of the letters before which the form has a blank or hyphen.
    """

    start: int
    end: int
    letters: str
    breaks: frozenset[int]
    gaps: list[str]
    stand_ins: list[int]
    look_alikes: int
    other_kana: int
    repeated: int
    missing: int


def read_letters(skeleton: str, start: int, pattern: str, signs: frozenset[str]) -> Written | None:
    """Read a form, whose folded spelling is `pattern`, from a place of the skeleton on, over gaps and repeats; None if it is not there."""
    letters, breaks = letters_in(pattern), _breaks(pattern)
    gaps: list[str] = []
    stand_ins: list[int] = []
    look_alikes = other_kana = repeated = missing = 0
    at = start
    while len(gaps) < len(letters):
        index, begin = len(gaps), at
        if skeleton.startswith(letters[index], at):
            gaps.append("")
            at += 1
            continue
        while index and at < len(skeleton) and at - begin <= LONGEST_GAP and not is_letter(skeleton[at], signs):
            at += 1
        if at == len(skeleton):
            return None
        char, letter = skeleton[at], letters[index]
        same_kana = is_same_kana(char, letter)
        if same_kana or reads_as(char, letter):
            gaps.append(skeleton[begin:at])
            if char != letter and not char.isalpha():
                stand_ins.append(index)
            other_kana += same_kana
            look_alikes += char != letter and char.isalpha() and not same_kana
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
    return Written(start, at, letters, breaks, gaps, stand_ins, look_alikes, other_kana, repeated, missing)


@lru_cache(maxsize=MOST_REMEMBERED)
def letters_in(pattern: str) -> str:
    """What of a form are letters; the rest may be missing where it is written."""
    return "".join(char for char in pattern if is_letter(char, frozenset()))


@lru_cache(maxsize=MOST_REMEMBERED)
def letters_worth(pattern: str) -> float:
    """How many letters a form is worth: a syllable in one character counts for more than one."""
    if pattern.isascii():
        return sum(map(str.isalnum, pattern))
    return sum(SYLLABLE if is_dense(char) else 1 for char in pattern if is_letter(char, frozenset()))


@lru_cache(maxsize=MOST_REMEMBERED)
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
