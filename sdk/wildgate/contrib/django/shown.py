"""The seller's own text for a moderator's eyes: escaped, with what was found marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from wildgate._spans import mark
from wildgate.contrib.django.models import Screening, fields_of


class ShownField(NamedTuple):
    """One field of the listing."""

    label: str
    text: SafeString


def shown_fields(screening: Screening) -> Iterator[ShownField]:
    """Yield the fields that hold text, in the order of the listing."""
    for name, label, text in fields_of(screening.texts):
        if text:
            yield ShownField(label, marked(screening, name, text))


def marked(screening: Screening, name: str, text: str) -> SafeString:
    """Return one field as HTML; spans are counted in code points, as they were asked for."""
    ranges = [(each["start"], each["end"]) for each in screening.matches if each["field"] == name]
    return mark_safe(mark(text, ranges, "<mark>", "</mark>", escape))  # noqa: S308 every piece of the text was escaped
