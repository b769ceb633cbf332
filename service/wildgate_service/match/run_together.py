"""Words run together, parted again: "jaguarconcabeza" is "jaguar con cabeza"."""

from __future__ import annotations

from itertools import pairwise
from weakref import ref

from wildgate_service.match.boundaries import is_dense, is_unspaced

SHORTEST = 8  # letters of what may be words run together
SHORTEST_WITHOUT_VOWELS = 6  # the same of other scripts than Latin
SHORTEST_DENSE = 4  # the same where a character is a syllable
LONGEST_WORD = 16
SHORT_WORD = 0.6  # what a piece of two letters costs beyond one of more
MOST_PIECES = 0.45  # pieces a letter; more are letters by chance
MOST_REMEMBERED = 16  # texts of which it is known what they are made of

_PARTED: dict[str, tuple[ref[frozenset[str]], list[str]]] = {}


def parted(text: str, words: frozenset[str]) -> list[str]:
    """The fewest of `words` that a text is made of, in their order; empty if it is not made of several. Linear in the text."""
    shortest = SHORTEST if text.isascii() else SHORTEST_DENSE if is_dense(text[0]) else SHORTEST_WITHOUT_VOWELS
    if len(text) < shortest or is_unspaced(text[0]):
        return []
    if len(text) <= LONGEST_WORD and text in words:
        return []
    last = [start for start in range(max(0, len(text) - LONGEST_WORD), len(text)) if text[start:] in words]
    return _remembered(text, words, last) if last else []


def _remembered(text: str, words: frozenset[str], last: list[int]) -> list[str]:
    """The same as `_pieces`; the last few are remembered, for several spellers ask in turn, with the very same words."""
    asked, pieces = _PARTED.get(text, (None, []))
    if asked is None or asked() is not words:
        pieces = _pieces(text, words, last)
        if len(_PARTED) >= MOST_REMEMBERED:
            _PARTED.clear()
        _PARTED[text] = ref(words), pieces
    return pieces


def _pieces(text: str, words: frozenset[str], last: list[int]) -> list[str]:
    """The same of a text of which `last` are the places where its last piece may begin."""
    most, length = max(2.0, MOST_PIECES * len(text)), len(text)
    best: dict[int, tuple[float, int]] = {0: (0.0, 0)}  # end of a beginning of the text → the cost, and where its last piece begins
    for start in range(last[-1] + 1):
        cost = best[start][0] if start in best else most
        if cost + 2 <= most:  # two more pieces may follow
            ends = [end for end in range(start + 1, min(start + LONGEST_WORD, last[-1]) + 1) if text[start:end] in words]
        else:
            ends = []
        if cost + 1 <= most and start in last:
            ends.append(length)
        for end in ends:
            way = (cost + 1 + (SHORT_WORD if end - start <= 2 else 0), start)  # noqa: PLR2004  (two letters)
            if end not in best or way < best[end]:
                best[end] = way
    if length not in best or best[length][0] > most:
        return []
    starts = [best[length][1]]
    while starts[-1]:
        starts.append(best[starts[-1]][1])
    starts = [length, *starts]
    return [text[start:end] for end, start in pairwise(starts)][::-1]
