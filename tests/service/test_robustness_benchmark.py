"""The robustness benchmark: its texts, what its own disguises do to them, and what is counted. No third-party package is needed."""

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from rapidfuzz.distance import Levenshtein

QUALITY = Path(__file__).parents[2] / "benchmarks" / "quality"
sys.path.insert(0, str(QUALITY))

from robustness.catalog import FAMILIES, OWN  # noqa: E402
from robustness.family import Family, disguised  # noqa: E402
from robustness.gaps import INVISIBLE  # noqa: E402
from robustness.measure import Answer, Filter, measure_clean, measure_family  # noqa: E402
from robustness.texts import Form, Text, plain, read_texts  # noqa: E402
from robustness.words import STRENGTHS, tokens, touched  # noqa: E402

sys.path.remove(str(QUALITY))

SEED = 1
LIGHT, MEDIUM, HEAVY = STRENGTHS
TEXTS = read_texts()
SAMPLE = TEXTS[::7]
BY_NAME = {family.name: family for family in FAMILIES}
ENGLISH = Text(id="x", language="en", label="offer", title="Carved wooden chair", description="Solid, heavy and old")

each_own_family = pytest.mark.parametrize("family", OWN, ids=lambda family: family.name)


def heavy(name: str, text: Text) -> Form | None:
    return disguised(BY_NAME[name], text, HEAVY, SEED)


def distance(family: Family, strength) -> int:
    forms = [(text, disguised(family, text, strength, SEED)) for text in SAMPLE]
    return sum(Levenshtein.distance(str(plain(text)), str(form)) for text, form in forms if form)


def stops(*words: str) -> Filter:
    return Filter("words", lambda form: Answer(any(word in str(form) for word in words)))


def test_every_language_has_a_dozen_texts_of_each_label():
    """Twenty-three languages, and in none too few to see anything."""
    counts = Counter((text.language, text.label) for text in TEXTS)
    assert (len(counts), min(counts.values()) >= 12) == (46, True)


@pytest.mark.parametrize("label", ["offer", "benign"])
def test_both_halves_hold_enough(label):
    """The hash deals the texts about evenly."""
    halves = Counter(text.half for text in TEXTS if text.label == label)
    assert all(count >= 140 for count in halves.values())


def test_no_text_stands_twice():
    """A copy would count one text as two."""
    assert len({(text.title, text.description) for text in TEXTS}) == len(TEXTS)


@pytest.mark.parametrize("text", SAMPLE, ids=lambda text: text.id)
def test_tokens_are_the_field_again(text):
    """Cutting into words loses nothing, whatever the script."""
    assert "".join(token.text for token in tokens(text.title, text.language)) == text.title


def test_a_larger_share_touches_all_that_a_smaller_one_does():
    """So that heavy is never easier than light by another choice of words."""
    chosen = [touched(range(12), strength.words, Random(3)) for strength in STRENGTHS]  # noqa: S311
    assert chosen[0] < chosen[1] < chosen[2] == frozenset(range(12))


def test_one_word_is_touched_at_least():
    """Light on a short text still disguises something."""
    assert len(touched([5], LIGHT.words, Random(3))) == 1  # noqa: S311


@each_own_family
def test_a_disguise_is_the_same_every_time(family):
    """The generator is seeded by family and text, not by what ran before."""
    first = [disguised(family, text, MEDIUM, SEED) for text in SAMPLE]
    again = [disguised(family, text, MEDIUM, SEED) for text in reversed(SAMPLE)]
    assert first == again[::-1]


@each_own_family
def test_a_stronger_disguise_changes_more(family):
    """Edits over all texts grow with the strength."""
    light, medium, most = (distance(family, strength) for strength in STRENGTHS)
    assert 0 < light <= medium < most


@each_own_family
def test_no_disguise_empties_a_text(family):
    """At heavy, at least three quarters of the characters are still there, the same or others."""
    forms = [(text, heavy(family.name, text)) for text in SAMPLE]
    assert [text.id for text, form in forms if form and len(str(form)) < 0.75 * len(str(plain(text)))] == []


def test_another_seed_touches_other_words():
    """The seed is what the choice depends on."""
    one, other = ([disguised(BY_NAME["separators"], text, LIGHT, seed) for text in SAMPLE] for seed in (1, 2))
    assert one != other


def test_without_its_invisible_characters_the_text_is_plain_again():
    """Nothing visible is touched."""
    form = heavy("zero_width", ENGLISH)
    assert str(form).translate(dict.fromkeys(map(ord, INVISIBLE))) == str(plain(ENGLISH))


def test_heavy_loses_every_blank_between_words():
    """Those beside punctuation stay."""
    assert heavy("blanks_lost", ENGLISH) == Form("Carvedwoodenchair", "Solid, heavyandold")


def test_heavy_deals_the_title_to_attributes():
    """The form's own fields then hold the words apart."""
    assert heavy("across_fields", ENGLISH) == Form("Carved", "Solid, heavy and old", ("wooden", "chair"))


def test_a_text_in_letters_that_a_family_has_not_is_left_out():
    """Full width of Thai letters does not exist, so such a text is not counted as resisted."""
    assert heavy("full_width", Text(id="x", language="th", label="offer", title="โต๊ะไม้")) is None


def test_a_language_that_a_family_is_not_for_is_left_out():
    """Marks are dropped where they change the word, not in English."""
    assert heavy("marks_dropped", ENGLISH) is None


def test_a_missing_package_is_said():
    """A family is never silently absent."""
    family = replace(BY_NAME["case"], packages=(("no-such-thing", "no_such_thing"),))
    row = measure_family(family, [], [], {}, SEED, lambda *_: None)
    assert row["status"] == "not run: package missing: no-such-thing"


def test_retained_counts_the_offers_found_when_plain():
    """An offer that is missed in plain writing says nothing of the disguise."""
    texts = [ENGLISH, Text(id="s", language="en", label="offer", title="Something else entirely")]
    filters = [stops("chair")]
    _, clean = measure_clean(filters, texts)
    row = measure_family(BY_NAME["spaced_letters"], filters, texts, clean, SEED, lambda *_: None)
    retained = row["strengths"]["heavy"]["words"][ENGLISH.half]["retained"]
    assert (retained["k"], retained["n"]) == (0, 1)


def test_false_alarms_count_the_benign_texts_let_through_when_plain():
    """An alarm on the plain text is not the disguise's."""
    texts = [replace_label(ENGLISH, "benign"), Text(id="s", language="en", label="benign", title="Old sofa")]
    filters = [stops("Old", "a i", "a  i")]
    _, clean = measure_clean(filters, texts)
    row = measure_family(BY_NAME["spaced_letters"], filters, texts, clean, SEED, lambda *_: None)
    alarms = row["strengths"]["heavy"]["words"][ENGLISH.half]["false_alarms"]
    assert (alarms["k"], alarms["n"]) == (1, 1)


def replace_label(text: Text, label) -> Text:
    return Text(id=text.id, language=text.language, label=label, title=text.title, description=text.description)


def test_a_lost_offer_is_handed_over():
    """Whoever tunes reads what was lost."""
    lost = []
    filters = [stops("chair")]
    _, clean = measure_clean(filters, [ENGLISH])
    measure_family(BY_NAME["spaced_letters"], filters, [ENGLISH], clean, SEED, lambda *given: lost.append(given[1].name))
    assert "heavy" in lost
