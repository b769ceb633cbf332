"""Chinese with a character written as its left and right halves (拆字): 熊胆 → 熊月旦. The table holds only splits that people write."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from wildgate_service.lexicon.spellings.tables import choices
from wildgate_service.normalize import fold


def split_characters(form: str, language: str, reading: str) -> Iterator[str]:
    """All characters that can be split, then one at a time. A form of one character stays whole: its halves are words."""
    del language, reading
    folded = fold(form)
    table = choices("split_characters.tsv")
    places = [at for at, char in enumerate(folded) if char in table]
    if len(folded) < 2 or not places:  # noqa: PLR2004
        return
    for halves in product(*(table[folded[at]] for at in places)):
        yield _replace(folded, dict(zip(places, halves, strict=True)))
    for at in places:
        for half in table[folded[at]]:
            yield _replace(folded, {at: half})


def _replace(text: str, new: dict[int, str]) -> str:
    return "".join(new.get(at, char) for at, char in enumerate(text))
