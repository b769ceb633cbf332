"""Bearing: whether a form may be read where some of its words were put right, and whether it can be no other.

What all edits cost is held against all letters of the form, so that one word may be far off where the others are right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildgate_service.match.boundaries import Edge
from wildgate_service.match.gaps import SHORTEST_FORM, SHORTEST_JOINED
from wildgate_service.match.slips import LOST
from wildgate_service.match.undisguise import SHORTEST_GLUED
from wildgate_service.match.views import MASKED, MISSPELLING, REPEATS, RUN_TOGETHER
from wildgate_service.match.written import letters_worth
from wildgate_service.types import CUES

if TYPE_CHECKING:
    from wildgate_service.match.corrected import Edit
    from wildgate_service.match.find import Occurrence
    from wildgate_service.match.tables import CompiledLexicon, Form

LONG_WORD = 9  # letters of a word that bears more than one slip by itself
MOST_OF_LONG_WORD = 2.0
MOST_OF_CUE = LOST  # of a cue of one word: another letter is mostly another ending of it
SURE_FORM = 8  # letters of a form of several words that is strong by itself with a slip in it
SURE_WORD = 10  # the same of a single word
LETTERS_A_SURE_SLIP = 8
UNCOUNTED = frozenset({"km", "la", "lo", "my", "ne", "sw", "th", "zxx"})  # languages that the ordinary words are not of
LISTED_AS = {"tl": "fil"}
COUNTED = frozenset({MISSPELLING, RUN_TOGETHER, REPEATS})  # what is weighed by what it costs; the rest by what is seen of the form
SHORTEST_DISGUISED = 4  # letters of a form that is read with letters masked or drawn
FEWEST_SEEN = 3  # letters of it that are not masked
FEWEST_RIGHT = 3  # letters of it that are right where one word is wrong
LETTERS_A_SLIP = 4.5  # letters of a form of several words for each that may be wrong


def bears(lexicon: CompiledLexicon, at: Occurrence, edits: tuple[Edit, ...], source: str, *, garbled: bool = False) -> bool:
    """Whether a form may be read with these edits: all that they cost against all its letters; a single word only if it is long.

    A word that is ordinary in the form's language means itself; in a garbled text it may not.
    """
    form = lexicon.forms[at.form]
    if not garbled and any(_is_ordinary(lexicon, source[edit.source_start : edit.source_end], form) for edit in edits):
        return False
    views = {view for edit in edits for view in edit.views}
    letters = letters_worth(form.form)
    if not views <= COUNTED:
        return _is_seen(at, edits, source)
    if RUN_TOGETHER in views:
        return letters >= (SHORTEST_JOINED if form.form.isascii() else SHORTEST_FORM) or (
            letters > SHORTEST_GLUED and len(edits) > 1 and at.start < edits[0].start
        )
    if REPEATS in views or form.right is Edge.CLUSTER:
        return letters >= SHORTEST_GLUED
    price = sum(edit.cost for edit in edits)
    if len(edits) == 1 and edits[0].start <= at.start and at.end <= edits[0].end:
        most = MOST_OF_CUE if lexicon.rules[form.rule].kind in CUES else 1 if letters < LONG_WORD else MOST_OF_LONG_WORD
        return form.fuzzy and price <= most
    wrong = sum(edit.end - edit.start for edit in edits)
    return letters >= SHORTEST_FORM and letters - wrong >= FEWEST_RIGHT * (len(edits) == 1) and price <= max(1, letters / LETTERS_A_SLIP)


def _is_ordinary(lexicon: CompiledLexicon, word: str, form: Form) -> bool:
    """Whether a word is an ordinary one of a form's language, or of any if nobody has counted that one's words."""
    languages = lexicon.ordinary.get(word, "")
    language = LISTED_AS.get(base := lexicon.rules[form.rule].language.partition("-")[0], base)
    return bool(languages) and (language in UNCOUNTED or language in languages.split())


def _is_seen(at: Occurrence, edits: tuple[Edit, ...], source: str) -> bool:
    """Whether a form that is read with letters masked or drawn is long, and enough of it is seen."""
    if at.end - at.start < SHORTEST_DISGUISED:
        return False
    masked = any(MASKED in edit.views for edit in edits)
    return not masked or sum(map(str.isalpha, source[edits[0].source_start : edits[-1].source_end])) >= FEWEST_SEEN


def is_sure(form: Form, at: Occurrence, edits: tuple[Edit, ...]) -> bool:
    """Whether a form can be no other for all the edits: long, little wrong, and written right for the most part."""
    letters = letters_worth(form.form)
    price = sum(edit.cost for edit in edits)
    whole = edits[0].start <= at.start and at.end <= edits[-1].end and len(edits) == 1
    return letters >= (SURE_WORD if whole else SURE_FORM) and price <= max(1, letters / LETTERS_A_SURE_SLIP)
