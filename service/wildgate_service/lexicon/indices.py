"""Indices: patterns in the order in which an automaton numbers them, and the automaton."""

from __future__ import annotations

from itertools import repeat
from typing import Generic, Protocol, TypeVar

import daachorse
from msgspec import Struct

MOST_CHANGES = 4_000  # patterns that a kept automaton may be behind by; then it is built anew

Use = TypeVar("Use")
Patterns = dict[str, list[Use]]


class Index(Struct, Generic[Use], frozen=True):
    """`uses[i]` are the forms of the i-th pattern. Those from `first` on are found by the automaton `added`; b"" if there are none."""

    uses: tuple[tuple[Use, ...], ...]
    automaton: bytes
    first: int = 0
    added: bytes = b""


class Indexer(Protocol):
    """Makes the index of some patterns, whose name tells it from others of one lexicon."""

    def __call__(self, name: str, patterns: Patterns[Use]) -> Index[Use]:
        """The index."""


def index_anew(name: str, patterns: Patterns[Use]) -> Index[Use]:
    """The index of some patterns."""
    del name
    return Index(tuple(map(tuple, patterns.values())), build_automaton(tuple(patterns)))


def build_automaton(patterns: tuple[str, ...]) -> bytes:
    """The automaton that finds some patterns, serialized; for none one that finds what no text holds."""
    compiled: bytes = daachorse.CharwiseDoubleArrayAhoCorasick(list(patterns) or ["\x1f\x1f"]).serialize()
    return compiled


class Indexing:
    """Indexes by name again and again. While the patterns hardly differ, an earlier automaton is kept.

    A pattern that is gone then has no forms, and those that came are found by a small automaton of their own.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[dict[str, int], bytes]] = {}

    def __call__(self, name: str, patterns: Patterns[Use]) -> Index[Use]:
        """The index of some patterns."""
        order, automaton = self._kept.get(name, ({}, b""))
        came = tuple(sorted(patterns.keys() - order.keys()))
        gone = len(order) + len(came) - len(patterns)
        if not automaton or len(came) + gone > MOST_CHANGES:
            index = index_anew(name, patterns)
            self._kept[name] = ({pattern: number for number, pattern in enumerate(patterns)}, index.automaton)
            return index
        uses = tuple(map(tuple, map(patterns.get, (*order, *came), repeat(()))))
        return Index(uses, automaton, len(order), build_automaton(came) if came else b"")
