"""Garbled: texts hardly a word of which is one, with a letter or two of most words wrong, or masked.

Somebody who writes every word wrong hides what he says, or let a scanner read it. In such a text, and in no other, words further off than
`candidates` allows are put right, where they stand beside each other as in a form; what that costs is held against all letters of the form,
as ever (`bearing`). And a form found a slip away is no slip there: that all is written wrong is a disguise, and company for a long form
of several words. So is that all words are masked, which are read without being put right (`masked`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from wildgate_service.match.bearing import SURE_FORM
from wildgate_service.match.candidates import LONGEST, MOST_OPTIONS, SHORTEST, Candidates
from wildgate_service.match.masked import SIGN
from wildgate_service.match.misspelling import Speller
from wildgate_service.match.slips import SLIP as SLIP_COST
from wildgate_service.match.slips import cost
from wildgate_service.match.views import GARBLED, MASKED, MISSPELLING, SLIP
from wildgate_service.match.written import letters_worth
from wildgate_service.types import Level, Match

if TYPE_CHECKING:
    from wildgate_service.match.corrected import Corrected
    from wildgate_service.match.tables import CompiledLexicon
    from wildgate_service.normalize import NormalizedText

FEWEST_WORDS = 4
MOST_WORDS = 60  # of a text, from its beginning, that are looked at
MOST_PUT_RIGHT = 60  # of what blanks part, from its beginning, that is put right
GLANCE = 20  # what blanks part, from the beginning, that tells nearly all ordinary texts
KNOWN_SHARE = 0.4  # of the words, from which a text is not garbled
MASKED_SHARE = 0.6  # of the tokens, from which a text is masked throughout
KNOWN_AT_A_GLANCE = 0.5  # of what blanks part, with the little words that are too short to be wrong
WORD = re.compile(r"[^\W_]{3,}")
INSIDE = re.compile(rf"[^\W\d_]{SIGN}+[^\W\d_]|{SIGN}[^\W\d_]|[^\W\d_][*_#]")  # a masked letter, but for what may end a sentence
LATIN_ENDS = "\u0250"  # the first letter that is none of Latin script
LETTERS_A_COST = 4  # letters of a word for each unit that reading it may cost
ALWAYS_ALLOWED = 1.0  # units: two slips
TWO_EDITS, THREE_EDITS = 4, 8  # letters of a word that bears so many
GUESSED_FORM = 11  # letters of a form of several words that is more than chance though it may be another
MOST_LOST = 2  # letters by which a word is longer or shorter than the one meant
PLACES = 32  # of a signature: letters share some
SLIPPED = frozenset({MISSPELLING, SLIP})

Signatures = NDArray[np.uint32]

_SPELLERS: WeakKeyDictionary[Speller, Speller] = WeakKeyDictionary()


def is_garbled(text: NormalizedText, lexicon: CompiledLexicon) -> bool:
    """Whether most words of a text in Latin letters are none of any language."""
    tokens = text.tokens
    if len(tokens) < FEWEST_WORDS or not (tokens[0] < LATIN_ENDS or tokens[-1] < LATIN_ENDS):
        return False
    spelled, glance = lexicon.taxon_search.speller.parts, tokens[:GLANCE]
    if len(spelled.known.intersection(glance)) >= KNOWN_AT_A_GLANCE * len(glance):
        return False  # as nearly all ordinary texts are, with their commonest words alone
    words = [word for word in WORD.findall(text.skeleton)[:MOST_WORDS] if word < LATIN_ENDS and not word.isdigit()]
    if len(words) < FEWEST_WORDS:
        return False
    lists = (spelled.known, spelled.common, spelled.vocabulary, lexicon.context_search.speller.parts.vocabulary)
    strange = [word for word in words if not any(word in each for each in lists)]
    tongues = Counter(tongue for word in strange for tongue in lexicon.ordinary.get(word, "").split())
    return len(words) - len(strange) + max(tongues.values(), default=0) < KNOWN_SHARE * len(words)


def put_right(text: NormalizedText, speller: Speller) -> list[Corrected]:
    """Readings of a garbled text with far words put right; what the speller has found already is in them too."""
    far = _SPELLERS.get(speller)
    if far is None:
        parts = speller.parts
        pairs = frozenset(phrase for phrase in parts.phrases if " " in phrase)  # a single far word is chance
        far = _SPELLERS[speller] = Speller(parts._replace(phrases=pairs, candidates=FarCandidates(parts.vocabulary)))
    return far.corrected(text.skeleton, text.tokens[:MOST_PUT_RIGHT])


def in_garbled(taxa: Iterable[Match]) -> tuple[Match, ...]:
    """The matches of a garbled text, those found by slips with the view that says so."""
    return tuple(each if SLIPPED.isdisjoint(each.views) else _hidden(each) for each in taxa)


def in_masked(taxa: Iterable[Match], tokens: Sequence[str]) -> tuple[Match, ...]:
    """The matches of a text with masked forms; where most words are masked, that is company for the long ones."""
    found = tuple(taxa)
    if not any(MASKED in each.views and not each.company for each in found) or not _is_masked_throughout(tokens[:MOST_WORDS]):
        return found
    return tuple(msgspec.structs.replace(each, company=each.company or _is_long(each, GUESSED_FORM)) for each in found)


def _is_masked_throughout(tokens: Sequence[str]) -> bool:
    masked = sum(INSIDE.search(token) is not None for token in tokens)
    return masked >= FEWEST_WORDS and masked >= MASKED_SHARE * len(tokens)


def _hidden(match: Match) -> Match:
    is_more_than_chance = _is_long(match, SURE_FORM if SLIP in match.views else GUESSED_FORM)
    return msgspec.structs.replace(match, views=(*match.views, GARBLED), company=match.company or is_more_than_chance)


def _is_long(match: Match, letters: int) -> bool:
    """Whether a form has several words, and so many letters that it is more than chance."""
    return " " in match.form and letters_worth(match.form) >= letters and match.level is not Level.COMPANY_ONLY


class FarCandidates(Candidates):
    """The words of a vocabulary in Latin letters that one word of a garbled text may be: two edits away, three if it is long."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        """Index the words by their length and letters."""
        super().__init__(frozenset())
        words = sorted((word for word in vocabulary if word < LATIN_ENDS), key=lambda word: (len(word), word))
        self._words: NDArray[np.object_] = np.array(words, object)
        self._starts = np.searchsorted([len(word) for word in words], range(LONGEST + 3))
        self._signatures: Signatures = np.array(list(map(_signature, words)), np.uint32)

    def of(self, word: str, *, ordinary: bool) -> tuple[tuple[str, float], ...]:  # noqa: ARG002  (as there)
        """Words that a word may be meant for, ordinary or not, and what reading it so costs; the cheapest first."""
        if not SHORTEST <= len(word) <= LONGEST:
            return ()
        costs = ((cost(word, each), each) for each in self._within_reach(word))
        best = sorted((price, each) for price, each in costs if 0 < price <= _allowance(each))
        return tuple((each, price) for price, each in best[:MOST_OPTIONS])

    def _within_reach(self, word: str) -> list[str]:
        """Words as long, or one or two letters longer or shorter, that are few edits away."""
        edits = 1 + (len(word) >= TWO_EDITS) + (len(word) >= THREE_EDITS)
        away = min(edits, MOST_LOST)
        first, end = self._starts[max(len(word) - away, 0)], self._starts[min(len(word) + away + 1, len(self._starts) - 1)]
        words = self._words[first + _alike(self._signatures[first:end], _signature(word), edits)].tolist()
        return [each for each, _, _ in extract(word, words, scorer=OSA.distance, score_cutoff=edits, limit=None)]


def _allowance(word: str) -> float:
    """What reading a word of the vocabulary may cost."""
    return SLIP_COST if len(word) < TWO_EDITS else max(ALWAYS_ALLOWED, len(word) / LETTERS_A_COST)


def _signature(word: str) -> int:
    """The letters of a word as a set of bits."""
    found = 0
    for char in word:
        found |= 1 << ord(char) % PLACES
    return found


def _alike(signatures: Signatures, signature: int, edits: int) -> NDArray[np.intp]:
    """Where the signatures are of words that lack no more letters of a word than there are edits, and have no more that it lacks."""
    near = np.flatnonzero(np.bitwise_count(signatures & np.uint32(~signature & 0xFFFFFFFF)) <= edits)
    found: NDArray[np.intp] = near[np.bitwise_count(np.uint32(signature) & ~signatures[near]) <= edits]
    return found
