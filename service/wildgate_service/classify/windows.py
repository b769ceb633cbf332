"""Which parts of a text the encoder reads: the title and up to four windows around the matches, else the beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildgate_service.normalize.readable import readable_text

if TYPE_CHECKING:
    from wildgate_service.normalize import NormalizedText
    from wildgate_service.types import Match

MOST_WINDOWS = 4
HALF = 110  # code points to each side of a match: about 64 pieces of Latin text; wider scripts are cut by the encoder itself
BLANKS = 16  # how far a window is stretched to end between words


def windows(text: NormalizedText, matches: tuple[Match, ...], without: tuple[Match, ...] = ()) -> tuple[list[str], float]:
    """Readable windows, and the share of the document they cover. What `without` matched is cut out of them."""
    length = len(text.document)
    if length <= 2 * HALF:
        return [readable_text(text, matches, without)], 1.0
    ranges = _merged([_around(text, match) for match in matches])[:MOST_WINDOWS] or [(0, 2 * HALF)]
    title = text.fields[0]
    if ranges[0][0] >= title.end:
        ranges.insert(0, (title.start, min(title.end, 2 * HALF)))
    covered = sum(end - start for start, end in ranges)
    return [readable_text(text, matches, without, start, end) for start, end in ranges], min(1.0, covered / length)


def _around(text: NormalizedText, match: Match) -> tuple[int, int]:
    first, last = text.source.span(match.skeleton_start, match.skeleton_end)
    start, end = max(0, first - HALF), min(len(text.document), last + HALF)
    blank = text.document.find(" ", start, start + BLANKS) if start else -1
    return (blank + 1 if blank >= 0 else start), end


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending ranges; one that begins in the first half of the one before it is covered by it."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if not kept or start > (kept[-1][0] + kept[-1][1]) // 2:
            kept.append((start, end))
    return kept
