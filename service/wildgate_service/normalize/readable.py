"""The readable text: what an encoder or a person can read where the seller wrote in disguise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wildgate_service.normalize.fold import FIELD_SEPARATOR, name_emoji

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wildgate_service.normalize import NormalizedText
    from wildgate_service.types import Match

EMPTY_BRACKETS = re.compile(r"\s*[(\[（【]\s*[)\]）】]")
TRACES = f" \t\r\n,;:-{FIELD_SEPARATOR}"


def readable_text(
    text: NormalizedText,
    matches: Iterable[Match],
    without: Iterable[Match] = (),
    start: int = 0,
    end: int | None = None,
) -> str:
    """The document from `start` to `end` with matches that needed a view written as their plain form, and emoji as words.

    A match in plain writing stays as the seller wrote it: the encoder knows it, inflection and all. What `without` matched is cut
    out. Fields are parted by line ends.
    """
    stop = len(text.document) if end is None else end
    pieces: list[str] = []
    kept = start
    for first, last, form in _rewritten(text, matches, without):
        if first >= kept and last <= stop:
            pieces += [text.document[kept:first], form]
            kept = last
    joined = "".join([*pieces, text.document[kept:stop]])
    if without:
        joined = EMPTY_BRACKETS.sub("", joined).strip(TRACES)
    if not joined.isascii():
        joined = "".join(map(name_emoji, joined))
    return joined.replace(FIELD_SEPARATOR, "\n")


def _rewritten(text: NormalizedText, matches: Iterable[Match], without: Iterable[Match]) -> list[tuple[int, int, str]]:
    """(start, end, what stands there instead), the longer first where two begin together."""
    written = [(match, match.form) for match in matches if match.views] + [(match, "") for match in without]
    spans = [(*text.source.span(match.skeleton_start, match.skeleton_end), form) for match, form in written]
    return sorted(spans, key=lambda span: (span[0], -span[1]))
