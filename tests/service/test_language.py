"""Which language a text is said to be in."""

from __future__ import annotations

import pytest
from wildgate_service.language import PIECE, PIECES, UNKNOWN, identify_language, sure_languages

SPANISH = "Mesa de comedor de madera clara para seis personas, con cuatro sillas a juego. Se recoge en el centro de la ciudad. "
ENGLISH = "Solid oak dining table for six people with four matching chairs, to be collected in the city. "


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("ขายโต๊ะทำงานไม้ มือสอง IKEA", "th"),
        ("折りたたみテーブル 白 一人暮らし", "ja"),
        ("宜家书桌九成新 自提", "zh"),
        ("원목 책상 의자 세트", "ko"),
        ("តុធ្វើការឈើ", "km"),
        ("ໂຕະເຮັດວຽກໄມ້", "lo"),
        ("စားပွဲခုံ ရောင်းမည်", "my"),
        (ENGLISH, "en"),
        (SPANISH, "es"),
    ],
)
def test_a_text_is_in_the_language_it_is_written_in(text: str, language: str) -> None:
    """By its script where one traded language writes it, else by its letters."""
    assert identify_language(text, "") == language


def test_one_character_of_another_script_makes_no_language() -> None:
    """A brand or a sign in an English sentence does not make it Chinese."""
    assert identify_language(f"{ENGLISH} 象", "") == "en"


def test_a_hint_is_believed() -> None:
    """A platform knows its seller's form."""
    assert identify_language(ENGLISH, "vi") == "vi"


@pytest.mark.parametrize("sign", ["\x1f", "\x00", "\n", "\x7f", "\u200b", "\u202e", "\ufdd0", "\ud800"])
def test_characters_that_nobody_sees_hide_no_language(sign: str) -> None:
    """Control characters and non-characters, which CLD2 refuses, are read as blanks."""
    assert identify_language(f"{SPANISH}{sign}{SPANISH}", "") == "es"


def test_of_a_long_text_its_end_is_read_too() -> None:
    """A title and a first paragraph in English stand over a long description in Spanish."""
    long = ENGLISH * 4 + SPANISH * 30
    assert len(long) > PIECES * PIECE
    assert identify_language(long, "") == "es"


def test_what_has_no_words_has_no_language() -> None:
    """Numbers and signs are in none."""
    assert identify_language("12 34 / 5", "") == UNKNOWN


def test_rules_that_agree_decide_where_letters_are_in_doubt() -> None:
    """A short text has the language of the rules that fired in it."""
    assert identify_language("12 34 / 5", "", frozenset({"sw"})) == "sw"


def test_a_language_is_sure_where_nearly_all_of_a_text_is_in_it():
    """Not in a mixed text, nor in one whose language another script tells."""
    assert sure_languages(SPANISH)[0] == "es"
    assert [sure_languages(text) for text in (SPANISH + ENGLISH, "宜家书桌九成新 自提 Varis", "12 34")] == [(), (), ()]
