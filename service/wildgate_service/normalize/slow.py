"""The slow twin of the fold: the obvious way, one step at a time. Oracle of the property tests, and what `--explain` replays."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from wildgate_service.normalize.fold import STEPS, in_table


def slow_fold(text: str) -> str:
    """What `fold` must give, computed without a table."""
    return _squeeze(unicodedata.normalize("NFC", _settle(text)))


def steps_of(text: str) -> Iterator[tuple[str, str]]:
    """(name of the step, text after it) for each step of the first round that changes something."""
    for step in STEPS:
        after = "".join(step(char) if in_table(char) else char for char in text)
        if after != text:
            yield step.__name__, after
        text = after


def _settle(text: str) -> str:
    """All steps on every character, again and again until nothing changes."""
    before = ""
    while before != text:
        before = text
        for step in STEPS:
            text = "".join(step(char) if in_table(char) else char for char in text)
    return text


def _squeeze(text: str) -> str:
    """One blank where several stand."""
    kept: list[str] = []
    for char in text:
        if char != " " or not kept or kept[-1] != " ":
            kept.append(char)
    return "".join(kept)
