"""Files of labeled texts to fit and measure on: functional texts in contrast pairs, and a platform's own labeled lines.

A functional text has `id`, `functionality`, `language`, `title`, `expected` (offer or benign), and if you like `description`, `kind`,
`pair` (the id of its contrast twin) and `group` (taxon group of an offer). A labeled line (`LabeledLine`) has `text`, `label` and
`language`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from wildgate_service.errors import ModelError
from wildgate_service.lexicon.listing_lines import lines_of
from wildgate_service.pipeline import TITLE_LIMIT
from wildgate_service.types import ContentKind, Listing

LABELED = "labeled"  # functionality of lines that name none
OFFER, BENIGN = "offer", "benign"
ENOUGH_NAMED = 5  # ids in one message


class LabeledText(Struct, frozen=True, kw_only=True):
    """A text and what it is."""

    id: str
    title: str
    expected: str
    language: str
    functionality: str = LABELED
    kind: ContentKind = ContentKind.LISTING
    description: str | None = None
    pair: str | None = None
    group: str | None = None

    @property
    def source(self) -> str:
        """The lesser id of a contrast pair: twins stay on one side of every split."""
        return min(self.id, self.pair or self.id)

    @property
    def text(self) -> str:
        """All of it, as a model reads it."""
        return f"{self.title} {self.description or ''}".strip()

    @property
    def offer(self) -> bool:
        """Whether the text offers or seeks a specimen."""
        return self.expected == OFFER

    @property
    def listing(self) -> Listing:
        """The text alone: without language, market and seller."""
        return Listing(title=self.title, description=self.description or "", content_kind=self.kind)


class LabeledLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a platform's own texts. `label` is offer or benign; `licence` says who may use it."""

    text: str
    label: str
    language: str
    group: str = ""
    source: str = ""
    licence: str = ""
    kind: ContentKind = ContentKind.LISTING


class _Either(Struct):
    """What tells the two formats apart."""

    expected: str | None = None


def base_language(tag: str) -> str:
    """The language of a BCP 47 tag without script and region."""
    return tag.partition("-")[0]


def is_development(text: LabeledText) -> bool:
    """Whether a text may be tuned on: the first byte of SHA-256 of the lesser id of its contrast pair is even. Twins stay together."""
    return hashlib.sha256(text.source.encode()).digest()[0] % 2 == 0


def read_texts(paths: Iterable[Path]) -> list[LabeledText]:
    """All texts of some files, in either format. Raises ModelError naming the line or the ids, never quoting a text.

    An id may stand once, a pair is mutual and of one offer and one benign text, and no text has two labels; one that is repeated counts
    once.
    """
    texts = [text for path in paths for text in _texts_of(path)]
    return list(_checked(texts))


def as_listing(text: str, kind: ContentKind) -> Listing:
    """A text without a form around it: a post is a description, all else a title if it fits; no language or market is given."""
    if kind is ContentKind.SOCIAL_POST or len(text) > TITLE_LIMIT:
        return Listing(description=text, content_kind=kind)
    return Listing(title=text, content_kind=kind)


def _texts_of(path: Path) -> Iterator[LabeledText]:
    for number, line in lines_of(path):
        try:
            functional = msgspec.json.decode(line, type=_Either).expected is not None
            text = msgspec.json.decode(line, type=LabeledText) if functional else _of_line(line, f"{path.name}:{number}")
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{path}:{number} is no labeled text: {error}") from error
        if text.expected not in {OFFER, BENIGN}:
            raise ModelError(f"{path}:{number}: label {text.expected!r} is neither {OFFER} nor {BENIGN}")
        yield text


def _of_line(line: bytes, place: str) -> LabeledText:
    row = msgspec.json.decode(line, type=LabeledLine)
    listing = as_listing(row.text, row.kind)
    language = base_language(row.language)
    return LabeledText(
        id=place,
        title=listing.title,
        description=listing.description,
        expected=row.label,
        language=language,
        kind=row.kind,
        group=row.group,
    )


def _checked(texts: list[LabeledText]) -> Iterator[LabeledText]:
    by_id: dict[str, LabeledText] = {}
    by_text: dict[tuple[str, str], LabeledText] = {}
    for text in texts:
        if by_id.setdefault(text.id, text) is not text:
            raise ModelError(f"the id {text.id} is used twice: name each text once, and each file once")
        first = by_text.setdefault((text.title.strip(), (text.description or "").strip()), text)
        if first.expected != text.expected:
            raise ModelError(f"{first.id} and {text.id} are one text with two labels: decide which holds")
        if first is text or text.pair:
            yield text
    unpaired = [text.id for text in texts if text.pair and not _are_twins(text, by_id.get(text.pair))]
    if unpaired:
        raise ModelError(f"without a contrasting twin that names them too: {', '.join(unpaired[:ENOUGH_NAMED])} ({len(unpaired)} in all)")


def _are_twins(one: LabeledText, other: LabeledText | None) -> bool:
    return other is not None and other.pair == one.id and other.offer != one.offer
