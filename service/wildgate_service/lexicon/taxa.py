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
    names: dict[str, tuple[str, str]] = {}
    for line, row in _rows(root / "taxa.csv", TAXA_COLUMNS):
        if row["group"] not in GROUPS:
            raise LexiconError(f"unknown taxon group {row['group']!r}", file="taxa.csv", line=line)
        if row["taxon"] in names:
            raise LexiconError(f"taxon {row['taxon']} stands twice", file="taxa.csv", line=line)
        names[row["taxon"]] = (row["scientific_name"], row["group"])
    lists: dict[str, list[Listed]] = {taxon: [] for taxon in names}
    for line, row in _rows(root / "protection.csv", PROTECTION_COLUMNS):
        if row["taxon"] not in names:
            raise LexiconError(f"taxon {row['taxon']} is not in taxa.csv", file="protection.csv", line=line)
        lists[row["taxon"]].append(Listed(row["list"], row["appendix"], row["market"], row["valid_from"], row["valid_to"]))
    return {taxon: TaxonRow(*name, tuple(lists[taxon])) for taxon, name in names.items()}


def read_unions(root: Path) -> dict[str, tuple[str, ...]]:
    """Market → the unions whose lists hold there too. Raises LexiconError with file and line."""
    unions: dict[str, tuple[str, ...]] = {}
    for _, row in _rows(root / "unions.csv", ["union", "market", "source"]):
        unions[row["market"]] = (*unions.get(row["market"], ()), row["union"])
    return unions


def _rows(path: Path, columns: list[str]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != columns:
                raise LexiconError(f"columns must be {','.join(columns)}", file=path.name, line=1)
            return [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise LexiconError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise LexiconError(f"cannot be read: {error}", file=path.name, line=1) from error
