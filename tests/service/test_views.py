"""Each view undoes one disguise, and ordinary text pays for none."""

import pytest
from wildgate_service.normalize import fold
from wildgate_service.normalize.disguise import disguises_of
from wildgate_service.normalize.views import read_views, trace


@pytest.mark.parametrize(
    ("written", "view", "read"),
    [
        ("1v0ry", "leetspeak", "ivory"),
        ("p4ng0l1n", "leetspeak", "pangolin"),
        ("$cales", "leetspeak", "scales"),
        ("iv0ry", "leetspeak", "ivory"),
        ("turt1e", "leetspeak", "turtle"),
        ("іvоry", "confusables", "ivory"),
        ("ivοry", "confusables", "ivory"),
        ("i v o r y", "separated_letters", "ivory"),
        ("i.v.o.r.y", "separated_letters", "ivory"),
        ("i-v-o-r-y", "separated_letters", "ivory"),
        ("象 牙", "separated_letters", "象牙"),
        ("pan.golin", "separators", "pangolin"),
        ("象*牙手镯", "separators", "象牙手镯"),
        ("ivooooory", "repeats", "ivory"),
    ],
)
def test_a_view_reads_what_was_meant(written, view, read):
    """One of the readings of a disguised word is the word, and bears the view's name."""
    assert (view, read) in [(each.name, each.text) for each in read_views(fold(written))]


def test_disguises_on_top_of_one_another_come_off_together():
    """A Cyrillic letter and a digit in one word: both views are named."""
    skeleton = fold("р4ngolin")
    (found,) = [(view, view.text.find("pangolin")) for view in read_views(skeleton) if view.text == "pangolin"]
    assert trace(found[0], 0, 8) == (0, 8, ("confusables", "leetspeak"))


@pytest.mark.parametrize("text", ["iPhone 13 128GB 5kg", "Xe máy Điện 2024", "Ivory dress size M", "大象牙刷 儿童", "слоновая кость"])
def test_ordinary_text_has_no_views(text):
    """No gate opens."""
    assert read_views(fold(text)) == ()


@pytest.mark.parametrize(
    ("surface", "names"),
    [
        ("ivory", ()),
        ("i\u200bvory", ("invisible_characters",)),
        ("ｉｖｏｒｙ", ("stylized_letters",)),
        ("𝓲𝓿𝓸𝓻𝔂", ("stylized_letters",)),
        ("🐘🦷", ("emoji",)),
        ("i\u0337v\u0337o\u0337r\u0337y\u0337", ("combining_noise",)),
        ("ngà voi", ()),
        ("象牙", ()),
    ],
)
def test_what_the_fold_undoes_is_named_too(surface, names):
    """Disguises that need no view are found in the characters themselves."""
    assert disguises_of(surface) == names
