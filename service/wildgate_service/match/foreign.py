"""Foreign words: a long text in one language has many chances to hold a word that means wildlife only in another.

"Varis" are lemurs in German and varicose veins in Turkish. Where a text is surely in one language, a single word that means something else
in it (`homographs.tsv`), or that is a form of another language only by a guess, is no match, unless that other language is spoken near it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from wildgate_service.language import TRADED, sure_languages
from wildgate_service.match.company import NOBODYS, tongue
from wildgate_service.match.slips import LOST, cost
from wildgate_service.match.views import JOINED_WORDS, LOOK_ALIKES, MISSPELLING, ORDINARY, ROMANIZED, RUN_TOGETHER, SPLIT_WORD
from wildgate_service.normalize import fold
from wildgate_service.types import Match, RuleKind

if TYPE_CHECKING:
    from wildgate_service.match.tables import CompiledLexicon
    from wildgate_service.normalize import NormalizedText

LONG = 100  # code points of a text whose language is sure, and in which words stand by chance
NEAR = 100  # code points within which a cue in a form's own language speaks for it
MOST_SLIPS = LOST  # that reading a word as one of another language may cost
READ_BY_ALL = frozenset({"en"})  # languages in whose texts words of other scripts are written in Latin letters for everybody
NOWHERE: frozenset[int] = frozenset()
PARTS = frozenset({JOINED_WORDS, RUN_TOGETHER})  # readings of a part of a word
TWICE = (frozenset({MISSPELLING, SPLIT_WORD}), frozenset({MISSPELLING, LOOK_ALIKES}))  # guesses made upon guesses
CALLED = {"fil": "tl"}  # what tables call a language


def without_foreign(
    text: NormalizedText, taxa: tuple[Match, ...], others: tuple[Match, ...], lexicon: CompiledLexicon
) -> tuple[Match, ...]:
    """The taxon matches of a text without words of other languages that stand in it by chance, and without slips that are cues as written.

    `others` are its cues and contexts. The language is asked for only if there is such a word in a long text.
    """
    taxa = _without_slips_of_others(taxa, others)
    doubted = [match for match in taxa if _may_be_chance(match, text, lexicon)] if len(text.skeleton) >= LONG else []
    languages = tuple(map(tongue, sure_languages(text.document))) if doubted else ()
    if not languages or languages[0] not in TRADED:
        return taxa
    known = {_span(match) for match in taxa if tongue(match.language) == languages[0]}
    spoken = _spoken(others)
    chance = {
        id(match)
        for match in doubted
        if tongue(match.language) not in languages
        and _span(match) not in known
        and _means_nothing(match, text, languages[0], lexicon)
        and not _is_near(match, spoken.get(tongue(match.language), NOWHERE))
    }
    return tuple(match for match in taxa if id(match) not in chance)


def _without_slips_of_others(taxa: tuple[Match, ...], others: tuple[Match, ...]) -> tuple[Match, ...]:
    """Without misspellings of what is a cue or a context just as it is written: "lahatan", all of them, is no "layagan", a lizard."""
    if not any(MISSPELLING in match.views for match in taxa):
        return taxa
    plain = {_span(each) for each in others if not each.views}
    return tuple(match for match in taxa if MISSPELLING not in match.views or _span(match) not in plain)


def _may_be_chance(match: Match, text: NormalizedText, lexicon: CompiledLexicon) -> bool:
    """Whether a match is one that other languages may bring about: nothing hides it, and it is a homograph or a guess."""
    written = _written(match, text)
    if match.language in NOBODYS or not (ORDINARY.issuperset(match.views) or _is_other_alphabet(match, written)):
        return False
    return bool(_meanings(match, written, lexicon)) or ROMANIZED in match.views or _is_guess(match, written)


def _is_other_alphabet(match: Match, written: str) -> bool:
    """Whether a plain Latin word only looks like a form in another alphabet: "napapa" is no Russian "пара ара"."""
    return set(match.views) - ORDINARY == {LOOK_ALIKES} and written.isascii() and not fold(match.form).isascii()


def _meanings(match: Match, written: str, lexicon: CompiledLexicon) -> str:
    """The languages in which what is written is another word: of a misspelling all in which it is an ordinary one."""
    return lexicon.homographs.get(written, "") or (lexicon.ordinary.get(written, "") if MISSPELLING in match.views else "")


def _is_guess(match: Match, written: str) -> bool:
    """Whether a single word is read as another with more than one slip, or is only a part of a word: "palisan" of "palisander".

    So is what is misspelled besides being broken in two or of another alphabet: "mantel a" is no "mantella".
    """
    if any(both.issubset(match.views) for both in TWICE):
        return True
    if " " in written or " " in match.form:
        return False
    return not PARTS.isdisjoint(match.views) or (MISSPELLING in match.views and cost(written, fold(match.form)) > MOST_SLIPS)


def _means_nothing(match: Match, text: NormalizedText, language: str, lexicon: CompiledLexicon) -> bool:
    """Whether a match is another word of a language, or a guess that nobody would make in it."""
    written = _written(match, text)
    if language in {tongue(CALLED.get(each, each)) for each in _meanings(match, written, lexicon).split()}:
        return True
    return _is_guess(match, written) or (ROMANIZED in match.views and language not in READ_BY_ALL)


def _spoken(others: Iterable[Match]) -> dict[str, frozenset[int]]:
    """Where in the skeleton cues of a language stand as they are spelled, and none of another one."""
    at: dict[int, set[str]] = defaultdict(set)
    for each in others:
        if each.kind is not RuleKind.BENIGN_CONTEXT and MISSPELLING not in each.views:
            for point in range(*_span(each)):
                at[point].add(tongue(each.language))
    return {name: frozenset(point for point, names in at.items() if names == {name}) for name in set().union(*at.values())}


def _is_near(match: Match, places: frozenset[int]) -> bool:
    """Whether some of these places is near a match, and not in it."""
    start, end = _span(match)
    return not places.isdisjoint(range(start - NEAR, start)) or not places.isdisjoint(range(end, end + NEAR))


def _written(match: Match, text: NormalizedText) -> str:
    return text.skeleton[match.skeleton_start : match.skeleton_end]


def _span(match: Match) -> tuple[int, int]:
    return match.skeleton_start, match.skeleton_end
