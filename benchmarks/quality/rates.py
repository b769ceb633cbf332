"""Shares with their sample sizes and bounds, and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from wildgate_service.report import make_share

Row = dict[str, Any]


def interval(count: int, of: int) -> Row:
    """K of n with the two-sided 95 % interval of Wilson (1927); the share is None where there is nothing to count."""
    wilson = make_share("", count, of)
    share = round(count / of, 4) if of else None
    return {"k": count, "n": of, "share": share, "lower": round(wilson.lower, 4), "upper": round(wilson.upper, 4)}


def shown(figure: Row) -> str:
    """An interval in a table: "12/30 40 % [25, 58]"."""
    if not figure["n"]:
        return "-"
    return f"{figure['k']}/{figure['n']} {figure['share']:.0%} [{100 * figure['lower']:.0f}, {100 * figure['upper']:.0f}]"


def print_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print(f"\n{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
