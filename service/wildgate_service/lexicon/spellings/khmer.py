"""Khmer vowels as keyboards without them give them: ើ and ោ in two strokes, which look the same and are other code points."""

from __future__ import annotations

from collections.abc import Iterator

# Unicode 16, 16.4: neither sequence is canonically equivalent to its vowel sign, so that normalization leaves both as typed.
TYPED = str.maketrans({"\u17be": "\u17c1\u17b8", "\u17c4": "\u17c1\u17b6"})


def typed_vowels(form: str, language: str, reading: str) -> Iterator[str]:
    """All such vowels of a form in two strokes."""
    del language, reading
    typed = form.translate(TYPED)
    if typed != form:
        yield typed
