"""Korean in Latin letters: Revised Romanization of the National Institute of Korean Language (2000), as it sounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from wildgate_service.lexicon.spellings.tables import rows

FIRST, LAST = 0xAC00, 0xD7A3
VOWELS, CODAS = 21, 28
CLOSED_U = re.compile(r"(?<![aeo])u(?=[klmn])")
INITIAL_OO = re.compile(r"\boo")
TENSE = (("kk", "gg"), ("pp", "bb"), ("tt", "dd"))


def korean_in_latin(form: str, language: str, reading: str) -> Iterator[str]:
    """Words apart and joined; with oo and woo for u, as names have it ("woongdam"); with bb for pp, as machines write."""
    del language
    text = reading or form
    if any(char.isalnum() and not _is_hangul(char) for char in text):
        return
    words = [_word(word) for word in text.split()]
    for written in (words, [INITIAL_OO.sub("woo", CLOSED_U.sub("oo", word)) for word in words], list(map(_soft, words))):
        yield " ".join(written)
        yield "".join(written)


def _soft(word: str) -> str:
    """A word with tense consonants as doubled soft ones."""
    for hard, soft in TENSE:
        word = word.replace(hard, soft)
    return word


def _is_hangul(char: str) -> bool:
    return FIRST <= ord(char) <= LAST


def _word(word: str) -> str:
    syllables = [_letters(char) for char in word if _is_hangul(char)]
    if not syllables:
        return ""
    written = _plain("onset", syllables[0][0])
    for (_, vowel, coda), (onset, _, _) in pairwise([*syllables, ("", "", "")]):
        written += _plain("vowel", vowel) + (_between(coda, onset) if onset else _plain("coda", coda))
    return written


def _letters(char: str) -> tuple[str, str, str]:
    """Onset, vowel and coda of a syllable; the coda is empty if there is none."""
    onset, rest = divmod(ord(char) - FIRST, VOWELS * CODAS)
    vowel, coda = divmod(rest, CODAS)
    return _order("onset")[onset], _order("vowel")[vowel], ("", *_order("coda"))[coda]


@cache
def _order(kind: str) -> tuple[str, ...]:
    return tuple(row[1] for row in rows("hangul.tsv") if row[0] == kind)


@cache
def _plain(kind: str, letter: str) -> str:
    return next((row[2] for row in rows("hangul.tsv") if row[:2] == (kind, letter)), "")


@cache
def _between(coda: str, onset: str) -> str:
    """A coda and the onset after it, as they sound together."""
    changed = next((row[3] for row in rows("hangul.tsv") if row[:3] == ("between", coda, onset)), None)
    return _plain("coda", coda) + _plain("onset", onset) if changed is None else changed
