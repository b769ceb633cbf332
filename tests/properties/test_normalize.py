"""Properties that hold for every text there is."""

import re
import unicodedata

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from wildgate_service.match.repeated import MOST_TRIPLED, SURE, once
from wildgate_service.normalize import NormalizedText, fold, normalize
from wildgate_service.normalize.bare import bare_readings
from wildgate_service.normalize.floods import ALWAYS_KEPT, ALWAYS_LONGER, FEWEST_OF_EACH, without_floods
from wildgate_service.normalize.fold import FIELD_SEPARATOR, fold_char, fold_table, in_table
from wildgate_service.normalize.kana import in_katakana
from wildgate_service.normalize.pages import pages_of
from wildgate_service.normalize.readings import class_of
from wildgate_service.normalize.slow import slow_fold
from wildgate_service.normalize.sound import Heard, codes_of, in_latin
from wildgate_service.types import Attribute, Listing

# Any code points but surrogates, and a mixture rich in what the fold and the views work on.
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
DISGUISED = st.text(
    st.sampled_from("ivory IVORY1v0ry  ..--象牙手鐲がﾊﾞ하ᄒ\u1161\u11abقाهจ\u0e32ếa\u0301\u0302іо🐘🦷💍️\u200b\u202e\x1fİß@$!|éẞ"),
    max_size=60,
)
TEXTS = ANYTHING | DISGUISED


@given(TEXTS)
@example("ﾍﾞｯｺｳ")
@example("\u1112\u1161\u11ab")
@example("İ")
@example("\U000289f0")
def test_fast_fold_is_slow_fold(text):
    """The table gives what the steps give one by one."""
    assert fold(text) == slow_fold(text)


@given(TEXTS)
@example("\u1100\u200b\u1161")
@example("か\u200b\u3099")
def test_folding_the_folded_changes_nothing(text):
    """A skeleton is its own skeleton."""
    assert fold(fold(text)) == fold(text)


def test_every_assigned_code_point_is_folded_as_its_steps_say():
    """The table agrees with the steps on all of Unicode, not on samples alone."""
    table = fold_table()
    wrong = [
        hex(point)
        for point in range(0x110000)
        if not 0xD800 <= point < 0xE000 and in_table(chr(point)) and chr(point).translate(table) != fold_char(chr(point))
    ]
    assert wrong == []


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=300)
def test_spans_give_back_exactly_the_sellers_characters(title, description, value):
    """Every range of the skeleton maps into one field, inside its bounds, and ranges ascend."""
    listing = Listing(title=title, description=description, attributes=(Attribute("material", value),))
    text = normalize(listing)
    fields = {
        "title": title,
        "description": description,
        "attributes[0].name": "material",
        "attributes[0].value": value,
    }
    before = 0
    for at in range(len(text.skeleton)):
        first, last = text.source.span(at, at + 1)
        assert 0 <= first < last <= len(text.document)
        assert first >= before
        before = first
        field, start, end = text.locate(at, at + 1)
        assert 0 <= start <= end <= len(fields[field.name])
        assert text.document[field.start + start : field.start + end] == fields[field.name][start:end]


@given(TEXTS)
def test_the_map_has_one_range_for_each_code_point_of_the_skeleton(text):
    """The map is as long as the skeleton (it raises otherwise) and covers no character twice out of order."""
    normalized = normalize(Listing(title=text))
    if normalized.skeleton:
        start, end = normalized.source.span(0, len(normalized.skeleton))
        covered = normalized.document[start:end].replace(FIELD_SEPARATOR, " ")
        assert fold(covered).strip() == normalized.skeleton.strip()


@settings(deadline=None)  # the tables are made first
@given(TEXTS)
def test_a_bare_reading_has_one_place_in_the_skeleton_for_each_character(text):
    """Places ascend, and what stands there is of the character's class."""
    skeleton = fold(text)
    for bare in bare_readings(skeleton, pages_of(skeleton)):
        positions = [first for first, _ in bare.places(list(range(len(bare.text))))]
        assert positions == sorted(set(positions))
        written = [{bare.skeleton[at], class_of(bare.skeleton[at])} for at in positions]
        assert all(char in {*readings, *map(in_katakana, readings)} for char, readings in zip(bare.text, written, strict=True))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_skeleton_is_composed(text):
    """Skeletons are NFC, so that one spelling of a syllable is one string."""
    assert unicodedata.is_normalized("NFC", fold(text))


