"""Further spellings of a form, generated when lexicons are compiled: how sellers write a word in another script, in chat, or to hide it.

    form of an entry ─GENERATORS[language]→ texts ─long enough? new? → Spelling

One generator per file: a pure function from (form, language, reading) to texts, best first. Tables are data in `tables/`.
What none of them writes: Khmer, Lao and Burmese in Latin letters (`lexicon.sounds`), Vietnamese without marks (the fold).
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
from wildgate_service.lexicon.spellings.pinyin import pinyin
from wildgate_service.lexicon.spellings.russian import russian_in_latin
from wildgate_service.lexicon.spellings.spelling import Spelling
from wildgate_service.lexicon.spellings.split_characters import split_characters
from wildgate_service.lexicon.spellings.tables import choices
from wildgate_service.lexicon.spellings.thai import thai_in_latin
from wildgate_service.normalize import fold

__all__ = ["GENERATORS", "LEAST_LETTERS", "MOST", "ROMANIZED", "Generator", "Spelling", "spellings"]

Generator = Callable[[str, str, str], Iterable[str]]

_CHINESE: tuple[tuple[str, Generator], ...] = (
    ("pinyin", pinyin),
    ("homophone", homophones),
    ("split_characters", split_characters),
)
GENERATORS: dict[str, tuple[tuple[str, Generator], ...]] = {
    "zh-Hans": _CHINESE,
    "zh-Hant": _CHINESE,
    "th": (("romanized", thai_in_latin),),
    "ko": (("romanized", korean_in_latin),),
    "ru": (("romanized", russian_in_latin),),
    "hi": (("romanized", hinglish),),
    "ar": (("romanized", arabizi),),
    "ja": (("kana", syllabaries), ("romanized", romaji)),
    "km": (("chat_spelling", typed_vowels),),
    "id": (("chat_spelling", chat_spellings),),
    "ms": (("chat_spelling", chat_spellings),),
    "tl": (("chat_spelling", chat_spellings),),
    "vi": (("chat_spelling", chat_spellings),),
}
_EVERY_LANGUAGE: tuple[tuple[str, Generator], ...] = (("emoji", with_emoji),)

MOST = {"pinyin": 6, "romanized": 8, "kana": 1, "chat_spelling": 6, "homophone": 24, "split_characters": 4, "emoji": 4}
ROMANIZED = frozenset({"pinyin", "romanized"})  # views of spellings in Latin letters
# Fewer letters (marks and blanks not counted) are too often a word, a name or a syllable of another language:
# joined or not, `hugu` and `she gu` say nothing; `xijiao` and `xi jiao` hardly anything else.
LEAST_LETTERS = {"pinyin": 6, "romanized": 5, "kana": 3, "chat_spelling": 3}


def spellings(form: str, language: str, reading: str = "") -> tuple[Spelling, ...]:
    """Further spellings of a form of a language (BCP 47), in the order of `GENERATORS`.

    None folds as the form or another spelling does.
    `reading` is the entry's: kana, vocalized Arabic or pinyin; where a spelling cannot be told without it, none is generated.
    """
    found: dict[str, Spelling] = {fold(form).strip(): Spelling(form, "")}
    for view, generate in (*GENERATORS.get(language, ()), *_EVERY_LANGUAGE):
        before = len(found)
        for text in generate(form, language, reading):
            if len(found) - before == MOST[view]:
                break
            if _says_enough(text, view):
                found.setdefault(fold(text).strip(), Spelling(text, view))
    return tuple(found.values())[1:]


def _says_enough(text: str, view: str) -> bool:
    """Whether a text is long enough and nothing that shops say otherwise.

    A digit among letters says as much as two of them: `3aaj` is no word of another language.
    """
    least = LEAST_LETTERS.get(view, 0)
    return text not in choices("innocent.tsv") and (not least or sum(char.isalnum() + char.isdigit() for char in text) >= least)
