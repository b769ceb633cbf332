"""`taxa.csv` and `protection.csv`: what is traded, its group, and the lists that protect it."""

from __future__ import annotations

import csv
from pathlib import Path

from wildgate_service.errors import LexiconError
from wildgate_service.match.tables import Listed, TaxonRow

TAXA_COLUMNS = ["taxon", "scientific_name", "rank", "group", "common_name"]
PROTECTION_COLUMNS = ["taxon", "list", "appendix", "market", "valid_from", "valid_to", "source", "note"]
GROUPS = (
    "elephant",
    "mammoth",
    "rhino",
    "hippo",
    "pangolin",
    "big_cat",
    "bear",
    "primate",
    "small_carnivore",
    "antelope",
    "musk_deer",
    "vicuna",
    "ungulate_other",
    "marine_mammal",
    "mammal_other",
    "marine_turtle",
    "tortoise_turtle",
    "crocodilian",
    "snake_lizard",
    "reptile_other",
    "amphibian",
    "parrot",
    "songbird",
    "hornbill",
    "raptor",
    "bird_other",
    "shark_ray",
    "sturgeon",
    "eel",
    "seahorse",
    "fish_other",
    "sea_cucumber",
    "coral",
    "giant_clam",
    "invertebrate_other",
    "orchid",
    "cactus_succulent",
    "timber",
    "agarwood",
    "plant_other",
)


def read_taxa(root: Path) -> dict[str, TaxonRow]:
    """Every taxon of a lexicon folder with its lists. Raises LexiconError with file and line."""
    lists: dict[str, list[Listed]] = {}
    for line, row in _rows(root / "protection.csv", PROTECTION_COLUMNS):
        listed = Listed(row["list"], row["appendix"], row["market"], row["valid_from"], row["valid_to"])
        lists.setdefault(row["taxon"], []).append(listed)
        _ = line
    taxa: dict[str, TaxonRow] = {}
    for line, row in _rows(root / "taxa.csv", TAXA_COLUMNS):
        if row["group"] not in GROUPS:
            raise LexiconError(f"unknown taxon group {row['group']!r}", file="taxa.csv", line=line)
        if row["taxon"] in taxa:
            raise LexiconError(f"taxon {row['taxon']} stands twice", file="taxa.csv", line=line)
        taxa[row["taxon"]] = TaxonRow(row["scientific_name"], row["group"], tuple(lists.pop(row["taxon"], ())))
    if lists:
        raise LexiconError(f"taxa that taxa.csv does not have: {', '.join(sorted(lists))}", file="protection.csv")
    return taxa


def _rows(path: Path, columns: list[str]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != columns:
                raise LexiconError(f"columns must be {','.join(columns)}", file=path.name, line=1)
            return [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise LexiconError(f"cannot be read: {error.strerror}", file=str(path)) from error
