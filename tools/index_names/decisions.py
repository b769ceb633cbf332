"""The hand decisions as they are read: names to classes, by the narrowest selector."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Species:
    """A species or subspecies of the index. `places` are its names from the narrowest to the widest: itself, its genus … kingdom."""

    key: str
    name: str
    rank: str
    group: str
    places: tuple[str, ...]
    appendix: str
    names: Mapping[str, tuple[str, ...]]  # language → common names
    former: tuple[str, ...]
    in_index: bool


@dataclass(frozen=True)
class Change:
    """What a conference changed: `name`, of any rank, stands in `appendix` from an ISO date."""

    name: str
    appendix: str
    valid_from: str
    source: str
    note: str


@dataclass(frozen=True)
class Decisions:
    """`decisions.toml`, `extra.csv`, `changes.csv` and `national.toml`."""

    table: Mapping[str, Any]
    extra: tuple[dict[str, str], ...]
    changes: tuple[Change, ...]
    national: tuple[dict[str, Any], ...]


def read_decisions(folder: Path) -> Decisions:
    """The decisions in a folder."""
    return Decisions(
        table=tomllib.loads((folder / "decisions.toml").read_text(encoding="utf-8")),
        extra=tuple(read_rows(folder / "extra.csv")),
        changes=tuple(Change(**row) for row in read_rows(folder / "changes.csv")),
        national=tuple(tomllib.loads((folder / "national.toml").read_text(encoding="utf-8"))["lists"]),
    )


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    """Write a CSV with these columns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def narrowest(places: tuple[str, ...], table: Mapping[str, str]) -> str:
    """What a table says of the narrowest of some places; "" if of none."""
    return next((table[place] for place in places if place in table), "")
