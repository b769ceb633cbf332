"""Words run together, parted again: "jaguarconcabeza" is "jaguar con cabeza"."""

from __future__ import annotations

from wildgate_service.match.boundaries import is_dense, is_unspaced

SHORTEST = 8  # letters of what may be words run together
SHORTEST_WITHOUT_VOWELS = 6  # the same of other scripts than Latin
SHORTEST_DENSE = 4  # the same where a character is a syllable
LONGEST_WORD = 16
SHORT_WORD = 0.6  # what a piece of two letters costs beyond one of more
MOST_PIECES = 0.45  # pieces a letter; more are letters by chance


def parted(text: str, words: frozenset[str]) -> list[str]:
    """The fewest of `words` that a text is made of, in their order; empty if it is not made of several. Linear in the text."""
    shortest = SHORTEST if text.isascii() else SHORTEST_DENSE if is_dense(text[0]) else SHORTEST_WITHOUT_VOWELS
    if len(text) < shortest or is_unspaced(text[0]):
        return []
    best: list[tuple[float, int]] = [(0.0, 0)]  # of each beginning of the text: the cost, and where its last piece begins
    for end in range(1, len(text) + 1):
        best.append(min(_pieces_up_to(text, end, best, words), default=(float("inf"), 0)))
    if best[-1][0] > max(2.0, MOST_PIECES * len(text)):
        return []
    pieces: list[str] = []
    end = len(text)
    while end:
        start = best[end][1]
        pieces.append(text[start:end])
        end = start
    return pieces[::-1] if len(pieces) > 1 else []


def _pieces_up_to(text: str, end: int, best: list[tuple[float, int]], words: frozenset[str]) -> list[tuple[float, int]]:
    return [
        (best[start][0] + 1 + (SHORT_WORD if end - start <= 2 else 0), start)  # noqa: PLR2004  (two letters)
        for start in range(max(0, end - LONGEST_WORD), end)
        if best[start][0] != float("inf") and text[start:end] in words
    ]
