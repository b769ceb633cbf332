"""Pages: which blocks of 256 code points a text has characters of, which tells at once whether a script may stand in it.

A search for the bytes that the letters of a script begin with takes microseconds where all other letters of the text begin alike.
"""

from __future__ import annotations

from collections.abc import Iterable

GREEK, CYRILLIC, ARABIC, DEVANAGARI, THAI_AND_LAO, MYANMAR, KHMER, KANA, LISU = 0x03, 0x04, 0x06, 0x09, 0x0E, 0x10, 0x17, 0x30, 0xA4
HAN, HANGUL = range(0x34, 0xA0), range(0xAC, 0xD8)


def pages_of(text: str) -> bytes:
    """The page of each UTF-16 unit of a text; none for a text in ASCII."""
    return b"" if text.isascii() else text.encode("utf-16-le", "surrogatepass")[1::2]


def has_any(pages: bytes, of_scripts: Iterable[int]) -> bool:
    """Whether one of some scripts' pages is among those of a text."""
    return any(map(pages.__contains__, of_scripts))
