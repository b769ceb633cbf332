"""Gaps: what stands between the letters of a form, and whether somebody would still read the form over it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from wildgate_service.match.boundaries import is_dense, is_unspaced
from wildgate_service.match.views import JOINED_WORDS, SEPARATED_LETTERS, SEPARATORS, SPLIT_WORD
from wildgate_service.match.written import Written, letters_worth
from wildgate_service.normalize.bare import is_letter
from wildgate_service.normalize.fold import FIELD_SEPARATOR
from wildgate_service.normalize.layers import JOINED_FIELDS

SHORTEST_FORM = 6  # letters of a form of several words of which some are wrong
SHORTEST_JOINED = 7  # letters of a form that only lost or gained a blank
SHORTEST_OVER_FIELDS = 5  # letters of one that goes on in another field
DIVIDING = frozenset(",;:()?\"'&")  # what stands between parts of a sentence and so does not hold a word together
LONG_UNSPACED = 5  # letters of a form of a script without blanks that stays itself with two blanks in it
SURELY_SPLIT = 8  # letters of one that stays itself with a blank in it, whatever stands beside it
SHORTEST_SPELLED = 6  # letters of a form that is read in a row of single letters longer than it
SHORTEST_DENSE = 5  # the same where a character is a syllable: two of them
LONGEST_ELIDED = 1  # letters before an apostrophe that may be another word: "l'oro"
LETTER_BEFORE_GAP = re.compile(r"[\W_]?[^\W\d_]|\w?[\W_][^\W\d_]")  # a letter by itself that a gap follows
LETTER_AFTER_GAP = re.compile(r"[^\W\d_](?:[\W_]\w?)?")  # one that a gap precedes
MOST_SPLITS = 2  # blanks in a form whose words are broken; more are no accident

Judgment = tuple[str, ...] | None
"""Names of the views that something took to read, none where it is plain; None where nobody would read it as the form."""


def together(judgments: Iterable[Judgment]) -> Judgment:
    """All views, or None if one of the judgments refuses."""
    views: list[str] = []
    for each in judgments:
        if each is None:
            return None
        views += each
    return tuple(views)


def judge_gaps(skeleton: str, written: Written) -> Judgment:
    """What the gaps between the letters of a form say."""
    return together(_of_gaps(skeleton, written, letters_worth(written.letters)))


def _of_gaps(skeleton: str, written: Written, worth: float) -> Iterator[Judgment]:
    if any(FIELD_SEPARATOR in gap for gap in written.gaps):
        yield (JOINED_FIELDS,) if worth >= SHORTEST_OVER_FIELDS and all(map(_ends_field, written.gaps)) else None
    words = list(_words(written))
    fewest = 1 if is_dense(written.letters[0]) else 2
    spelled_out = any(_is_spelled_out(gaps, fewest) for gaps in words)
    between = [written.gaps[at] for at in sorted(written.breaks)]
    if not spelled_out and any(map(_divides, between)):
        yield None
    if any(gap.strip(" -_#") and FIELD_SEPARATOR not in gap for gap in between):
        yield (SEPARATORS,)
    if any(not gap for gap in between):
        yield (JOINED_WORDS,) if worth >= SHORTEST_JOINED or spelled_out else None
    for gaps in words:
        filled = [gap for gap in gaps if gap and FIELD_SEPARATOR not in gap]
        if filled:
            yield _of_word(skeleton, written, filled, worth, spelled_out=_is_spelled_out(gaps, fewest))


def _words(written: Written) -> Iterator[list[str]]:
    """The gaps inside each word of a form."""
    begin = 0
    for end in (*sorted(written.breaks), len(written.gaps)):
        yield written.gaps[begin + 1 : end]
        begin = end


def _is_spelled_out(gaps: list[str], fewest: int) -> bool:
    """Whether the letters of a word stand apart: so many gaps filled at least, and three in five."""
    filled = sum(map(bool, gaps))
    return filled >= fewest and 5 * filled >= 3 * len(gaps)


def _ends_field(gap: str) -> bool:
    """Whether nothing but blanks and hyphens stands beside the end of a field in a gap, if there is one."""
    return FIELD_SEPARATOR not in gap or gap.strip(" -") == FIELD_SEPARATOR


def _of_word(skeleton: str, written: Written, filled: list[str], worth: float, *, spelled_out: bool) -> Judgment:
    """What the gaps inside a word say."""
    if _is_elision(written, filled, worth):
        return None
    if is_unspaced(written.letters[0]) and not any(map(_is_hard, filled)):
        return _of_unspaced(skeleton, written, filled, spelled_out=spelled_out)
    if spelled_out:
        return (SEPARATED_LETTERS,) if _stands_apart(skeleton, written, filled, worth) else None
    if any(_divides(gap) and " " in gap for gap in filled):
        return None
    hyphens = any("-" in gap for gap in filled) and (len(filled) > 1 or worth >= SHORTEST_JOINED)
    if hyphens or any(_is_hard(gap) or _divides(gap) for gap in filled):
        return (SEPARATORS,)
    return _of_blanks(written, worth)


def _of_blanks(written: Written, worth: float) -> Judgment:
    """What blanks alone inside a word say."""
    if len(list(filter(str.isspace, written.gaps))) > MOST_SPLITS:
        return (SEPARATED_LETTERS,)
    return (SPLIT_WORD,) if worth >= SHORTEST_JOINED else None


def _is_elision(written: Written, filled: list[str], worth: float) -> bool:
    """Whether the one gap is an apostrophe after what may be a word by itself: "l'oro" is no parrot, "eleph'ant" an elephant."""
    return filled == ["'"] and (written.gaps.index("'") <= LONGEST_ELIDED or worth <= SHORTEST_JOINED)


def _stands_apart(skeleton: str, written: Written, filled: list[str], worth: float) -> bool:
    """Whether letters set apart are a word of their own, and not a part of a longer one set apart in the same way."""
    if any(_divides(gap) and " " in gap for gap in filled) and len(set(filled)) > 1:
        return False
    gap = filled[-1]
    before = skeleton[max(0, written.start - len(gap) - 2) : written.start]
    after = skeleton[written.end : written.end + len(gap) + 2]
    goes_on = LETTER_BEFORE_GAP.fullmatch(before.removesuffix(gap)) is not None and before.endswith(gap)
    goes_on |= LETTER_AFTER_GAP.fullmatch(after.removeprefix(gap)) is not None and after.startswith(gap)
    return not goes_on or worth >= (SHORTEST_DENSE if is_dense(skeleton[written.start]) else SHORTEST_SPELLED)


def _of_unspaced(skeleton: str, written: Written, filled: list[str], *, spelled_out: bool) -> Judgment:
    """Blanks in a script without blanks part words, unless they leave nothing but the form: "象 牙", not "大象 牙刷"."""
    if any(_divides(gap) and " " in gap for gap in filled):
        return None
    letters = written.letters
    begins = written.start == 0 or not is_letter(skeleton[written.start - 1], frozenset())
    ends = written.end == len(skeleton) or not is_letter(skeleton[written.end], frozenset())
    several = len(filled) > 1 and (spelled_out or len(letters) >= LONG_UNSPACED)
    if several or (begins and (ends or (len(letters) > 2 and is_dense(letters[0])))):  # noqa: PLR2004  (more than one gap's worth)
        return (SEPARATED_LETTERS,)
    return (SPLIT_WORD,) if filled == [" "] and len(letters) >= SURELY_SPLIT and not is_dense(letters[0]) else None


def _divides(gap: str) -> bool:
    """Whether a gap ends a sentence or a part of one."""
    if FIELD_SEPARATOR in gap:
        return False
    return any(char in DIVIDING for char in gap) or (" " in gap and gap.strip() in {".", "!", "...", "/", "-", "|"})


def _is_hard(gap: str) -> bool:
    """Whether a gap holds a sign that ordinary writing does not put inside a word."""
    return any(char not in " -" and char not in DIVIDING for char in gap)
