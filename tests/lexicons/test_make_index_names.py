"""The tool that writes index names, run as it is used, on an index of a few rows."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from wildgate_service.lexicon import read_rules
from wildgate_service.lexicon.rules import Rule

TOOL = Path(__file__).resolve().parents[2] / "tools/make_index_names.py"
RANKS = ["Kingdom", "Class", "Order", "Family", "FullName", "RankName"]
COLUMNS = [*RANKS, "CurrentListing", "EnglishNames", "SpanishNames", "FrenchNames", "SynonymsWithAuthors"]
INDEX = [
    ["Animalia", "Reptilia", "Testudines", "Testudinidae", "Malacochersus tornieri", "SPECIES", "II", "Pancake Tortoise, Crevice Tortoise"],
    ["Animalia", "Reptilia", "Testudines", "Trionychidae", "Apalone spinifera atra", "SUBSPECIES", "I", "Cuatro Cienegas Softshell"],
    ["Animalia", "Reptilia", "Serpentes", "Pythonidae", "Antaresia childreni", "SPECIES", "II", "Children's Python"],
    ["Animalia", "Reptilia", "Serpentes", "Pythonidae", "Python regius", "SPECIES", "II", "Ball Python, Royal Python"],
    ["Animalia", "Mammalia", "Carnivora", "Felidae", "Panthera tigris", "SPECIES", "I", "Tiger"],
    ["Animalia", "Mammalia", "Cetacea", "Balaenidae", "Balaena mysticetus", "SPECIES", "I", "Bowhead Whale"],
    ["Animalia", "Aves", "Psittaciformes", "Psittacidae", "Psittacula krameri", "SPECIES", "NC", "Ring-necked Parakeet"],
    ["Animalia", "Aves", "Apodiformes", "Trochilidae", "Abeillia abeillei", "SPECIES", "II", "Emerald-chinned Hummingbird"],
]
FORMER = {"Antaresia childreni": "Morelia childreni (Gray, 1842), Liasis childreni Gray, 1842"}
BY_HAND = "taxon,scientific_name,rank,group,common_name\nball_python,Python regius,species,snake_lizard,ball python\n"
RULE = """
- id: la-hand
  title: By hand
  status: test
  description: Detects by hand.
  language: la
  taxa: [ball_python]
  kind: species
  level: with_company
  entries:
    - form: python regius
      gloss: by hand
  falsepositives: []
  references: [unreviewed]
  visibility: public
  examples: {match: [], no_match: []}
  author: Wildgate
  reviewed_by: ""
  date: 2026-11-22
  modified: 2026-11-22
"""


@pytest.fixture(scope="module")
def lexicons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lexicon folder with one rule and one taxon by hand, after two runs of the tool."""
    root = tmp_path_factory.mktemp("lexicons")
    for language in ("la", "en", "es", "fr"):
        (root / "rules" / language).mkdir(parents=True)
    (root / "rules/la/hand.yml").write_text(RULE, encoding="utf-8")
    (root / "taxa.csv").write_text(BY_HAND, encoding="utf-8")
    protection = "taxon,list,appendix,market,valid_from,valid_to,source,note\nball_python,CITES,II,,,,by hand,kept\n"
    (root / "protection.csv").write_text(protection, encoding="utf-8")
    index = root / "index.csv"
    with index.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([*row, "", "", FORMER.get(row[4], "")] for row in INDEX)
    run(index, root)
    shutil.copytree(root, root.with_name("first"))
    run(index, root)
    return root


def run(index: Path, lexicons: Path) -> None:
    """The tool, as a person runs it."""
    subprocess.run([sys.executable, str(TOOL), "--index", str(index), "--lexicons", str(lexicons)], check=True, capture_output=True)


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(lexicons: Path, language: str) -> dict[str, Rule]:
    """Each form the tool wrote in a language, with its rule."""
    rules = [rule for rule in read_rules(lexicons) if rule.id.startswith(f"{language}-index-")]
    return {entry.form: rule for rule in rules for entry in rule.entries}


