"""Disguises that the fold itself undoes, named by looking at the seller's own characters."""

from __future__ import annotations

import re
import unicodedata

INVISIBLE = "invisible_characters"
STYLIZED = "stylized_letters"
EMOJI = "emoji"
NOISE = "combining_noise"

_STYLIZED = re.compile(
    "[\uff21-\uff3a\uff41-\uff5a\u2460-\u24ff\u2100-\u214f\u0250-\u02af\u1d00-\u1dbf\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6f\U0001d400-\U0001d7ff\U0001f110-\U0001f189\U0001f1e6-\U0001f1ff]"
)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u3164\ufeff\uffa0\U000e0000-\U000e007f]"
)
_EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")
_NOISE = re.compile("[\u0300-\u036f\u0488\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
MARKS_OF_A_WORD = 2


def disguises_of(surface: str) -> tuple[str, ...]:
    """Names of the disguises in the characters a match covers. Joiners of Arabic, Indic and emoji are none."""
    if surface.isascii() and surface.isprintable():
        return ()
    names = [name for name, pattern in ((INVISIBLE, _INVISIBLE), (STYLIZED, _STYLIZED), (EMOJI, _EMOJI)) if pattern.search(surface)]
    if len(_NOISE.findall(unicodedata.normalize("NFC", surface))) >= MARKS_OF_A_WORD:
        names.append(NOISE)
    return tuple(names)
