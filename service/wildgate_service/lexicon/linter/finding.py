"""What the linter says."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct


class Finding(Struct, frozen=True, order=True):
    """One finding; prints as `file:line: CODE message (hint)`."""

    file: str
    line: int
    code: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code} {self.message} ({self.hint})"


class Problem(NamedTuple):
    """What one check says of a rule; `line` is that of an entry, 0 for the rule's own."""

    code: str
    message: str
    hint: str
    line: int = 0
