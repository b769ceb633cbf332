"""Every family, with what its three strengths do."""

from __future__ import annotations

from robustness import fields, gaps, letters, scripts, third_party, typing_errors
from robustness.family import Family, by_word

WORDS = "1 word in 4, 1 in 2, every word of 3 letters or more (2 in hi, ko, vi; chunks of 2 where words are not spaced)"
LETTERS = f"{WORDS}; in these a third, half, all of the letters that can be replaced"
MARKED = frozenset({"vi", "es", "pt", "fr", "de", "tr"})
NON_LATIN = frozenset({"zh-Hans", "zh-Hant", "th", "ja", "ko", "hi", "ar", "ru", "km", "my", "lo"})
LATIN = frozenset({"en", "vi", "id", "ms", "es", "pt", "fr", "de", "it", "tr", "sw", "tl"})
COMPLEX = frozenset({"th", "hi", "km", "my", "lo"})  # augly cuts between a letter and its marks, which nobody could read
CHINESE = frozenset({"zh-Hans", "zh-Hant"})
JAPANESE = frozenset({"ja"})
HOMOPHONES = (1 / 8, 1 / 4, 1 / 2)  # more and the text can only be read aloud
MARK_SLIPS = frozenset({"zh-Hans", "zh-Hant", "ja"})  # no marks to lose and no letters to slip on: see homophones, kana_swapped
EVERY = frozenset({"en", "zh-Hans", "zh-Hant", "th", "vi", "id", "ms", "ja", "ko", "hi", "ar", "ru", "es", "pt", "fr", "de", "it", "tr",
                   "sw", "tl", "km", "my", "lo"})  # fmt: skip
UROMAN = frozenset(scripts.UROMAN) - {"th"}
ROMANIZED = "1 word in 4, 1 in 2, every word"

OWN = (
    Family("full_width", by_word(letters.full_width), LETTERS),
    Family("mathematical", by_word(letters.mathematical), LETTERS),
    Family("enclosed", by_word(letters.enclosed), LETTERS),
    Family("emoji_letters", by_word(letters.emoji_letters), LETTERS),
    Family("leetspeak", by_word(letters.leetspeak), f"{LETTERS}; digits, then single signs, then signs of several strokes"),
    Family("mixed_script", by_word(letters.mixed_script), LETTERS),
    Family("vowels_masked", by_word(letters.masked), LETTERS),
    Family("case", by_word(letters.case), f"{WORDS}; capitals, random, alternating"),
    Family("repeats", by_word(letters.repeated), f"{WORDS}; one letter, a third, half"),
    Family("separators", by_word(gaps.separated), f"{WORDS}; one gap, half of the gaps, all"),
    Family("spaced_letters", by_word(gaps.spaced), f"{WORDS}; every gap"),
    Family("zero_width", by_word(gaps.invisible), f"{WORDS}; one gap, half of the gaps, all"),
    Family("bidi", by_word(gaps.bidi), f"{WORDS}; wrapped, marks in half of the gaps, reversed under an override"),
    Family("struck", by_word(gaps.struck), f"{WORDS}; a third, half, all letters struck through or underlined"),
    Family("blanks_inserted", by_word(gaps.split), f"{WORDS}; one blank inside"),
    Family("blanks_lost", gaps.merged, "1 blank in 4, 1 in 2, every blank between words"),
    Family("across_fields", fields.across_fields, "title cut between words, inside a word, dealt to attributes word by word"),
    Family("typos", by_word(typing_errors.slips), f"{WORDS}; one slip, two at heavy from 8 letters", languages=EVERY - MARK_SLIPS),
    Family("marks_dropped", by_word(letters.marks_dropped), WORDS, languages=MARKED),
)

