"""Protected marks: the fold that keeps diacritics, for languages in which they tell words apart."""

from __future__ import annotations

import unicodedata

from wildgate_service.normalize.fold import fold_compatibility


def fold_with_marks(text: str) -> str:
    """Case, width and blanks folded, marks kept, composed (NFC)."""
    return " ".join(unicodedata.normalize("NFC", fold_compatibility(text)).split())


def has_marks(text: str) -> bool:
    """Whether a Latin letter of the text bears a mark, or is đ."""
    if text.isascii():
        return False
    lowered = text.lower()
    return "đ" in lowered or any("\u0300" <= char <= "\u036f" for char in unicodedata.normalize("NFD", lowered))
