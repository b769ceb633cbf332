"""Chinese in zhuyin, the letters that Taiwan learns to read by: 象牙 → ㄒㄧㄤㄧㄚ, with tones or without."""

from __future__ import annotations

from collections.abc import Iterator

from wildgate_service.lexicon.spellings.pinyin import TWO, is_han

LONGEST = 4
TONES = str.maketrans("", "", "ˊˇˋ˙")


def zhuyin(form: str, language: str, reading: str) -> Iterator[str]:
    """Of a form of two to four Han characters, joined and without tones, as `normalize.layers` brings texts to.

    A longer form nearly always contains a shorter one.
    """
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415  (its dictionaries load only where Chinese is compiled)

    del language, reading
    if TWO <= len(form) <= LONGEST and is_han(form):
        yield "".join(lazy_pinyin(form, style=Style.BOPOMOFO)).translate(TONES)
