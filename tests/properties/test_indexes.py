"""Indexes of words answer as a walk over all words does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from wildgate_service.match.masked import FIRST_SEEN, LONGEST, WordsByLetters
from wildgate_service.match.overlay import ChangedLetters, joined
from wildgate_service.match.partners import pairs_in, partners_of
from wildgate_service.match.slips import shape_keys, shapes_of

LETTERS = "abрж象\U0002a6d668"  # of one byte to four
WORD = st.text(LETTERS, min_size=1, max_size=6)
LONG_WORD = st.text("ab", min_size=LONGEST - 1, max_size=LONGEST + 1)
WORDS = st.frozensets(st.one_of(WORD, LONG_WORD), max_size=60)
PHRASES = st.frozensets(st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=2).map(" ".join), max_size=30)
PLACES = st.tuples(st.integers(0, FIRST_SEEN - 1), st.integers(1, FIRST_SEEN))


def having(words, core, one, other):
    """The words as long as a core that have its letters at two places."""
    return sorted(each for each in words if len(each) == len(core) <= LONGEST and (each[one], each[other]) == (core[one], core[other]))


def beside(phrases, word):
    """The words that stand before or behind a word."""
    pairs = [phrase.split() for phrase in phrases if " " in phrase]
    return {other for one, other in pairs if one == word} | {one for one, other in pairs if other == word}


@given(WORDS, WORD, PLACES)
def test_words_are_found_by_two_letters(words, core, places):
    """Of their length alone, in the order of the alphabet."""
    one, other = places[0], sum(places)
    if other < len(core):
        assert WordsByLetters(sorted(words)).having(core, one, other) == having(words, core, one, other)


@given(WORDS, WORDS, WORDS, WORD)
def test_changed_words_are_found_by_two_letters(below, came, gone, core):
    """As if they had been together from the beginning."""
    changed = ChangedLetters(WordsByLetters(sorted(below)), WordsByLetters(sorted(came | gone)), gone)
    if len(core) > 1:
        assert changed.having(core, 0, 1) == having((below | came) - gone, core, 0, 1)


@given(PHRASES, PHRASES, st.text("ab", min_size=1, max_size=2))
def test_partners_stand_on_either_side(phrases, came, word):
    """In phrases that were there, and in those that came."""
    partners, further = (partners_of(pairs_in(each)) for each in (phrases, came))
    found = set(partners.get(word, ())), set(joined(partners, further).get(word, ()))
    assert found == (beside(phrases, word), beside(phrases | came, word))


@given(st.lists(st.one_of(WORD, st.text("aodq0683", min_size=1, max_size=9))))
def test_shapes_of_many_words_are_those_of_each(words):
    """Also of digits with several readings; what is no ASCII has none."""
    assert list(shapes_of(words)) == [(word, shape_keys(word)) for word in words if word.isascii()]
