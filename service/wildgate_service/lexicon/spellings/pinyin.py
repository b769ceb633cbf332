"""Chinese in pinyin without tones, as sellers type it: "xiang ya" and "xiangya"; ü as v, u and yu."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from wildgate_service.lexicon.spellings.tables import choices

HAN = ("\u3400", "\u9fff")
TWO = 2  # characters: one names nothing, and two short syllables say little
UMLAUT = ("v", "u", "yu")


def pinyin(form: str, language: str, reading: str) -> Iterator[str]:
    """Of a form of two or more Han characters and nothing else: syllables apart, then joined, for each way of writing ü.

    Characters that people read otherwise than dictionaries do are then read as people do.
    """
    del language
    if len(form) < TWO or not is_han(form):
        return
    syllables = _read(reading) or syllables_of(form)
    ways = (syllables, _as_people_read(form, syllables))
    for written in dict.fromkeys(tuple(syllable.replace("v", umlaut) for syllable in way) for way, umlaut in product(ways, UMLAUT)):
        if len(written) > TWO or not all(syllable in choices("pinyin_words.tsv") for syllable in written):
            yield " ".join(written)
        yield "".join(written)


def is_han(text: str) -> bool:
    """Whether every character is a Han character."""
    return bool(text) and all(HAN[0] <= char <= HAN[1] for char in text)


@lru_cache(maxsize=1024)
def syllables_of(form: str) -> tuple[str, ...]:
    """A syllable for each character, ü as v; characters of several readings by the words they stand in."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415  (its dictionaries load only where Chinese is compiled)

    return tuple(lazy_pinyin(form))


def _as_people_read(form: str, syllables: tuple[str, ...]) -> tuple[str, ...]:
    """The same with characters that people read otherwise than dictionaries do."""
    also = choices("pinyin_also.tsv")
    return tuple(also.get(char, (syllable,))[0] for char, syllable in zip(form, syllables, strict=False))


def _read(reading: str) -> tuple[str, ...]:
    """The syllables of an entry's reading without tones, ü as v."""
    decomposed = unicodedata.normalize("NFD", reading.lower()).replace("u\u0308", "v")
    return tuple("".join(char for char in decomposed if not unicodedata.combining(char)).split())
