"""Write scientific and index names, their taxa and their protection from the CITES index and a few hand decisions.

    python tools/make_index_names.py --index cites_2017.csv.gz

Reads the Checklist of CITES Species (UNEP-WCMC and the CITES Secretariat; a CSV with TaxonId, Class, Order, Family, FullName, RankName,
CurrentListing, EnglishNames, SpanishNames, FrenchNames, SynonymsWithAuthors) and, beside this file in `index_names/`:

- `decisions.toml`: which species are in trade, their groups, keys and levels, and what is no name at all
- `extra.csv`: species listed since the index was exported
- `changes.csv`: what later conferences changed, by species, genus or family
- `national.toml`: national lists

Writes `rules/{la,en,es,fr}/index_names.yml` and the rows of `taxa.csv` and `protection.csv` that are its own: those of taxa whose key is
the scientific name in snake case or stands in `[keys]`. All other rows are written by hand and kept. Running it twice changes nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from index_names.decisions import read_decisions
from index_names.names import common_name_entries, scientific_entries
from index_names.protection import write_protection
from index_names.rules import known_forms, write_rules
from index_names.species import select_species, write_taxa

FOLDER = Path(__file__).parent


def main() -> None:
    """Write all files and say how much is in each."""
    parser = argparse.ArgumentParser(description="Write index names from the CITES index.")
    parser.add_argument("--index", type=Path, required=True, help="CSV of the Checklist of CITES Species, gzipped or not")
    parser.add_argument("--lexicons", type=Path, default=FOLDER.parent / "lexicons")
    arguments = parser.parse_args()
    decisions = read_decisions(FOLDER / "index_names")
    species = write_taxa(select_species(arguments.index, decisions), arguments.lexicons, decisions)
    rows = write_protection(species, arguments.lexicons, decisions)
    print(f"taxa: {len(species)} species; protection: {rows} rows")
    for language in ("la", "en", "es", "fr"):
        known = known_forms(arguments.lexicons, language)
        entries = (
            scientific_entries(species, decisions, known) if language == "la" else common_name_entries(species, decisions, known, language)
        )
        print(f"{language}: {write_rules(entries, arguments.lexicons, language, decisions)} forms")


if __name__ == "__main__":
    main()
