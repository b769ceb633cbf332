"""Positions in text: code points, UTF-16 code units and UTF-8 bytes, and marking what they enclose.

Python counts code points. JavaScript and Java count UTF-16 units, so one emoji is two; Go and Rust
count bytes. Units are given by the values of `SpanUnit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

_ENCODINGS = {"utf16": ("utf-16-le", 2), "utf8": ("utf-8", 1)}


def code_point_index(text: str, position: int, unit: str) -> int:
    """Turn a position in `unit` into an index into `text`; past the end is the end.

    A position inside a character, which no correct service sends, is rounded down to its start.
    """
    if unit not in _ENCODINGS:
        return min(position, len(text))
    encoding, width = _ENCODINGS[unit]
    before = text.encode(encoding, "surrogatepass")[: position * width]
    return len(before.decode(encoding, "ignore"))


def unit_index(text: str, index: int, unit: str) -> int:
    """Turn an index into `text` into a position in `unit`."""
    if unit not in _ENCODINGS:
        return index
    encoding, width = _ENCODINGS[unit]
    return len(text[:index].encode(encoding, "surrogatepass")) // width


def mark(
    text: str,
    ranges: Iterable[tuple[int, int]],
    before: str,
    after: str,
    escape: Callable[[str], str],
) -> str:
    """Put `before` and `after` around each range of code points, joining those that overlap."""
    pieces: list[str] = []
    position = 0
    for start, end in _joined(ranges):
        pieces += [escape(text[position:start]), before, escape(text[start:end]), after]
        position = end
    return "".join([*pieces, escape(text[position:])])


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(pair for pair in ranges if pair[0] < pair[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
