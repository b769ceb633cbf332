"""Normalize: a listing becomes one document, its skeleton, and the map back.

The *document* is all fields joined by `FIELD_SEPARATOR`. The *skeleton* is the document folded (`fold`), blanks squeezed to one, and
composed (NFC): the matcher reads it and nobody is ever shown it. Disguises come off in further readings: `bare` without all that can be put
between letters or in their place, `layers` for what the fold cannot see. The map from the skeleton back to the document costs more than
the fold, so it is made only for a text in which something was found.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from wildgate_service.normalize.bare import Bare, bare_readings
from wildgate_service.normalize.floods import is_flooded, without_floods
from wildgate_service.normalize.fold import FIELD_SEPARATOR, ascii_dropped, ascii_table, fold_table, regular_table
from wildgate_service.normalize.layers import Layer, backwards, joined_fields, layers_of
from wildgate_service.normalize.made_once import made_once
from wildgate_service.normalize.marks import has_marks
from wildgate_service.normalize.markup import without_markup
from wildgate_service.normalize.pages import pages_of
from wildgate_service.normalize.sound import Heard, heard_readings
from wildgate_service.normalize.source_map import SourceMap
from wildgate_service.types import FieldSlice

if TYPE_CHECKING:
    from wildgate_service.types import Listing

__all__ = ["FIELD_SEPARATOR", "NormalizedText", "fold", "normalize"]

_ASCII, _DROPPED = ascii_table(), ascii_dropped()
_TABLE = fold_table()
_REGULAR, IRREGULAR = regular_table()
_IRREGULAR = re.compile(f"{IRREGULAR}+")
_BLANKS = re.compile(" {2,}")
SHORT = 40  # code points of a text that numbers do not make faster
MANY_IRREGULAR = 20  # one in so many code points that numbers leave, and they make nothing faster either


def fold(text: str) -> str:
    """The skeleton of a text. Folding what is folded changes nothing."""
    if text.isascii():
        folded = text.encode("ascii").translate(_ASCII, _DROPPED).decode("ascii")
    else:
        folded = _folded(text)
        if not unicodedata.is_normalized("NFC", folded):
            folded = unicodedata.normalize("NFC", folded)
    return _BLANKS.sub(" ", folded) if "  " in folded else folded


def _folded(text: str) -> str:
    """The table applied: to all but short texts by numbers where one code point becomes one, a quarter of what `str.translate` takes."""
    if len(text) < SHORT:
        return text.translate(_TABLE)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    folded = _REGULAR.take(points, mode="clip").tobytes().decode("utf-16-le")
    if IRREGULAR not in folded:
        return folded
    if folded.count(IRREGULAR) * MANY_IRREGULAR > len(text):
        return text.translate(_TABLE)
    return _IRREGULAR.sub(lambda found: text[found.start() : found.end()].translate(_TABLE), folded)


class NormalizedText:
    """A listing's document with its skeleton; the map and the views are made when first asked for.

    `folded` is the document as it is shown, and of its length: without markup, and with a blank for a separator that a seller wrote.
    `pages` are those of the skeleton.
    """

    __slots__ = ("__dict__", "_folded", "document", "fields", "pages", "skeleton")

    def __init__(self, document: str, folded: str, fields: tuple[FieldSlice, ...]) -> None:
        self.document = document
        self.fields = fields
        self.skeleton = fold(folded)
        self.pages = pages_of(self.skeleton)
        self._folded = folded

    @made_once
    def source(self) -> SourceMap:
        """The map from the skeleton to the document."""
        return SourceMap(self._folded, self.skeleton)

    @made_once
    def tokens(self) -> list[str]:
        """What blanks part in the skeleton."""
        return self.skeleton.split()

    @made_once
    def bare(self) -> tuple[Bare, ...]:
        """The skeleton without what can stand between letters or in their place: one reading, more where a gate opens."""
        return tuple(bare_readings(self.skeleton, self.pages))

    @made_once
    def heard(self) -> tuple[Heard, ...]:
        """The skeleton by its sound; none for an ordinary text of one script."""
        return tuple(heard_readings(self.skeleton, self.tokens, self.pages))

    @made_once
    def layers(self) -> tuple[tuple[Layer, NormalizedText], ...]:
        """Other documents behind this one, each normalized; none for an ordinary text."""
        layers = (*joined_fields(self._folded, self.fields), *layers_of(self._folded))
        return tuple((layer, NormalizedText(layer.document, layer.document, self.fields)) for layer in layers) if layers else ()

    @made_once
    def backwards(self) -> tuple[Layer, NormalizedText]:
        """The document with each field backwards; not among the layers, since only the words that there are tell whether it is meant."""
        layer = backwards(self._folded, self.fields)
        return layer, NormalizedText(layer.document, layer.document, self.fields)

    @made_once
    def marked_fields(self) -> frozenset[str]:
        """Names of the fields in which a Latin letter bears a mark."""
        return frozenset(each.name for each in self.fields if has_marks(self._folded[each.start : each.end]))

    def locate(self, start: int, end: int) -> tuple[FieldSlice, int, int]:
        """Field and span in it, as sent, of a span of the skeleton."""
        first, last = self.source.span(start, end)
        field = self.fields[bisect_right(self.fields, first, key=lambda each: each.start) - 1]
        return field, min(first, field.end) - field.start, min(last, field.end) - field.start

    def shown(self, start: int, end: int) -> str:
        """What a reader sees of a span of the skeleton: the document there, without markup."""
        return self._folded[slice(*self.source.span(start, end))]

    def from_layer(self, layer: Layer, start: int, end: int) -> tuple[int, int] | None:
        """Span in this skeleton of a span of a layer's; None if the layer differs nowhere in it from the document."""
        text = next((text for each, text in self.layers if each is layer), None) or self.backwards[1]
        span = layer.to_document(*text.source.span(start, end))
        if span is None or (not layer.moved and layer.document[slice(*span)] == self._folded[slice(*span)]):
            return None
        return self.source.skeleton_span(*span)


def normalize(listing: Listing) -> NormalizedText:
    """Join the fields of a listing and fold them. An attribute stands as `name: value` so that each is read beside the other."""
    texts = [("title", listing.title), ("description", listing.description)]
    for index, attribute in enumerate(listing.attributes):
        texts += [(f"attributes[{index}].name", attribute.name), (f"attributes[{index}].value", attribute.value)]
    fields: list[FieldSlice] = []
    parts: list[str] = []
    folded: list[str] = []
    at = 0
    for name, text in texts:
        if not text:
            continue
        if parts:
            glue = ": " if fields[-1].name == name.replace(".value", ".name") else FIELD_SEPARATOR
            parts.append(glue)
            folded.append(glue)
            at += len(glue)
        fields.append(FieldSlice(name, at, at + len(text)))
        parts.append(text)
        folded.append(without_markup(text).replace(FIELD_SEPARATOR, " "))
        at += len(text)
    document, shown = "".join(parts), "".join(folded)
    normalized = NormalizedText(document, shown, tuple(fields))
    return NormalizedText(document, without_floods(shown), tuple(fields)) if is_flooded(shown, normalized.skeleton) else normalized
