"""Shares with their sample sizes and bounds as rows of JSON, and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from wildgate_service.quality.rates import Rate, rate

Row = dict[str, Any]


def interval(count: int, of: int) -> Row:
    """K of n with its interval (`wildgate_service.quality.rates`)."""
    row: Row = msgspec.to_builtins(rate(count, of))
    return row


def shown(figure: Row) -> str:
    """An interval in a table: "12/30 40 % [25, 58]"."""
    return str(msgspec.convert(figure, Rate))


def print_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print(f"\n{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