LIBRARY_LETTERS = (
    Family("homoglyphs", by_word(third_party.homoglyphs), LETTERS, (("homoglyphs", "homoglyphs"),)),
    Family("homoglyphs_tr39", by_word(third_party.confusable_homoglyphs), LETTERS, (("confusable-homoglyphs", "confusable_homoglyphs"),)),
    Family("confusables", by_word(third_party.confusables), LETTERS, (("confusables", "confusables"),)),
    Family("fonts_fancify", by_word(third_party.fancify), LETTERS, (("fancify-text", "fancify_text"),)),
    Family("zalgo", by_word(third_party.zalgo), f"{WORDS}; 1, 2, 4 marks a letter", (("zalgo-text", "zalgo_text"),)),
    Family("keyboard_nlpaug", by_word(third_party.nlpaug_keyboard), f"{WORDS}; one letter, two at heavy", (("nlpaug", "nlpaug"),), LATIN),
    Family("ocr_nlpaug", by_word(third_party.nlpaug_ocr), LETTERS, (("nlpaug", "nlpaug"),), LATIN),
    Family("typos_typo", by_word(third_party.typo), f"{WORDS}; one slip, two at heavy from 6 letters", (("typo", "typo"),)),
)

CADENCE = f"{WORDS}; after every third, second, single letter"
AUGLY = (
    Family("augly_leetspeak", by_word(third_party.augly_leetspeak), LETTERS, third_party.AUGLY),
    Family("augly_unicode", by_word(third_party.augly_unicode), LETTERS, third_party.AUGLY),
    Family("augly_fonts", by_word(third_party.augly_fonts), WORDS, third_party.AUGLY),
    Family("augly_punctuation", by_word(third_party.augly_punctuation), CADENCE, third_party.AUGLY, EVERY - COMPLEX),
    Family("augly_whitespace", by_word(third_party.augly_whitespace), CADENCE, third_party.AUGLY, EVERY - COMPLEX),
    Family("augly_zero_width", by_word(third_party.augly_zero_width), CADENCE, third_party.AUGLY, EVERY - COMPLEX),
    Family("augly_bidi", by_word(third_party.augly_bidi), WORDS, third_party.AUGLY, EVERY - COMPLEX - {"ar"}),
    Family("augly_upside_down", by_word(third_party.augly_upside_down), WORDS, third_party.AUGLY, LATIN),
)

SCRIPTS = (
    Family("romanized_chinese", scripts.romanized, ROMANIZED, (("pypinyin", "pypinyin"),), CHINESE),
    Family("romanized_japanese", scripts.romanized, ROMANIZED, (("cutlet", "cutlet"), ("unidic-lite", "unidic_lite")), JAPANESE),
    Family("romanized_thai", scripts.romanized, ROMANIZED, (("pythainlp", "pythainlp"),), frozenset({"th"})),
    Family("romanized_uroman", scripts.romanized, ROMANIZED, (("uroman", "uroman"),), UROMAN),
    Family(
        "half_romanized",
        by_word(scripts.half_romanized),
        f"{WORDS}; half of their letters",
        (("pypinyin", "pypinyin"), ("uroman", "uroman")),
        NON_LATIN - {"ja"},
    ),
    Family("other_chinese", by_word(scripts.other_chinese), WORDS, (("opencc", "opencc"),), CHINESE),
    Family("kana_swapped", by_word(scripts.kana_swapped), WORDS, (("jaconv", "jaconv"),), JAPANESE),
    Family("kana_half_width", by_word(scripts.kana_half_width), WORDS, (("jaconv", "jaconv"),), JAPANESE),
    Family(
        "homophones",
        by_word(scripts.homophone, HOMOPHONES),
        "one character in 1 chunk of two in 8, 1 in 4, 1 in 2",
        (("pypinyin", "pypinyin"),),
        CHINESE,
    ),
    Family(
        "emoji_words",
        scripts.emoji_words,
        "1 in 4, 1 in 2, all of the words that name an emoji in CLDR",
        (("emoji", "emoji"),),
        frozenset(scripts.EMOJI),
    ),
)

FAMILIES = (*OWN, *LIBRARY_LETTERS, *AUGLY, *SCRIPTS)
