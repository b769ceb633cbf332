"""What finds patterns: an automaton, and where patterns came in while the service ran a second one of those alone."""

from __future__ import annotations

from typing import Any

import daachorse

Found = list[tuple[int, int, int]]


class Extended:
    """Two automata that answer as one. The patterns of the second are numbered from `first`.

    Building an automaton of 140,000 patterns takes half a second, which an analyst who changed one form should not have to wait for.
    """

    def __init__(self, main: Any, first: int, added: Any) -> None:  # noqa: ANN401  (daachorse has no types)
        self._main = main
        self._first = first
        self._added = added

    def find_overlapping(self, text: str) -> Found:
        """(start, end, pattern) of every occurrence, overlapping ones too."""
        first = self._first
        return [
            *self._main.find_overlapping(text),
            *((start, end, first + number) for start, end, number in self._added.find_overlapping(text)),
        ]


def open_automaton(main: bytes, first: int = 0, added: bytes = b"") -> Any:  # noqa: ANN401  (daachorse has no types)
    """An automaton from its serialized form, with a second one unless `added` is empty."""
    automaton = daachorse.CharwiseDoubleArrayAhoCorasick.deserialize(main)
    return Extended(automaton, first, daachorse.CharwiseDoubleArrayAhoCorasick.deserialize(added)) if added else automaton
