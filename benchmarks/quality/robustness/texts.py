"""The texts of the benchmark, and what a disguise makes of one."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

TEXTS = Path(__file__).parent / "texts.jsonl"
HALVES = ("development", "reported")


class Text(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One listing in plain writing."""

    id: str
    language: str
    label: Literal["offer", "benign"]
    title: str
    description: str = ""

    @property
    def half(self) -> str:
        """`development` or `reported`, by the last bit of the SHA-256 of the id."""
        return HALVES[hashlib.sha256(self.id.encode()).digest()[-1] & 1]


@dataclass(frozen=True)
class Form:
    """What a seller types into the form: title, description and the values of attributes."""

    title: str
    description: str = ""
    attributes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(part for part in (self.title, self.description, *self.attributes) if part)


def plain(text: Text) -> Form:
    """The text without a disguise."""
    return Form(text.title, text.description)


def read_texts(path: Path = TEXTS) -> list[Text]:
    """Read the file. Raises ValueError naming the line or the ids, never quoting a text."""
    texts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            texts.append(msgspec.json.decode(line, type=Text))
        except msgspec.DecodeError as error:
            raise ValueError(f"{path}:{number} is no text of the benchmark: {error}") from error
    twice = [identifier for identifier, count in Counter(text.id for text in texts).items() if count > 1]
    if twice:
        raise ValueError(f"{path}: ids used twice: {', '.join(twice)}; give each text its own")
    return texts
