"""Invisible and bidirectional characters: nobody who reads a rule file sees them, so they stand in none."""

from __future__ import annotations

import re
from collections.abc import Iterator

INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
# Joiners belong to the spelling behind Arabic, Indic, Myanmar and Khmer letters and emoji.
SPELLED_JOINERS = re.compile("(?<=[\u0600-\u06ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u2600-\U0001faff\ufe0f])[\u200c\u200d]")


def invisible_places(text: str) -> list[int]:
    """Indices of the invisible characters that are no part of the spelling."""
    spelled = {found.start() for found in SPELLED_JOINERS.finditer(text)}
    return [found.start() for found in INVISIBLE.finditer(text) if found.start() not in spelled]


def without_invisible(text: str) -> str:
    """The text without them."""
    dropped = set(invisible_places(text))
    return "".join(char for at, char in enumerate(text) if at not in dropped) if dropped else text


def escaped(text: str) -> str:
    """The text with each as an escape of double-quoted YAML."""
    places = set(invisible_places(text))
    return "".join(f"\\u{ord(char):04x}" if at in places else char for at, char in enumerate(text))


def raw_invisible(text: str) -> Iterator[tuple[int, str]]:
    """(line, `U+XXXX`) of each in a file's text."""
    if text.isascii() or not INVISIBLE.search(text):
        return
    for number, line in enumerate(text.splitlines(), 1):
        yield from ((number, f"U+{ord(line[at]):04X}") for at in invisible_places(line))
