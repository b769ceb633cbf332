"""A fresh result beside a committed one, figure by figure: rows are matched by what they say of themselves, rounds by their medians."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

DIMENSIONS = frozenset({"characters", "tokens", "forms", "connections", "texts"})  # numbers that say what a row is of
UNJUDGED = ("share", "calls", "disk_mib", "listings", "texts", "asked_per_second", "found", "forms")
RATE = "per_second"


def figures(rows: object, path: str = "") -> dict[str, float]:
    """Every measured figure of the rows as a cost, by its path; rates are turned over."""
    return dict(_walk(rows, path))


def _walk(node: object, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(node, Mapping):
        label = " ".join([path, *(str(value) for key, value in node.items() if _labels(key, value))]).strip()
        for key, value in node.items():
            if isinstance(value, Mapping | list):
                yield from _walk(value, f"{label} {key}".strip())
            elif _is_figure(key, value):
                yield f"{label} {key}", 1 / value if key.endswith(RATE) else float(value)
    elif isinstance(node, list):
        yield from _walk_list(node, path)


def _walk_list(rows: list[Any], path: str) -> Iterator[tuple[str, float]]:
    """Rows that say what they are each for itself; rounds, which only have figures, by their medians."""
    if rows and all(isinstance(row, Mapping) and not any(_labels(*item) for item in row.items()) for row in rows):
        keys = [key for key, value in rows[0].items() if not isinstance(value, Mapping | list)]
        yield from _walk({key: statistics.median(row[key] for row in rows) for key in keys}, path)
        return
    for row in rows:
        yield from _walk(row, path)


def _labels(key: str, value: object) -> bool:
    return isinstance(value, str) or key in DIMENSIONS


def _is_figure(key: str, value: object) -> bool:
    measured = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return measured and key not in DIMENSIONS and not key.endswith(UNJUDGED)


def paired(fresh: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, float]:
    """Fresh ÷ committed of every cost that both have."""
    ones, others = figures(old.get("rows", [])), figures(fresh.get("rows", []))
    return {name: others[name] / ones[name] for name in ones if name in others}


def differences(fresh: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """What the two were measured on, where it is not the same."""
    one, other = old["machine"], fresh["machine"]
    said = [f"{key}: {one[key]} → {other[key]}" for key in ("processor", "cores", "python") if one[key] != other[key]]
    packages = one["packages"]
    return said + [f"{name}: {packages.get(name)} → {now}" for name, now in other["packages"].items() if packages.get(name) != now]
