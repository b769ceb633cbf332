"""Which species of the index are in trade, and their rows in `taxa.csv`."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from index_names.decisions import Decisions, Species, narrowest, read_rows, write_rows

COLUMNS = ["taxon", "scientific_name", "rank", "group", "common_name"]
LANGUAGES = {"en": "EnglishNames", "es": "SpanishNames", "fr": "FrenchNames"}
RANKS = {"SPECIES": "species", "SUBSPECIES": "subspecies"}
RECOMBINED = re.compile(r"([A-Z][a-z]+) ([a-z-]+) \(")  # authors in parentheses: not the first genus, but one the species was moved to
LONGEST_STEM = 3  # letters of an epithet's ending that change with the gender of the genus
SUBSPECIES_WORDS = 3


def select_species(index: Path, decisions: Decisions) -> list[Species]:
    """The species in trade and all Appendix I animals and plants, by scientific name."""
    indexed = {row["FullName"]: _of_index(row, decisions) for row in _index_rows(index) if _is_selected(row, decisions)}
    extra = {row["scientific_name"]: _of_extra(row, decisions) for row in decisions.extra if row["scientific_name"] not in indexed}
    return [*sorted(indexed.values(), key=lambda each: each.name), *extra.values()]


def write_taxa(species: list[Species], lexicons: Path, decisions: Decisions) -> list[Species]:
    """Add the species to `taxa.csv`, after the rows that are written by hand; returns them with the keys they have there."""
    by_hand = [row for row in read_rows(lexicons / "taxa.csv") if not is_own(row["taxon"], row["scientific_name"], decisions)]
    known = {row["scientific_name"]: row["taxon"] for row in by_hand}
    renamed = decisions.table["renamed"]
    keyed = [replace(each, key=known.get(renamed.get(each.name, each.name), each.key)) for each in species]
    new = [each for each in keyed if each.key not in known.values()]
    rows = [
        {
            "taxon": each.key,
            "scientific_name": each.name,
            "rank": each.rank,
            "group": each.group,
            "common_name": next(iter(each.names["en"]), ""),
        }
        for each in new
    ]
    write_rows(lexicons / "taxa.csv", COLUMNS, by_hand + rows)
    return keyed


def is_own(key: str, name: str, decisions: Decisions) -> bool:
    """Whether a taxon's rows are written by this tool."""
    return (" " in name and key == snake(name)) or decisions.table["keys"].get(name) == key


def snake(name: str) -> str:
    """A scientific name as a key."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _index_rows(path: Path) -> Iterator[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        yield from ({column: value.strip() for column, value in row.items()} for row in csv.DictReader(file))


def _places(row: dict[str, str]) -> tuple[str, ...]:
    words = row["FullName"].split(" ")
    species = (" ".join(words[:2]),) if len(words) == SUBSPECIES_WORDS else ()
    return (row["FullName"], *species, words[0], row["Family"], row["Order"], row["Class"], row["Kingdom"])


def _is_selected(row: dict[str, str], decisions: Decisions) -> bool:
    appendix = _appendix(row)
    if row["RankName"] not in RANKS or not appendix:
        return False
    first = "I" in appendix.split("/")
    if row["RankName"] == "SUBSPECIES":
        return first and row["Kingdom"] == "Animalia"
    selected = decisions.table["selected"]
    places = _places(row)
    if set(places) & set(selected["left_out"]) and row["FullName"] not in selected["species"]:
        return False
    third = appendix == "III" and row["Class"] in {"Aves", "Mammalia", "Insecta"} and row["Order"] not in {"Carnivora", "Pilosa"}
    return first or row["FullName"] in selected["species"] or (bool(set(places) & set(selected["in_trade"])) and not third)


def _appendix(row: dict[str, str]) -> str:
    return "/".join(part for part in row["CurrentListing"].split("/") if part and part != "NC")


def _of_index(row: dict[str, str], decisions: Decisions) -> Species:
    name, places = row["FullName"], _places(row)
    return Species(
        key=decisions.table["keys"].get(name, snake(name)),
        name=name,
        rank=RANKS[row["RankName"]],
        group=narrowest(places, decisions.table["groups"]),
        places=places,
        appendix=_appendix(row),
        names={language: _split(row[column]) for language, column in LANGUAGES.items()},
        former=_former(name, row["SynonymsWithAuthors"]),
        in_index=True,
    )


def _of_extra(row: dict[str, str], decisions: Decisions) -> Species:
    name = row["scientific_name"]
    places = (name, name.split(" ")[0], row["family"], row["order"], row["class"], row["kingdom"])
    return Species(
        key=decisions.table["keys"].get(name, snake(name)),
        name=name,
        rank="species",
        group=narrowest(places, decisions.table["groups"]),
        places=tuple(place for place in places if place),
        appendix="",
        names={language: _split(row[column]) for language, column in (("en", "english"), ("es", "spanish"), ("fr", "french"))},
        former=_split(row["former"]),
        in_index=False,
    )


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


def _former(name: str, synonyms: str) -> tuple[str, ...]:
    """Former binomials of the same epithet, whatever its gender: the names under which a species that changed its genus is still sold."""
    genus, epithet = name.split(" ")[:2]
    stem = epithet[:-LONGEST_STEM] if len(epithet) > 2 * LONGEST_STEM else epithet[:LONGEST_STEM]
    found = (RECOMBINED.match(synonym.strip()) for synonym in synonyms.split(","))
    return tuple(dict.fromkeys(f"{each[1]} {each[2]}" for each in found if each and each[1] != genus and each[2].startswith(stem)))
