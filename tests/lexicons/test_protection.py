"""The protection table: what is listed where, from when until when."""

import csv
import datetime as dt
import itertools
from pathlib import Path

import pytest

LEXICONS = Path(__file__).resolve().parents[2] / "lexicons"
COLUMNS = ["taxon", "list", "appendix", "market", "valid_from", "valid_to", "source", "note"]
UNLISTED = {
    "mammoth",
    "sandfish",
    "greater_green_leafbird",
    "oriental_magpie_robin",
    "goldfinch",
    "saffron_finch",
}
COP20 = "2026-03-05"  # the day the changes of the twentieth conference enter into force

Row = dict[str, str]


def read(name: str) -> list[Row]:
    """All rows of a lexicon table, in file order."""
    with (LEXICONS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """The protection table."""
    return read("protection.csv")


@pytest.fixture(scope="module")
def taxa() -> set[str]:
    """The keys of the taxa table."""
    return {row["taxon"] for row in read("taxa.csv")}


def cites(rows: list[Row], taxon: str, day: str) -> list[str]:
    """Appendices of the CITES rows of a taxon that are valid on an ISO day."""
    return [
        row["appendix"]
        for row in rows
        if row["taxon"] == taxon and row["list"] == "CITES" and (row["valid_from"] or day) <= day <= (row["valid_to"] or day)
    ]


def test_columns_are_the_documented_ones(rows: list[Row]) -> None:
    """The header is the contract of everybody who reads the table."""
    assert list(rows[0]) == COLUMNS


def test_every_taxon_is_known(rows: list[Row], taxa: set[str]) -> None:
    """A row about a taxon that taxa.csv does not have protects nothing."""
    assert {row["taxon"] for row in rows} - taxa == set()


def test_every_taxon_but_the_unlisted_has_a_cites_row(rows: list[Row], taxa: set[str]) -> None:
    """Only what CITES truly leaves out may lack a CITES row."""
    listed = {row["taxon"] for row in rows if row["list"] == "CITES"}
    assert taxa - listed == UNLISTED & taxa


def test_every_row_names_its_source(rows: list[Row]) -> None:
    """A listing nobody can look up is a rumor."""
    assert [row for row in rows if not row["source"]] == []


def test_cites_holds_in_every_market(rows: list[Row]) -> None:
    """CITES rows carry no market, and all other rows carry one."""
    assert [row for row in rows if (row["list"] == "CITES") != (row["market"] == "")] == []


def test_appendices_are_those_of_their_list(rows: list[Row]) -> None:
    """CITES counts in I to III and the European Union in A to D, joined by slashes."""
    classes = {"CITES": {"I", "II", "III"}, "EU": {"A", "B", "C", "D"}}
    wrong = [row for row in rows if row["list"] in classes and not set(row["appendix"].split("/")) <= classes[row["list"]]]
    assert wrong == []


def test_dates_are_iso_and_in_order(rows: list[Row]) -> None:
    """An empty date is open; the last day a row is valid never precedes its first."""
    for row in rows:
        days = [dt.date.fromisoformat(row[key] or "2000-01-01") for key in COLUMNS[4:6]]
        assert not row["valid_to"] or days[0] <= days[1], row


def test_periods_of_one_listing_do_not_overlap(rows: list[Row]) -> None:
    """On any day a taxon stands in one place of one list of one market."""

    def place(row: Row) -> tuple[str, str, str]:
        return row["taxon"], row["list"], row["market"]

    def start(row: Row) -> tuple[tuple[str, str, str], str]:
        return place(row), row["valid_from"]

    for one, after in itertools.pairwise(sorted(rows, key=start)):
        if place(one) == place(after):
            assert one["valid_to"], one
            assert one["valid_to"] < after["valid_from"], after


def test_national_rows_stay_unreviewed(rows: list[Row]) -> None:
    """No national or EU row was checked against its gazette yet, and each one says so."""
    assert [row for row in rows if row["list"] != "CITES" and not row["note"].startswith("unreviewed")] == []


def test_what_the_latest_conference_changed_stays_unreviewed(rows: list[Row]) -> None:
    """The twentieth conference's appendices were written from memory, and each row says so."""
    assert [row for row in rows if row["valid_from"] == COP20 and not row["note"].startswith("unreviewed")] == []


def test_a_taxon_on_no_list_says_so_in_its_name(rows: list[Row]) -> None:
    """Mammoth covers for elephant; whoever reads its row must learn that nothing protects it."""
    listed = {row["taxon"] for row in rows}
    unlisted = [row for row in read("taxa.csv") if row["taxon"] not in listed]
    assert [row["taxon"] for row in unlisted if "not listed" not in row["common_name"]] == []


def test_every_listing_names_an_appendix(rows: list[Row]) -> None:
    """A row without an appendix or class says nothing that a reader could show."""
    assert [row for row in rows if not row["appendix"]] == []


@pytest.mark.parametrize(
    ("taxon", "day", "appendix"),
    [
        ("tiger", "2020-01-01", "I"),
        ("sunda_pangolin", "2020-01-01", "I"),
        ("hippo", "2020-01-01", "II"),
        ("walrus", "2020-01-01", "III"),
        ("african_elephant", "2020-01-01", "I/II"),
        ("indian_star_tortoise", "2019-11-25", "II"),
        ("indian_star_tortoise", "2019-11-26", "I"),
        ("asian_small_clawed_otter", "2019-11-26", "I"),
        ("giraffe", "2019-11-26", "II"),
        ("tokay_gecko", "2019-11-26", "II"),
        ("straw_headed_bulbul", "2023-02-22", "II"),
        ("straw_headed_bulbul", "2023-02-23", "I"),
        ("white_rumped_shama", "2023-02-23", "II"),
        ("requiem_shark", "2023-11-25", "II"),
        ("ipe", "2024-11-25", "II"),
        ("brazilian_rosewood", COP20, "I"),
        ("whale_shark", COP20, "I"),
        ("indian_rhino", "2020-01-01", "I"),
        ("smooth_coated_otter", "2019-11-25", "II"),
        ("smooth_coated_otter", "2019-11-26", "I"),
        ("malacochersus_tornieri", "2019-11-26", "I"),
        ("poecilotheria_metallica", "2019-11-26", "II"),
        ("holothuria_whitmaei", "2020-08-28", "II"),
        ("cedrela_odorata", "2020-08-27", "III"),
        ("cedrela_odorata", "2020-08-28", "II"),
        ("kinosternon_vogti", "2023-02-23", "I"),
        ("kinosternon_baurii", "2023-02-23", "II"),
        ("prionace_glauca", "2023-11-25", "II"),
        ("thelenota_ananas", "2024-05-25", "II"),
        ("apalone_spinifera_atra", "2023-02-23", "I"),
        ("carcharhinus_longimanus", COP20, "I"),
        ("okapi", COP20, "I"),
    ],
)
def test_known_listings(rows: list[Row], taxon: str, day: str, appendix: str) -> None:
    """Listings that anybody in the field knows by heart, on the days they changed."""
    assert cites(rows, taxon, day) == [appendix]


@pytest.mark.parametrize(
    ("taxon", "day"),
    [
        ("giraffe", "2019-11-25"),
        ("ipe", "2024-11-24"),
        ("prionace_glauca", "2023-11-24"),
        ("thelenota_ananas", "2024-05-24"),
        ("okapi", "2026-03-04"),
    ],
)
def test_not_yet_listed(rows: list[Row], taxon: str, day: str) -> None:
    """Before its listing took effect a taxon was free."""
    assert cites(rows, taxon, day) == []


def test_mammoth_is_on_no_list(rows: list[Row]) -> None:
    """Mammoth is extinct and unprotected, however often it covers for elephant."""
    assert [row for row in rows if row["taxon"] == "mammoth"] == []
