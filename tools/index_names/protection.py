"""The rows of `protection.csv` of the species that the tool owns: the index's appendix, what changed it, the EU's annex, national lists."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from index_names.decisions import Change, Decisions, Species, read_rows, write_rows
from index_names.species import is_own

COLUMNS = ["taxon", "list", "appendix", "market", "valid_from", "valid_to", "source", "note"]
ANNEXES = {"I": "A", "II": "B", "III": "C"}
UNREVIEWED = "unreviewed"
DERIVED = "unreviewed; derived from the appendix"
Row = dict[str, str]


def write_protection(species: list[Species], lexicons: Path, decisions: Decisions) -> int:
    """Write the table, in the order of `taxa.csv`, keeping the rows of taxa kept by hand; returns the number of rows."""
    names = {row["taxon"]: row["scientific_name"] for row in read_rows(lexicons / "taxa.csv")}
    own = {each.key: each for each in species if is_own(each.key, each.name, decisions)}
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in read_rows(lexicons / "protection.csv"):
        if row["taxon"] in names and row["taxon"] not in own:
            rows[row["taxon"]].append(row)
    for key, each in own.items():
        rows[key] = list(_rows(each, decisions))
    ordered = [row for key in names for row in rows[key]]
    write_rows(lexicons / "protection.csv", COLUMNS, ordered)
    return len(ordered)


def _rows(each: Species, decisions: Decisions) -> Iterator[Row]:
    listings = list(_listings(each, decisions))
    yield from listings
    yield _annex(each, listings[-1]["appendix"], decisions)
    yield from _national(each, decisions)


def _annex(each: Species, appendix: str, decisions: Decisions) -> Row:
    """The EU's row: Annex A for what the decisions say, else the annex that follows from the appendix of today."""
    source = decisions.table["source"]["annexes"]
    if set(each.places) & set(decisions.table["eu_annex_a"]["names"]):
        return _row(each, "EU", "A", "EU", source, UNREVIEWED)
    return _row(each, "EU", "/".join(ANNEXES[part] for part in appendix.split("/")), "EU", source, DERIVED)


def _listings(each: Species, decisions: Decisions) -> Iterator[Row]:
    """CITES rows, each closed on the day before the next. Raises ValueError if there are none."""
    source = decisions.table["source"]["index"]
    steps = [Change(each.name, each.appendix, "", source, "")] if each.appendix else []
    for change in _changes(each, decisions):
        widely = change.name not in each.places[:1]
        if not steps or (change.appendix != steps[-1].appendix and not (widely and steps[-1].appendix == "I")):
            steps.append(change)
    if not steps:
        message = f"{each.name} of extra.csv is in no appendix; give it, its genus or its family a row in changes.csv"
        raise ValueError(message)
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        row = _row(each, "CITES", step.appendix, "", step.source, step.note)
        yield row | {"valid_from": step.valid_from, "valid_to": _day_before(after.valid_from) if after else ""}


def _changes(each: Species, decisions: Decisions) -> list[Change]:
    """The changes that concern a species, one a day: the narrowest."""
    by_day: dict[str, Change] = {}
    for change in sorted(decisions.changes, key=lambda change: -_width(each, change)):
        if change.name in each.places:
            by_day[change.valid_from] = change
    return [by_day[day] for day in sorted(by_day)]


def _width(each: Species, change: Change) -> int:
    return each.places.index(change.name) if change.name in each.places else 0


def _day_before(day: str) -> str:
    return (dt.date.fromisoformat(day) - dt.timedelta(days=1)).isoformat()


def _national(each: Species, decisions: Decisions) -> Iterator[Row]:
    """One row a list, of the class that names the species most narrowly."""
    found: dict[tuple[str, str], tuple[int, Row]] = {}
    for table in decisions.national:
        for appendix, names in table["classes"].items():
            widths = [each.places.index(name) for name in names if name in each.places]
            place = table["list"], table["market"]
            if widths and (place not in found or min(widths) < found[place][0]):
                found[place] = min(widths), _row(each, table["list"], appendix, table["market"], table["source"], UNREVIEWED)
    yield from (row for _, row in found.values())


def _row(each: Species, listing: str, appendix: str, market: str, source: str, note: str) -> Row:
    return {
        "taxon": each.key,
        "list": listing,
        "appendix": appendix,
        "market": market,
        "valid_from": "",
        "valid_to": "",
        "source": source,
        "note": note,
    }
