"""The tables of taxa and protection: what is refused, and which lists hold where and when."""

import pytest
from wildgate_service.errors import LexiconError
from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.rules import Rule
from wildgate_service.lexicon.taxa import read_taxa, taxa_of
from wildgate_service.match.tables import Listed, TaxonRow, lists_in_force

TAXA = "taxon,scientific_name,rank,group,common_name\n"
PROTECTION = "taxon,list,appendix,market,valid_from,valid_to,source,note\n"
OTTER = "otter,Lutra lutra,species,small_carnivore,otter\n"
IN_CITES = Listed("CITES", "I", "", "2019-11-26", "")
IN_CITES_BEFORE = Listed("CITES", "II", "", "", "2019-11-25")
IN_THE_UNION = Listed("EU", "A", "EU", "", "")
IN_CHINA = Listed("National Key Protected Wild Animals", "II", "CN", "", "")
ROW = TaxonRow("Lutra lutra", "small_carnivore", (IN_CHINA, IN_THE_UNION, IN_CITES_BEFORE, IN_CITES))


@pytest.mark.parametrize(
    ("taxa", "protection", "message"),
    [
        (OTTER + "loutre,Lutra lutra,species,small_carnivore,otter\n", "", "taxa.csv:3: Lutra lutra is taxon otter already; keep that key"),
        (OTTER + OTTER, "", "taxa.csv:3: taxon otter stands twice"),
        (OTTER, "otter,CITES,I,,2019-13-01,,source,\n", "protection.csv:2: valid_from '2019-13-01' is no date; write YYYY-MM-DD"),
        (OTTER, "otter,CITES,I,,20191126,,source,\n", "protection.csv:2: valid_from '20191126' is no date; write YYYY-MM-DD"),
        (
            OTTER,
            "otter,CITES,I,,2020-01-02,2020-01-01,source,\n",
            "protection.csv:2: otter leaves CITES on 2020-01-01, before it enters on 2020-01-02",
        ),
        (
            OTTER,
            "otter,CITES,I,,2020-01-01,,source,\notter,CITES,II,,,2020-01-01,source,\n",
            "protection.csv:2: otter stands twice on CITES from 2020-01-01; close the earlier row the day before",
        ),
        (
            OTTER,
            "otter,EU,A,EU,,,source,\notter,EU,B,EU,,,source,\n",
            "protection.csv:3: otter stands twice on EU of EU from the beginning; close the earlier row the day before",
        ),
    ],
)
def test_a_broken_table_is_refused_with_its_place(taxa: str, protection: str, message: str) -> None:
    """Whoever edits the tables learns the line and what to do."""
    with pytest.raises(LexiconError) as error:
        taxa_of(TAXA + taxa, PROTECTION + protection)
    assert str(error.value) == message


def test_one_listing_may_follow_another() -> None:
    """A row closed on the day before the next begins is a transfer between appendices."""
    protection = "otter,CITES,II,,,2019-11-25,source,\notter,CITES,I,,2019-11-26,,source,\n"
    assert taxa_of(TAXA + OTTER, PROTECTION + protection)["otter"].lists == (IN_CITES_BEFORE, IN_CITES)


@pytest.mark.parametrize(
    ("places", "day", "lists"),
    [
        ({""}, "2019-11-25", (IN_CITES_BEFORE,)),
        ({""}, "2019-11-26", (IN_CITES,)),
        ({"", "DE", "EU"}, "2026-01-01", (IN_CITES, IN_THE_UNION)),
        ({"", "CN"}, "2026-01-01", (IN_CITES, IN_CHINA)),
        (set(), "2026-01-01", ()),
    ],
)
def test_lists_in_force_heed_market_and_day(places: set[str], day: str, lists: tuple[Listed, ...]) -> None:
    """Of all lists only those that hold there on that day, CITES first."""
    assert lists_in_force(ROW, places, day) == lists


def test_every_taxon_of_every_rule_exists(shipped_rules: tuple[Rule, ...]) -> None:
    """Rules and their entries name taxa of the table alone."""
    taxa = read_taxa(default_lexicons())
    named = {taxon for rule in shipped_rules for taxon in (*rule.taxa, *(taxon for entry in rule.entries for taxon in entry.taxa))}
    assert named - set(taxa) == set()


def test_every_scientific_name_in_a_rule_names_its_own_taxa(shipped_rules: tuple[Rule, ...]) -> None:
    """A reader of "Manis crassicaudata" is told of that pangolin, not of all that its rule knows."""
    rules = [rule for rule in shipped_rules if rule.language == "la"]
    assert [entry.form for rule in rules for entry in rule.entries if not entry.taxa] == []


@pytest.mark.parametrize(
    ("form", "taxon"),
    [
        ("geochelone sulcata", "sulcata_tortoise"),
        ("testudo hermanni", "hermann_tortoise"),
        ("mobula birostris", "manta_birostris"),
        ("boa imperator", "boa_constrictor"),
        ("gonopterodendron sarmientoi", "bulnesia_sarmientoi"),
    ],
)
def test_a_former_name_names_the_same_taxon(shipped_rules: tuple[Rule, ...], form: str, taxon: str) -> None:
    """Sellers write the name that they learned."""
    rules = [rule for rule in shipped_rules if rule.language == "la"]
    assert [entry.taxa for rule in rules for entry in rule.entries if entry.form == form] == [(taxon,)]