def listings(lexicons: Path, taxon: str) -> list[tuple[str, str, str]]:
    """(appendix, first day, last day) of a taxon's CITES rows."""
    rows = table(lexicons / "protection.csv")
    return [(row["appendix"], row["valid_from"], row["valid_to"]) for row in rows if (row["taxon"], row["list"]) == (taxon, "CITES")]


def test_a_second_run_changes_nothing(lexicons: Path) -> None:
    """The tool recognizes its own rows and rules."""
    first = lexicons.with_name("first")
    files = [file.relative_to(first) for file in first.rglob("*") if file.is_file()]
    assert [file for file in files if (first / file).read_bytes() != (lexicons / file).read_bytes()] == []


def test_rows_by_hand_are_kept(lexicons: Path) -> None:
    """What a person wrote of a taxon stands before what the index says of it."""
    rows = [row for row in table(lexicons / "protection.csv") if row["taxon"] == "ball_python"]
    assert [(row["source"], row["note"]) for row in rows] == [("by hand", "kept")]


def test_a_later_conference_closes_the_index_row(lexicons: Path) -> None:
    """The pancake tortoise moved to Appendix I in 2019."""
    assert listings(lexicons, "malacochersus_tornieri") == [("II", "", "2019-11-25"), ("I", "2019-11-26", "")]


def test_a_listing_of_a_genus_never_lowers_a_taxon(lexicons: Path) -> None:
    """All softshells of a genus came into Appendix II; the one in Appendix I stayed there."""
    assert listings(lexicons, "apalone_spinifera_atra") == [("I", "", "")]


def test_the_annex_follows_from_the_appendix_of_today(lexicons: Path) -> None:
    """Annex A is of Appendix I, and the row says that it was only derived."""
    rows = [row for row in table(lexicons / "protection.csv") if (row["taxon"], row["list"]) == ("malacochersus_tornieri", "EU")]
    assert [(row["appendix"], row["note"]) for row in rows] == [("A", "unreviewed; derived from the appendix")]


@pytest.mark.parametrize("taxon", ["psittacula_krameri", "abeillia_abeillei"])
def test_what_is_not_listed_or_not_traded_is_no_taxon(lexicons: Path, taxon: str) -> None:
    """The ring-necked parakeet is in no appendix, and nobody sells that hummingbird."""
    assert taxon not in {row["taxon"] for row in table(lexicons / "taxa.csv")}


def test_a_form_by_hand_is_not_written_again(lexicons: Path) -> None:
    """One form, one rule of a language."""
    assert "python regius" not in written(lexicons, "la")


def test_a_former_genus_is_a_form_and_the_first_of_all_is_not(lexicons: Path) -> None:
    """Author and year in parentheses tell a name of the trade from one of the museum."""
    forms = written(lexicons, "la")
    assert ("morelia childreni" in forms, "liasis childreni" in forms) == (True, False)


@pytest.mark.parametrize("form", ["tiger", "bowhead whale"])
def test_an_innocent_name_is_left_out(lexicons: Path, form: str) -> None:
    """A single common word, and an animal that is sold as pictures alone."""
    assert form not in written(lexicons, "en")


def test_a_name_of_several_words_needs_company(lexicons: Path) -> None:
    """An index name is usual in books and on prints too."""
    assert written(lexicons, "en")["pancake tortoise"].level == "with_company"


def test_the_shipped_rules_repeat_no_form_of_another_file(shipped_rules: tuple[Rule, ...]) -> None:
    """The rules by hand go first."""
    own = {(rule.language, entry.form) for rule in shipped_rules if "-index-" in rule.id for entry in rule.entries}
    by_hand = [rule for rule in shipped_rules if "-index-" not in rule.id and rule.kind == "species"]
    others = {(rule.language, entry.form) for rule in by_hand for entry in rule.entries}
    assert own & others == set()
