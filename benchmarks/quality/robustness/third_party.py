"""Disguises by other people's libraries, so that attack and defense share no table."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

from robustness.family import Work, load
from robustness.letters import replaced

AUGLY = (("augly", "augly.text"), ("nlpaug", "nlpaug"))
FONTS = ("sansSerif", "boldSerif", "doubleStruck", "monospaced", "fraktur", "script", "smallCaps", "squared", "circled", "parenthesized",
         "heavyCircled", "curly", "currency", "cool", "magic", "wiry", "superscript")  # fmt: skip
KEYBOARDS = frozenset({"de", "en", "es", "fr", "it", "tr"})  # those of nlpaug; other Latin languages are typed on the English one. Its
# Thai one is left out because nlpaug first cuts words between a letter and its marks
SLIPS = ("char_swap", "missing_char", "extra_char", "nearby_char", "similar_char", "repeated_char")
ACCENTS = (1, 2, 4)  # marks per letter
CADENCE = (3.0, 2.0, 1.0)  # an insertion after so many characters


def homoglyphs(word: str, work: Work) -> str:
    """Lookalikes of the package homoglyphs."""
    return replaced(word, work, _homoglyphs)


@cache
def _homoglyphs(char: str) -> list[str]:
    return _letters(char, _homoglyph_table().get_combinations(char))


@cache
def _homoglyph_table() -> Any:  # noqa: ANN401  (a package without types)
    return load("homoglyphs").Homoglyphs()


def confusable_homoglyphs(word: str, work: Work) -> str:
    """Lookalikes of Unicode's TR39 as the package confusable-homoglyphs has them."""
    return replaced(word, work, _tr39)


@cache
def _tr39(char: str) -> list[str]:
    found = load("confusable_homoglyphs.confusables").is_confusable(char, greedy=True) or []
    return _letters(char, [each["c"] for entry in found for each in entry["homoglyphs"]])


def confusables(word: str, work: Work) -> str:
    """Lookalikes of the package confusables, which counts accented letters among them."""
    return replaced(word, work, _confusables)


@cache
def _confusables(char: str) -> list[str]:
    return _letters(char, load("confusables").confusable_characters(char) or [])


def _letters(char: str, found: list[str]) -> list[str]:
    """Single letters other than the character itself, in a stable order."""
    if unicodedata.category(char)[0] != "L":
        return []
    return sorted({each for each in found if len(each) == 1 and each.lower() != char.lower() and unicodedata.category(each)[0] == "L"})


def _augly(name: str, word: str, **options: object) -> str:
    """One function of augly.text on one word."""
    done = getattr(load("augly.text"), name)(word, **options)
    return str(done[0] if isinstance(done, list) else done)


def augly_leetspeak(word: str, work: Work) -> str:
    """Similar characters, several for a letter where it is drawn from strokes."""
    return _augly("replace_similar_chars", word, aug_char_p=work.strength.letters, aug_word_p=1.0, min_char=1)


def augly_unicode(word: str, work: Work) -> str:
    """Similar Unicode letters."""
    return _augly("replace_similar_unicode_chars", word, aug_char_p=work.strength.letters, aug_word_p=1.0, min_char=1)


def augly_fonts(word: str, _work: Work) -> str:
    """Fun fonts, combining marks among them."""
    return _augly("replace_fun_fonts", word, granularity="all", aug_p=1.0)


def augly_punctuation(word: str, work: Work) -> str:
    """Punctuation between letters."""
    return _augly("insert_punctuation_chars", word, granularity="all", cadence=CADENCE[work.strength.level - 1], vary_chars=True)


def augly_whitespace(word: str, work: Work) -> str:
    """Blanks, tabs and line ends between letters."""
    return _augly("insert_whitespace_chars", word, granularity="all", cadence=CADENCE[work.strength.level - 1], vary_chars=True)


def augly_zero_width(word: str, work: Work) -> str:
    """Zero-width characters between letters."""
    return _augly("insert_zero_width_chars", word, granularity="all", cadence=CADENCE[work.strength.level - 1], vary_chars=True)


def augly_bidi(word: str, _work: Work) -> str:
    """Written backwards under an override."""
    return _augly("replace_bidirectional", word)


def augly_upside_down(word: str, _work: Work) -> str:
    """Turned upside down, so that the last letter comes first."""
    return _augly("replace_upside_down", word)


def nlpaug_keyboard(word: str, work: Work) -> str:
    """Neighbors on the keyboard of the language: one letter, at heavy two."""
    language = work.language if work.language in KEYBOARDS else "en"
    return str(_keyboard(language, 2 if work.strength.level == 3 else 1).augment(word)[0])


@cache
def _keyboard(language: str, most: int) -> Any:  # noqa: ANN401  (a package without types)
    options = {"include_special_char": False, "include_numeric": False, "include_upper_case": False, "min_char": 3}
    return load("nlpaug.augmenter.char").KeyboardAug(aug_char_max=most, aug_char_p=0.3, aug_word_p=1.0, lang=language, **options)


def nlpaug_ocr(word: str, work: Work) -> str:
    """Letters as optical recognition misreads them."""
    return str(_ocr(work.strength.letters).augment(word)[0])


@cache
def _ocr(share: float) -> Any:  # noqa: ANN401  (a package without types)
    return load("nlpaug.augmenter.char").OcrAug(aug_char_p=share, aug_word_p=1.0, min_char=2)


def typo(word: str, work: Work) -> str:
    """One slip per word, two at heavy; words of ASCII letters, which is what the package knows."""
    if not word.isascii():
        return word
    for _ in range(2 if work.strength.level == 3 and len(word) > 5 else 1):
        slip = getattr(load("typo").StrErrer(word, seed=work.random.getrandbits(32)), work.random.choice(SLIPS))
        word = str(slip().result)
    return word


def fancify(word: str, work: Work) -> str:
    """One font of fancify-text per word."""
    font = getattr(load("fancify_text"), work.random.choice(FONTS))
    return replaced(word, work, lambda char: [str(font(char))] if char.isascii() and char.isalpha() else [])


def zalgo(word: str, work: Work) -> str:
    """Random marks above, below and through: one, two or four a letter."""
    writer = load("zalgo_text.zalgo").zalgo()
    writer.maxAccentsPerLetter = ACCENTS[work.strength.level - 1]
    return str(writer.zalgofy(word))
