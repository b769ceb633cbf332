"""Animals and parts of them as emoji in place of their names: 象牙 → 🐘牙, "sirip hiu" → "sirip 🦈"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from wildgate_service.lexicon.spellings.tables import rows
from wildgate_service.normalize import fold

WITHOUT_BLANKS = {"zh-Hans", "zh-Hant", "ja", "th", "km", "my", "lo"}
KATAKANA = "\u30a1-\u30fa\u30fc"  # a name in it ends where it ends: サイ, not サイチョウ


def with_emoji(form: str, language: str, reading: str) -> Iterator[str]:
    """Every word that has one as its emoji, then each alone; never one lone emoji, nor what folds to the form."""
    del reading
    lowered = form.lower()
    names, pattern = _names(language), _pattern(language)
    places = [place for place in pattern.finditer(lowered) if _is_whole(lowered, place)] if pattern else []
    if len(lowered) != len(form) or not places:
        return
    choices = [places, *([place] for place in places)]
    for chosen in choices:
        text = _replace(form, chosen, names)
        if len(set(text) - {" "}) > 1 and fold(text).strip() != fold(form).strip():
            yield text


def _is_whole(form: str, place: re.Match[str]) -> bool:
    """Whether no vowel sign or other mark goes on with the syllable: regular expressions take it for the end of a word."""
    return not unicodedata.category(form[place.end() : place.end() + 1] or " ").startswith("M")


def _replace(form: str, places: list[re.Match[str]], names: dict[str, str]) -> str:
    text = form
    for place in reversed(places):
        text = text[: place.start()] + names[place[0]] + text[place.end() :]
    return text


@cache
def _names(language: str) -> dict[str, str]:
    """Name → emoji of a language: CLDR's, less what is not meant by it, and ours."""
    both = (*rows("emoji_names.tsv"), *rows("emoji_names_ours.tsv"))
    names = {name: emoji for tongue, name, emoji in both if tongue == language}
    return {name: emoji for name, emoji in names.items() if emoji}


@cache
def _pattern(language: str) -> re.Pattern[str] | None:
    """Any name, the longest first; a whole word where words stand apart."""
    names = sorted(_names(language), key=lambda name: (-len(name), name))
    if not names:
        return None
    any_name = "|".join(re.escape(name) + (f"(?![{KATAKANA}])" if re.search(f"[{KATAKANA}]", name) else "") for name in names)
    return re.compile(any_name if language in WITHOUT_BLANKS else rf"(?<![\w-])(?:{any_name})(?![\w'’-])")
