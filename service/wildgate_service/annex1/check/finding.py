"""A deviation of a published report: a stable code, where it stands, what is wrong and how to put it right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from string import ascii_uppercase

import msgspec
from msgspec import Struct

# What may be a deviation but need not: these do not make a check fail.
WARNINGS = frozenset({"ANX102", "ANX104", "ANX105", "ANX204", "ANX304", "ANX405", "ANX603", "ANX802", "ANX804"})


class Finding(Struct, frozen=True, kw_only=True):
    """`row` and `column` are as a spreadsheet shows them (1, "F"), 0 and "" where the whole file is meant; `more` rows have the same."""

    code: str
    file: str
    message: str
    fix: str
    row: int = 0
    column: str = ""
    more: int = 0

    @property
    def severity(self) -> str:
        """What it is called: error or warning."""
        return "warning" if self.code in WARNINGS else "error"

    def __str__(self) -> str:
        place = ":".join(filter(None, (self.file, str(self.row or ""), self.column)))
        more = f" (and {self.more} more rows)" if self.more else ""
        return f"{place}: {self.severity} {self.code}: {self.message}{more}; {self.fix}"


def letters(column: int) -> str:
    """A column from 0 as spreadsheets name it.

    >>> letters(0), letters(25), letters(26)
    ('A', 'Z', 'AA')
    """
    before, place = divmod(column, len(ascii_uppercase))
    return (letters(before - 1) if before else "") + ascii_uppercase[place]


def folded(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The same of many rows of a column as one, at the first of them."""
    together: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        together.setdefault((finding.code, finding.file, finding.column, finding.message), []).append(finding)
    for same in together.values():
        yield msgspec.structs.replace(same[0], more=len(same) - 1)
