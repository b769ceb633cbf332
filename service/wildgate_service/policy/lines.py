"""On which line of a TOML file each key stands: tomllib reads the values and says nothing of lines."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

Path = tuple[str, ...]


def lines_of_keys(text: str) -> dict[Path, int]:
    r"""Path of every table and key in sound TOML → its line, from 1.

    >>> lines_of_keys('[groups]\nbear.block = 0.8')
    {('groups',): 1, ('groups', 'bear'): 2, ('groups', 'bear', 'block'): 2}
    """
    lines: dict[Path, int] = {}
    table: Path = ()
    for number, content, is_table in _statements(text):
        paths = [(*(() if is_table else table), *path) for path in _paths(content)]
        if is_table and paths:
            table = paths[-1]
        for path in paths:
            lines.setdefault(path, number)
    return lines


def line_of(path: Path, lines: dict[Path, int]) -> int:
    """The line of a path, or of the nearest table around it that the file has; 1 if there is none."""
    return next((lines[path[:count]] for count in range(len(path), 0, -1) if path[:count] in lines), 1)


def _statements(text: str) -> Iterator[tuple[int, dict[str, Any], bool]]:
    """(first line, what it says by itself, whether it opens a table) of each statement; one may go over several lines."""
    pending: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        pending.append(line)
        try:
            content = tomllib.loads("\n".join(pending))
        except tomllib.TOMLDecodeError:
            continue  # a text or list that goes on
        yield number - len(pending) + 1, content, pending[0].lstrip().startswith("[")
        pending = []


def _paths(content: dict[str, Any], above: Path = ()) -> Iterator[Path]:
    """The path of everything said, the innermost last."""
    for key, value in content.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _paths(value, (*above, key))
