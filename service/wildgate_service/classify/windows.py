"""Which parts of a text the encoder reads: the title, up to four windows around the matches, and a closer look at each.

Where nothing matches, the window that struck the screen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wildgate_service.normalize.readable import readable_text

if TYPE_CHECKING:
    from wildgate_service.normalize import NormalizedText
    from wildgate_service.types import Match

MOST_WINDOWS = 4
HALF = 110  # code points to each side of a match: about 64 pieces of Latin text; wider scripts are cut by the encoder itself
CLOSE = 45  # the same of a closer look, so that ordinary words around an offer do not drown it
LATIN, NOT_LATIN = re.compile("[A-Za-z]"), re.compile("[^\\W\\d_A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
BLANKS = 16  # how far a window is stretched to end between words

Range = tuple[int, int]


def readable_windows(
    text: NormalizedText, matches: tuple[Match, ...], without: tuple[Match, ...] = (), around: Range | None = None
) -> tuple[list[str], float]:
    """Readable windows, and the share of the document they cover. What `without` matched is cut out of them.

    `around` is what is read of a long document in which nothing matched.
    """
    length = len(text.document)
    if length <= 2 * CLOSE:
        alone = [_in_its_script(text, match, (0, length)) for match in matches][:MOST_WINDOWS]
        return [readable_text(text, matches, without, *span) for span in dict.fromkeys(((0, length), *alone))], 1.0
    wide = [(0, length)] if length <= 2 * HALF else _wide(text, matches, around or (0, 2 * HALF))
    close = _merged([_around(text, match, CLOSE) for match in matches])[:MOST_WINDOWS]
    alone = [_in_its_script(text, match, window) for window in close for match in matches if _holds(text, window, match)]
    covered = sum(end - start for start, end in wide)
    parts = [readable_text(text, matches, without, start, end) for start, end in dict.fromkeys((*wide, *close, *alone[:MOST_WINDOWS]))]
    return parts, min(1.0, covered / length)


def _wide(text: NormalizedText, matches: tuple[Match, ...], otherwise: Range) -> list[Range]:
    """Windows around the matches, and the title if none of them reads it."""
    ranges = _merged([_around(text, match, HALF) for match in matches])[:MOST_WINDOWS] or [otherwise]
    title = text.fields[0]
    if ranges[0][0] >= title.end:
        ranges.insert(0, (title.start, min(title.end, 2 * HALF)))
    return ranges


def _around(text: NormalizedText, match: Match, half: int) -> Range:
    first, last = text.source.span(match.skeleton_start, match.skeleton_end)
    start, end = max(0, first - half), min(len(text.document), last + half)
    blank = text.document.find(" ", start, min(start + BLANKS, first)) if start else -1
    return (blank + 1 if blank >= 0 else start), end


def _holds(text: NormalizedText, window: Range, match: Match) -> bool:
    first, last = text.source.span(match.skeleton_start, match.skeleton_end)
    return window[0] <= first and last <= window[1]


def _in_its_script(text: NormalizedText, match: Match, window: Range) -> Range:
    """What of a window is in the script of a match: a line of Chinese drowns in English around it; the window if all of it is."""
    first, last = text.source.span(match.skeleton_start, match.skeleton_end)
    other = NOT_LATIN if LATIN.search(text.document, first, last) else LATIN
    before = max((found.end() for found in other.finditer(text.document, window[0], first)), default=window[0])
    after = other.search(text.document, last, window[1])
    return before, after.start() if after else window[1]


def _merged(ranges: list[Range]) -> list[Range]:
    """Ascending ranges; one that begins in the first half of the one before it is covered by it."""
    kept: list[Range] = []
    for start, end in sorted(ranges):
        if not kept or start > (kept[-1][0] + kept[-1][1]) // 2:
            kept.append((start, end))
    return kept
