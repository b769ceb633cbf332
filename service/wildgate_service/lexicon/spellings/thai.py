"""Thai in Latin letters: the Royal Thai General System and what sellers write ("khiao", "kiew"), from a table of words.

A form is written only if words of the table make it up entirely: Thai has no blanks, and rules for reading it err too often.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product

from wildgate_service.lexicon.spellings.tables import choices

ENOUGH = 200  # combinations looked at


def thai_in_latin(form: str, language: str, reading: str) -> Iterator[str]:
    """By the General System, words apart and joined; then words apart in other manners, the nearest to it first."""
    del language, reading
    words = _words_of(form)
    if not words:
        return
    manners = [list(enumerate(choices("thai_words.tsv")[word])) for word in words]
    likeliest = islice(product(*manners), ENOUGH)
    for written in sorted(likeliest, key=lambda letters: sum(manner for manner, _ in letters)):
        yield " ".join(letters for _, letters in written)
        if not any(manner for manner, _ in written):
            yield "".join(letters for _, letters in written)


def _words_of(form: str) -> tuple[str, ...]:
    """The fewest words of the table that make up a form; none if words of it do not."""
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(form) + 1):
        ways = ((best[start], form[start:end]) for start in range(end))
        best.append(
            min(((*before, *_word(text)) for before, text in ways if before is not None and _is_known(text)), key=len, default=None)
        )
    return best[-1] or ()


def _is_known(text: str) -> bool:
    return text == " " or text in choices("thai_words.tsv")


def _word(text: str) -> tuple[str, ...]:
    return () if text == " " else (text,)
