"""Training texts longer than what a model reads at once, as the parts that it reads.

A long ordinary text is ordinary in each of its parts; a long offer is one where it names what it offers, and nowhere else. Parts of one
text are alike: together they weigh the root of their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from wildgate_service.classify.screen import BLOCK
from wildgate_service.model.authored import AuthoredText
from wildgate_service.model.labeled_texts import as_listing
from wildgate_service.pipeline import Engine, weigh

LENGTH = 2 * BLOCK  # code points of a part: a window of the screen
LEAST = BLOCK // 2  # of the last one that nothing else holds


def in_parts(texts: Iterable[AuthoredText], lexicons: Engine) -> list[AuthoredText]:
    """Short texts as they are, long ones in their parts; offers in which the lexicons find nothing as they are too."""
    return [part for text in texts for part in (_parts(text, lexicons) if len(text.text) > LENGTH else (text,))]


def _parts(text: AuthoredText, lexicons: Engine) -> Iterable[AuthoredText]:
    pieces = dict.fromkeys(_where_named(text, lexicons) if text.offer else _everywhere(text.text))
    return [replace(text, text=piece, share=len(pieces) ** -0.5) for piece in pieces] or (text,)


def _everywhere(text: str) -> Iterator[str]:
    return (_between_words(text, start, start + LENGTH) for start in range(0, len(text) - LEAST, BLOCK))


def _where_named(text: AuthoredText, lexicons: Engine) -> Iterator[str]:
    """A part around each form that counts."""
    listing = as_listing(text.text, text.content_kind)
    for match in weigh(lexicons, listing).matches.taxa:
        if match.counts:
            start = max(0, (match.start + match.end - LENGTH) // 2)
            yield _between_words(text.text, start, start + LENGTH)


def _between_words(text: str, start: int, end: int) -> str:
    """What stands from one place to another, without a word that is cut at the beginning."""
    blank = text.find(" ", start, start + LEAST) if start and not text[start - 1].isspace() else -1
    return text[blank + 1 if blank >= 0 else start : end].strip()