FIRST_PLANE = st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"])


@settings(deadline=None)  # the tables are made first
@given(st.text(FIRST_PLANE | st.sampled_from("иивоорьaabкгkgh 象牙か한ง-'"), max_size=40))
def test_a_piece_of_text_sounds_as_its_letters_do_one_by_one(text):
    """A code is what the letters give one by one, and each of its characters has its place."""
    skeleton = fold(text)
    assume(all(char <= "\uffff" for char in skeleton))  # rare letters are folded to what lies behind the first plane
    for keeps_han in (True, False):
        latin = in_latin(skeleton, keeps_han=keeps_han)
        codes = Heard(skeleton, 0, keeps_han=keeps_han).codes
        assert tuple(each.text for each in codes) == codes_of(latin)
        assert latin == re.sub("([a-z])\\1+", "\\1", "".join(in_latin(char, keeps_han=keeps_han) for char in skeleton))
        for number, code in enumerate(codes):
            written = [codes_of(in_latin(skeleton[at], keeps_han=keeps_han))[number] for at in code.positions]
            assert all(letter in letters for letter, letters in zip(code.text, written, strict=True))


@settings(deadline=None)  # the tables are made first
@given(st.text(st.sampled_from("กขา่้ งकिी्مرا.a"), max_size=30))
def test_what_is_surely_repeated_is_seen_at_one_look(text):
    """The quick look lets no letter or mark pass that the expression finds."""
    skeleton = fold(text)
    is_sure = any(len(found[2] or "") <= MOST_TRIPLED for found in SURE.finditer(skeleton))
    assert not is_sure or once(skeleton, pages_of(skeleton))


@pytest.mark.parametrize(("text", "foreign"), [
    ("крем 50мл (для лица), 10х10 см, 3в1", False),
    ("крем 0лень", True),
    ("крем (лон", True),
])  # fmt: skip
def test_units_and_brackets_are_no_letters(text, foreign):
    """A number with its unit and a bracket that is closed do not open the reading of letters of other scripts; others do."""
    skeleton = fold(text)
    assert any(bare.foreign for bare in bare_readings(skeleton, pages_of(skeleton))) == foreign


def test_an_emoji_between_letters_makes_one_layer():
    """Whether it is taken for a letter or for a separator, what comes of it is read once."""
    assert [layer.document for layer, _ in normalize(Listing(title="iv🔥ory")).layers] == ["iv*ory"]


def test_a_flood_of_emoji_is_thinned_and_what_stands_among_them_is_found_where_it_was_sent():
    """Those at both ends stay, and each kind that stands there seldom; letters never go."""
    text = "🐘🦷" * 400 + " ngà voi 🦏 " + "🐘🦷" * 400
    normalized = normalize(Listing(description=text))
    assert len(normalized.skeleton) < 2 * len(text) + ALWAYS_LONGER
    assert all(normalized.skeleton.count(word) >= 2 * FEWEST_OF_EACH for word in ("elephant", "tooth"))
    for word, sent in (("nga voi", "ngà voi"), ("rhino", "🦏")):
        start = normalized.skeleton.index(word)
        field, first, last = normalized.locate(start, start + len(word))
        assert field.name == "description"
        assert text[first:last].strip() == sent


@given(st.text(st.sampled_from("🐘🦷🐢💍a é象\x1f"), min_size=1, max_size=40), st.integers(1, 60))
def test_a_text_without_its_floods_has_its_length_and_is_changed_only_if_it_is_one(text, times):
    """Only to blanks, and never a text of few emoji."""
    flooded = text * times
    thinned = without_floods(flooded)
    assert len(thinned) == len(flooded)
    assert all(after in {before, " "} for before, after in zip(flooded, thinned, strict=True))
    if sum(flooded.count(emoji) for emoji in "🐘🦷🐢💍") <= ALWAYS_KEPT:
        assert thinned == flooded


def test_what_is_made_once_is_not_made_again():
    """The attribute stands in the instance from then on."""
    text = normalize(Listing(title="blue chair"))
    assert text.bare is text.bare
    assert NormalizedText.bare.__doc__
