"""The same words in another script: romanized, Traditional or Simplified, other kana, homophones, emoji. All by third-party tables."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import Any

from robustness.family import Work, load
from robustness.texts import Form
from robustness.words import clusters, is_unspaced, tokens, touched

Pieces = list[tuple[str, str]]  # a piece of a field as written and as romanized; equal where nothing is to be romanized

UROMAN = {"th": "tha", "hi": "hin", "ar": "ara", "ru": "rus", "km": "khm", "my": "mya", "lo": "lao", "ko": "kor"}
EMOJI = {"ar": "ar", "de": "de", "en": "en", "es": "es", "fr": "fr", "id": "id", "it": "it", "ja": "ja", "ko": "ko", "pt": "pt", "ru": "ru",
         "tr": "tr", "zh-Hans": "zh"}  # fmt: skip
LEAST_NAME = 2  # characters of an emoji's name that may stand inside an unspaced text
COMMON = range(0xB0, 0xD8)  # lead bytes of GB 2312 level 1, its 3,755 most frequent characters


def romanized(form: Form, work: Work) -> Form:
    """A share of the words in Latin letters, with blanks around them where the script has none."""
    fields = [_pieces(field, work.language) for field in (form.title, form.description)]
    every = [piece for field in fields for piece in field]
    chosen = touched((place for place, (raw, roman) in enumerate(every) if raw != roman), work.strength.words, work.random)
    done = [_latin(raw, roman) if place in chosen else raw for place, (raw, roman) in enumerate(every)]
    cut = len(fields[0])
    return Form(_tidy(done[:cut]), _tidy(done[cut:]), form.attributes)


def _tidy(parts: list[str]) -> str:
    return " ".join("".join(parts).split())


def _latin(raw: str, roman: str) -> str:
    return f" {roman} " if is_unspaced(raw) else roman


def _pieces(field: str, language: str) -> Pieces:
    if language == "ja":
        return [piece for word in _cutlet().tagger(field) for piece in _japanese(word)]
    if language == "th":
        return [(word, _thai(word)) for word in load("pythainlp.tokenize").word_tokenize(field)]
    return [(token.text, _roman(token.text, language) if token.eligible else token.text) for token in tokens(field, language)]


def _japanese(word: Any) -> Pieces:  # noqa: ANN401  (a package without types)
    roman = str(_cutlet().romaji_word(word)) if is_unspaced(word.surface) else word.surface
    return [(word.white_space, word.white_space), (word.surface, roman)]


@cache
def _thai(word: str) -> str:
    return str(load("pythainlp.transliterate").romanize(word)) or word if is_unspaced(word) else word


@cache
def _roman(word: str, language: str) -> str:
    if language.startswith("zh"):
        return "".join(load("pypinyin").lazy_pinyin(word))
    return str(_uroman().romanize_string(word, lcode=UROMAN[language]))


@cache
def _cutlet() -> Any:  # noqa: ANN401  (a package without types)
    return load("cutlet").Cutlet()


@cache
def _uroman() -> Any:  # noqa: ANN401  (a package without types)
    return load("uroman").Uroman()


def half_romanized(word: str, work: Work) -> str:
    """Half of a word's letters in Latin: 书zhuo."""
    parts = clusters(word)
    for place in work.random.sample(range(len(parts)), max(1, len(parts) // 2)):
        parts[place] = _roman(parts[place], work.language) or parts[place]
    return "".join(parts)


def other_chinese(word: str, work: Work) -> str:
    """Simplified as Traditional and the reverse, by OpenCC."""
    return str(_opencc("t2s" if work.language == "zh-Hant" else "s2t").convert(word))


@cache
def _opencc(config: str) -> Any:  # noqa: ANN401  (a package without types)
    return load("opencc").OpenCC(config)


def kana_swapped(word: str, _work: Work) -> str:
    """Hiragana as katakana and the reverse."""
    kana = load("jaconv")
    return "".join(kana.hira2kata(char) if kana.hira2kata(char) != char else kana.kata2hira(char) for char in word)


def kana_half_width(word: str, _work: Work) -> str:
    """All kana as half-width katakana."""
    kana = load("jaconv")
    return str(kana.z2h(kana.hira2kata(word), kana=True))


def homophone(word: str, work: Work) -> str:
    """One character as a common one of the same sound and tone, by pypinyin's table."""
    place = work.random.randrange(len(word))
    others = [char for char in _homophones().get(_sound(word[place]), ()) if char != word[place]]
    return word[:place] + work.random.choice(others) + word[place + 1 :] if others else word


def _sound(char: str) -> str:
    return str(load("pypinyin.pinyin_dict").pinyin_dict.get(ord(char), "")).split(",", maxsplit=1)[0]


@cache
def _homophones() -> dict[str, list[str]]:
    """Common characters by sound."""
    pairs = [bytes((lead, trail)) for lead in COMMON for trail in range(0xA1, 0xFF)]
    found: dict[str, list[str]] = defaultdict(list)
    for char in (pair.decode("gb2312", "ignore") for pair in pairs):
        if char and _sound(char):
            found[_sound(char)].append(char)
    return found


def emoji_words(form: Form, work: Work) -> Form:
    """A share of the words that an emoji is named by, as that emoji; names by the package emoji, which has CLDR's."""
    names = _emoji_names(EMOJI[work.language])
    pattern = _name_pattern(EMOJI[work.language])
    count = sum(len(pattern.findall(field)) for field in (form.title, form.description))
    if not count:
        return form
    chosen = touched(range(count), work.strength.words, work.random)
    places = iter(range(count))

    def emoji_of(found: re.Match[str]) -> str:
        return names[found[0].casefold()] if next(places) in chosen else found[0]

    return Form(pattern.sub(emoji_of, form.title), pattern.sub(emoji_of, form.description), form.attributes)


@cache
def _emoji_names(language: str) -> dict[str, str]:
    """Emoji by name, the first where several have it."""
    package = load("emoji")
    package.config.load_language(language)
    named = ((data.get(language, ""), char) for char, data in sorted(package.EMOJI_DATA.items(), reverse=True))
    every = {name.strip(":").replace("_", " ").casefold(): char for name, char in named if name}
    return {name: char for name, char in every.items() if len(name) >= LEAST_NAME and not name.isnumeric()}


@cache
def _name_pattern(language: str) -> re.Pattern[str]:
    names = sorted(_emoji_names(language), key=len, reverse=True)
    edge = "" if language in {"zh", "ja"} else r"\b"
    return re.compile(edge + "(?:" + "|".join(map(re.escape, names)) + ")" + edge, re.IGNORECASE)
