"""The names of views: every way in which a form can be read where it is not written plainly."""

from __future__ import annotations

from wildgate_service.normalize.disguise import EMOJI, INVISIBLE, NOISE, STYLIZED
from wildgate_service.normalize.layers import BACKWARDS, EMOJI_LETTERS, JOINED_FIELDS, REVERSED, UPSIDE_DOWN, ZHUYIN

LOOK_ALIKES = "confusables"
MIXED_SCRIPT = "mixed_script"
LEETSPEAK = "leetspeak"
REPEATS = "repeats"
SEPARATORS = "separators"
SEPARATED_LETTERS = "separated_letters"
SPLIT_WORD = "split_word"
JOINED_WORDS = "joined_words"
RUN_TOGETHER = "run_together"
MASKED = "masked_letters"
MISSPELLING = "misspelling"
SLIP = "slip"
GARBLED = "garbled"
MARKS_DROPPED = "marks_dropped"
PINYIN = "pinyin"
KANA = "kana"
ROMANIZED = "romanized"
HOMOPHONE = "homophone"

VIEWS = {
    LOOK_ALIKES: "letters of another script that look alike: іvоrу",
    MIXED_SCRIPT: "letters of another script that sound alike: пangolиn, xiang牙",
    LEETSPEAK: "digits or signs for letters: 1v0ry",
    REPEATS: "letters written several times: ivooory",
    SEPARATORS: "signs inside a word: iv.ory",
    SEPARATED_LETTERS: "every letter apart: i v o r y",
    SPLIT_WORD: "a word broken in two: pango lin",
    JOINED_WORDS: "words written together: rhinohornforsale",
    RUN_TOGETHER: "written together with ordinary words: jaguarconcabeza",
    JOINED_FIELDS: "a form begun in one field and ended in the next",
    MASKED: "letters masked: iv*ry",
    MISSPELLING: "letters wrong, missing, doubled or swapped: pangloin",
    SLIP: "the same in a form so long that it cannot be another: telur pehyu",
    GARBLED: "letters wrong in nearly all words of the text: rxw elephsnt tuek",
    BACKWARDS: "a word from its end to its beginning: yrovi",
    MARKS_DROPPED: "a language's own marks left out: nga voi",
    PINYIN: "Chinese in Latin letters: chuan shan jia",
    ZHUYIN: "Chinese in the letters of Taiwan's schools: ㄒㄧㄤˋ ㄧㄚˊ",
    ROMANIZED: "another script in Latin letters",
    HOMOPHONE: "a character of the same sound: 像牙",
    "split_characters": "a character written as its parts",
    "chat_spelling": "as people write in chats: kura2",
    KANA: "the other kana, or a kanji's reading in kana",
    EMOJI: "an emoji for a word: 🐘 tusk",
    EMOJI_LETTERS: "emoji for letters or between them: iv⭕ry",
    REVERSED: "written backwards behind an override of direction",
    UPSIDE_DOWN: "letters turned upside down",
    INVISIBLE: "characters that nobody sees",
    STYLIZED: "mathematical, enclosed or full-width letters",
    NOISE: "marks heaped on letters",
}
# Letters of a spelling in Latin letters: with fewer it is too often a word, a name or a syllable of another language.
FEWEST_LETTERS = {PINYIN: 6, ROMANIZED: 5}
SPELLINGS = frozenset({PINYIN, ROMANIZED, "chat_spelling", HOMOPHONE, ZHUYIN, "split_characters"})  # generated from forms, and weaker
# Readings that mistakes are made with: a form that is strong by itself needs company in them.
DOUBTFUL = frozenset({MARKS_DROPPED, MISSPELLING, RUN_TOGETHER, SPLIT_WORD, JOINED_FIELDS, MASKED, BACKWARDS}) | SPELLINGS
# Ways of writing that hide nothing.
ORDINARY = frozenset({EMOJI, MARKS_DROPPED, MISSPELLING, SLIP, JOINED_WORDS, RUN_TOGETHER, JOINED_FIELDS, SPLIT_WORD, KANA}) | SPELLINGS - {
    HOMOPHONE,
    ZHUYIN,
    "split_characters",
}
# Together they are a guess: two letters of a word wrong, which no other word of the text bears out. It asks for a person.
GUESSED = frozenset({GARBLED, MISSPELLING})
# Ways of writing that leave the words around a form readable, for models that read a text as it is written: folding undoes them for the
# models as well, or a single word is misspelled and they read it corrected.
LEGIBLE = frozenset({STYLIZED, INVISIBLE, NOISE, EMOJI, MARKS_DROPPED, JOINED_FIELDS, SLIP, MISSPELLING})
