"""What of a restricted rule is shown to whom: that it fired, to everybody; its words, to those with the scope `lexicon.restricted`.

Published code words teach evasion. The seller's own words are withheld too, and where they stand: whoever sends texts and is told what
matched would learn the lexicon by and by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from wildgate_service.types import Match


def without_words(matches: Iterable[Match]) -> Iterator[Match]:
    """The matches, those of restricted rules without form, gloss, surface, place and views."""
    return (_without_words(match) if match.restricted else match for match in matches)


def _without_words(match: Match) -> Match:
    return msgspec.structs.replace(match, form="", gloss="", surface="", start=0, end=0, skeleton_start=0, skeleton_end=0, views=())
