"""Chat spelling of Indonesian, Malay, Tagalog and Vietnamese: words of a table, and "kura2" for "kura-kura"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import product

from wildgate_service.lexicon.spellings.tables import rows

REDUPLICATED = {"id", "ms"}
TWICE = re.compile(r"\b(\w{3,})[- ]\1\b")


def chat_spellings(form: str, language: str, reading: str) -> Iterator[str]:
    """Reduplications with a 2 and apart, then the words of the table, all combinations."""
    del reading
    if language in REDUPLICATED and TWICE.search(form):
        yield TWICE.sub(r"\g<1>2", form)
        yield TWICE.sub(r"\1 \1", form)
    table = _table(language)
    words = form.split(" ")
    options = [(word, *table.get(word, ())) for word in words]
    yield from (" ".join(result) for result in product(*options))


@cache
def _table(language: str) -> dict[str, tuple[str, ...]]:
    """Word → how it is written in chats of a language."""
    return {word: tuple(written.split()) for tongue, word, written in rows("chat.tsv") if tongue == language}
