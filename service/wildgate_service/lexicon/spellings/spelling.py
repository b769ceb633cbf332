"""One further way of writing a form."""

from __future__ import annotations

from msgspec import Struct


class Spelling(Struct, frozen=True):
    """Plain text, not yet folded, and the view that a match on it names."""

    text: str
    view: str
