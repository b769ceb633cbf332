"""Further spellings of a form, generated when lexicons are compiled: how sellers write a word in another script, in chat, or to hide it.

    form of an entry ─GENERATORS[language]→ texts ─long enough? new? → Spelling

One generator per file: a pure function from (form, language, reading) to texts, best first. Tables are data in `tables/`.
What none of them writes: Vietnamese without marks (the fold).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wildgate_service.lexicon.spellings.arabic import arabizi
from wildgate_service.lexicon.spellings.chat import chat_spellings
from wildgate_service.lexicon.spellings.emoji import with_emoji
from wildgate_service.lexicon.spellings.hindi import hinglish
from wildgate_service.lexicon.spellings.homophones import homophones
from wildgate_service.lexicon.spellings.japanese import romaji, syllabaries
from wildgate_service.lexicon.spellings.khmer import typed_vowels
from wildgate_service.lexicon.spellings.korean import korean_in_latin
from wildgate_service.lexicon.spellings.letter_by_letter import letter_by_letter
from wildgate_service.lexicon.spellings.pinyin import pinyin
from wildgate_service.lexicon.spellings.russian import russian_in_latin
from wildgate_service.lexicon.spellings.spelling import Spelling
from wildgate_service.lexicon.spellings.split_characters import split_characters
from wildgate_service.lexicon.spellings.tables import choices
from wildgate_service.lexicon.spellings.thai import thai_in_latin
from wildgate_service.lexicon.spellings.ukrainian import ukrainian_in_latin
from wildgate_service.lexicon.spellings.zhuyin import zhuyin
from wildgate_service.match.views import FEWEST_LETTERS
from wildgate_service.normalize import fold

__all__ = ["GENERATORS", "LEAST_LETTERS", "MOST", "ROMANIZED", "Generator", "Spelling", "spellings"]

Generator = Callable[[str, str, str], Iterable[str]]

_CHINESE: tuple[tuple[str, Generator], ...] = (
    ("pinyin", pinyin),
    ("zhuyin", zhuyin),
    ("homophone", homophones),
    ("split_characters", split_characters),
)
GENERATORS: dict[str, tuple[tuple[str, Generator], ...]] = {
    "zh-Hans": _CHINESE,
    "zh-Hant": _CHINESE,
    "th": (("romanized", thai_in_latin),),
    "ko": (("romanized", korean_in_latin),),
    "ru": (("romanized", russian_in_latin),),
    "uk": (("romanized", ukrainian_in_latin),),
    "hi": (("romanized", hinglish),),
    "ne": (("romanized", hinglish),),
    "ar": (("romanized", arabizi), ("romanized", letter_by_letter)),
    "ja": (("kana", syllabaries), ("romanized", romaji)),
    "km": (("chat_spelling", typed_vowels), ("romanized", letter_by_letter)),
    "my": (("romanized", letter_by_letter),),
    "lo": (("romanized", letter_by_letter),),
    "id": (("chat_spelling", chat_spellings),),
    "ms": (("chat_spelling", chat_spellings),),
    "tl": (("chat_spelling", chat_spellings),),
    "vi": (("chat_spelling", chat_spellings),),
}
_EVERY_LANGUAGE: tuple[tuple[str, Generator], ...] = (("emoji", with_emoji),)

MOST = {"pinyin": 6, "zhuyin": 1, "romanized": 8, "kana": 1, "chat_spelling": 6, "homophone": 40, "split_characters": 4, "emoji": 4}
ROMANIZED = frozenset({"pinyin", "romanized"})  # views of spellings in Latin letters
# Letters that a spelling has at least, marks and blanks not counted.
# Joined or not, `hugu` and `she gu` say nothing; `xijiao` and `xi jiao` hardly anything else.
LEAST_LETTERS = {**FEWEST_LETTERS, "kana": 3, "chat_spelling": 3}
LEAST_OF_CUES = 4  # in Latin letters; a shorter cue than the others is company for forms of its language only (`match.company`)


def spellings(form: str, language: str, reading: str = "", *, is_cue: bool = False) -> tuple[Spelling, ...]:
    """Further spellings of a form of a language (BCP 47), in the order of `GENERATORS`.

    None folds as the form or another spelling does.
    `reading` is the entry's: kana, vocalized Arabic or pinyin; where a spelling cannot be told without it, none is generated.
    Those of a cue in Latin letters may be shorter.
    """
    found: dict[str, Spelling] = {fold(form).strip(): Spelling(form, "")}
    for view, generate in (*GENERATORS.get(language, ()), *_EVERY_LANGUAGE):
        before = len(found)
        for text in generate(form, language, reading):
            if len(found) - before == MOST[view]:
                break
            if _says_enough(text, view, is_cue=is_cue):
                found.setdefault(fold(text).strip(), Spelling(text, view))
    return tuple(found.values())[1:]


def _says_enough(text: str, view: str, *, is_cue: bool) -> bool:
    """Whether a text is long enough and nothing that shops say otherwise.

    A digit among letters says as much as two of them: `3aaj` is no word of another language.
    """
    least = LEAST_OF_CUES if is_cue and view in ROMANIZED else LEAST_LETTERS.get(view, 0)
    return text not in choices("innocent.tsv") and (not least or sum(char.isalnum() + char.isdigit() for char in text) >= least)
