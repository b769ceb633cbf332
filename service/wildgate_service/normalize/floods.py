"""Floods: texts of characters that stand for a whole word each, such as emoji, hundreds of them.

Folded, such a text is many times as long as it was sent, and would cost as much. Nobody reads the hundredth 🐘 in a row as another
elephant: of each such character so many are kept as leave room for the others.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

from wildgate_service.normalize.fold import fold_table

ALWAYS_LONGER = 600  # code points that a skeleton may be longer than twice the text
SHORTEST_WORD = 4  # code points that a character becomes, and more, that stands for a word
ALWAYS_KEPT = 100  # such characters in a text
KEPT_FOR_EACH = 0.125  # besides, for each code point
FEWEST_OF_EACH = 4


def is_flooded(text: str, skeleton: str) -> bool:
    """Whether a text is folded to much more than it is."""
    return len(skeleton) > 2 * len(text) + ALWAYS_LONGER


def without_floods(text: str) -> str:
    """The text, of the same length, with blanks for the inner ones of those characters that stand there far too often."""
    words = _words()
    numbers = {char: number for char, number in Counter(text).items() if char in words}
    room = int(ALWAYS_KEPT + KEPT_FOR_EACH * len(text))
    if sum(numbers.values()) <= room:
        return text
    most = max(FEWEST_OF_EACH, room // len(numbers))
    left = {char: number for char, number in numbers.items() if number > most}
    kept = list(text)
    for at, char in enumerate(text):
        if char in left:
            left[char] -= 1
            if most // 2 <= left[char] < numbers[char] - (most - most // 2):
                kept[at] = " "
    return "".join(kept)


@cache
def _words() -> frozenset[str]:
    return frozenset(chr(point) for point, folded in fold_table().items() if isinstance(folded, str) and len(folded) >= SHORTEST_WORD)
