"""Slips of the hand that need no table: letters swapped, dropped or doubled, tone marks lost."""

from __future__ import annotations

import unicodedata
from random import Random

from robustness.family import Work
from robustness.words import clusters, is_unspaced

LONG_WORD = 8  # letters from which heavy makes two slips


def slips(word: str, work: Work) -> str:
    """One swap, drop or doubling per touched word, two in long words at heavy; in unspaced scripts a lost or doubled mark."""
    if is_unspaced(word):
        return _mark_slip(word, work.random)
    for _ in range(2 if work.strength.level == 3 and len(word) >= LONG_WORD else 1):
        word = _slip(word, work.random)
    return word


def _slip(word: str, random: Random) -> str:
    """The first letter stays, as it mostly does when people mistype."""
    parts = clusters(word)
    if len(parts) < 3:
        return word
    place = random.randrange(1, len(parts) - 1)
    kind = random.choice(("swap", "drop", "double"))
    if kind == "swap":
        parts[place], parts[place + 1] = parts[place + 1], parts[place]
    else:
        parts[place] *= 2 if kind == "double" else 0
    return "".join(parts)


def _mark_slip(word: str, random: Random) -> str:
    marks = [place for place, char in enumerate(word) if unicodedata.category(char) == "Mn"]
    if not marks:
        return word
    place = random.choice(marks)
    return word[:place] + word[place] * random.choice((0, 2)) + word[place + 1 :]
