"""Ukrainian in Latin letters: as passports and maps write it, and as chats do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from wildgate_service.lexicon.spellings.tables import rows

APOSTROPHES = str.maketrans("", "", "'’ʼ")
HARD_G = ("зг", "zgh")  # so that it is no ж


def ukrainian_in_latin(form: str, language: str, reading: str) -> Iterator[str]:
    """The official way, then chats', and chats' with y for и, which tells no и from й."""
    del language, reading
    official, initial, chat = _letters()
    words = form.translate(APOSTROPHES).split()
    parted = [word.replace(*HARD_G) for word in words]
    if not words or not any(letter in chat for letter in form):
        return
    yield " ".join(initial.get(word[0], word[0]) + _written(word[1:], official) for word in parted)
    yield " ".join(_written(word, chat) for word in words)
    yield " ".join(_written(word, {**chat, "и": "y", "г": "h"}) for word in words)


def _written(text: str, letters: dict[str, str]) -> str:
    return "".join(letters.get(char, char) for char in text)


@cache
def _letters() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """What each letter is: officially, at the beginning of a word, in chats; nothing for the soft sign."""
    official, initial, chat = ({row[0]: row[column] for row in rows("ukrainian.tsv")} for column in (1, 2, 3))
    return official, initial, chat
