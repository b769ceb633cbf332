"""What bookings say of themselves, and which patterns hold for them."""

from __future__ import annotations

import pytest
from wildgate_service.cargo import booking_of, load_tables, patterns_of
from wildgate_service.cargo.booking import number_of
from wildgate_service.cargo.checks import CHECKS
from wildgate_service.cargo.columns import known_headers
from wildgate_service.cargo.tables import shipping_terms
from wildgate_service.pipeline import score_listing
from wildgate_service.types import Action, Attribute, ContentKind, Evidence, Listing

TABLES = load_tables()


def booking(goods: str, **attributes: str) -> Listing:
    """A booking with the attributes that scorers read."""
    told = tuple(Attribute(name, value) for name, value in attributes.items())
    return Listing(description=goods, attributes=told, content_kind=ContentKind.CARGO_BOOKING)


def read(goods: str, **attributes: str):
    return booking_of(booking(goods, **attributes), TABLES)


def holding(goods: str, **attributes: str) -> list[str]:
    """Ids of the patterns that hold."""
    return [pattern.id for pattern in patterns_of(read(goods, **attributes), TABLES.patterns)]


@pytest.mark.parametrize(
    ("goods", "expected"),
    [
        ("1X20GP STC 250 BGS RAW CASHEW NUTS N.O.S.", [("nuts", "raw cashew")]),
        ("S.L.A.C. 12 PKGS NOIX DE CAJOU/ANACARDES", [("nuts", "noix de cajou")]),
        ("GARMENTS IN PLASTIC BAGS ON WOODEN PALLETS", [("household", "garments")]),
        ("DRIED FISH MAW 20 BGS, SCALES 15 BGS", [("fish_maw", "dried fish maw"), ("scales", "scales")]),
        ("WEIGHING SCALES AND STEAM VALVES", [("machinery", "weighing scales")]),
        ("GREEN COFFEE BEANS", [("coffee_tea", "green coffee beans")]),
        ("腰果 250包", [("nuts", "腰果")]),
        ("PETROLEUM JELLY", []),
    ],
)
def test_goods_are_read_and_what_they_are_packed_in_is_not(goods, expected):
    """Abbreviations of shipping neither hide goods nor are any."""
    assert list(read(goods).goods) == expected


def test_no_abbreviation_of_shipping_is_goods():
    """But that of freight of all kinds, which says that goods are not said."""
    assert {term for term in shipping_terms() if read(term.upper()).goods} == {"fak", "f.a.k."}


def test_no_abbreviation_of_shipping_is_wildlife(engine):
    """Manifests of nothing but clauses and counts are let through without a match."""
    terms = " ".join(f"12 {term.upper()}" for term in shipping_terms())
    decision = score_listing(engine, booking(f"{terms} 1X20GP 2X40HC H.S. 0801.31.00"))
    assert (decision.action, decision.taxa) == (Action.ALLOW, ())


@pytest.mark.parametrize(
    "clause", ["STC {}", "S.T.C. {} N.O.S.", "1X40HC S.L.A.C. 12 PKGS {} FCL/FCL", "12 CTNS/450 KGS {}/DRIED", "HS0507.10 {}"]
)
def test_clauses_of_shipping_hide_no_form(engine, clause):
    """Whatever is written around it."""
    assert score_listing(engine, booking(clause.format("PANGOLIN SCALES"))).action is not Action.ALLOW


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("NGLOS", "NG"), ("vn hph", "VN"), ("Haiphong, Vietnam", "VN"), ("CHINA", "CN"), ("LAGOS", "NG"), ("TOKYO", "JP"),
        ("Manzanillo, Panama", "PA"), ("HK", "HK"),
    ],
)  # fmt: skip
def test_a_place_is_a_code_or_a_name(written, country):
    """A name of five letters is no UN/LOCODE of the country of its first two."""
    place = read("X", origin=written).origin
    assert place is not None
    assert (place.country, place.words) == (country, written)


@pytest.mark.parametrize("written", ["", "Atlantis", "QQQQQ", "N/A"])
def test_a_place_that_is_not_known_is_none(written):
    """And no pattern of ways holds."""
    assert read("X", origin=written).origin is None


@pytest.mark.parametrize(
    "text",
    [
        "TIMBER LAGOS-HAIPHONG", "TIMBER POL: NGAPP POD: VNHPH", "TIMBER FROM LAGOS TO HAIPHONG",
        "TIMBER EX APAPA, PORT OF DISCHARGE HAIPHONG", "LAGOS / HAIPHONG: TIMBER",
    ],
)  # fmt: skip
def test_a_way_is_read_from_the_text(text):
    """Where no attributes say it."""
    found = read(text)
    assert (found.origin.country, found.destination.country) == ("NG", "VN")


@pytest.mark.parametrize(
    ("attribute", "text", "expected"),
    [
        ("0801.31.00", "", "08013100"), ("080131", "", "080131"), ("", "NUTS HS 0801.31", "080131"), ("", "NUTS H.S. CODE: 0801", "0801"),
        ("", "FLIGHT HS12 2026", ""),
    ],
)  # fmt: skip
def test_a_code_is_read_with_and_without_dots(attribute, text, expected):
    """From its field, else from behind "HS"."""
    assert read(text or "X", hs_code=attribute).code == expected


@pytest.mark.parametrize(("text", "units"), [("2X40HC", 4), ("1 x 20GP, 1X40'", 3), ("22G1", 1), ("45G1", 2), ("40HC", 2), ("", None)])
def test_containers_are_twenty_foot_units(text, units):
    """A container of forty or forty-five feet is two."""
    assert read("X", containers=text).units == units


@pytest.mark.parametrize(
    ("text", "number"), [("24,000 KGS", 24000.0), ("24.000,50", 24000.5), ("24000.5", 24000.5), ("1,234,567", 1234567.0), ("-", None)]
)
def test_weights_are_read_as_any_country_writes_them(text, number):
    """Whichever sign parts thousands."""
    assert number_of(text) == number


def test_the_usual_cashew_of_ivory_coast_has_hardly_any_risk(engine):
    """It goes where wildlife went, and is what its origin ships: it ranks low and is let through."""
    found = booking(
        "STC 250 BGS RAW CASHEW NUTS HS 0801.31", origin="CIABJ", destination="VNSGN", gross_weight_kg="16000", containers="1X20GP"
    )
    decision = score_listing(engine, found)
    assert decision.action is Action.ALLOW
    assert [each.id for each in patterns_of(booking_of(found, TABLES), TABLES.patterns)] == [
        "cargo_cover_goods_on_wildlife_way",
        "cargo_usual_trade",
    ]


EXAMPLES = {
    "cargo_cover_goods_on_wildlife_way": ("SAWN TIMBER", {"origin": "CMDLA", "destination": "VNHPH"}, {"destination": "BEANR"}),
    "cargo_usual_trade": ("SHEA NUTS", {"origin": "GHTEM"}, {"origin": "ZADUR"}),
    "cargo_unusual_origin": ("CASHEW", {"origin": "CDMAT", "destination": "VNHPH"}, {"origin": "CIABJ"}),
    "cargo_waste_against_the_stream": ("PLASTIC SCRAP", {"origin": "NGLOS", "destination": "MYPKG"}, {"origin": "JPTYO"}),
    "cargo_horns_on_wildlife_way": ("OX HORNS AND HOOVES", {"origin": "ZADUR", "destination": "VNDAD"}, {"origin": "INMAA"}),
    "cargo_unspecified_goods": ("GENERAL CARGO", {}, None),
    "cargo_unspecified_on_wildlife_way": ("EFFETS PERSONNELS", {"origin": "CGPNR", "destination": "KHKMT"}, {"destination": "FRLEH"}),
    "cargo_code_unlike_goods": ("CASHEW NUTS", {"hs_code": "4403"}, {"hs_code": "0801"}),
    "cargo_heading_of_wildlife": ("POWDER", {"hs_code": "0507.90"}, {"hs_code": "0506.90"}),
    "cargo_scales": ("DRIED SCALES", {}, None),
    "cargo_maw_with_scales": ("FISH MAW AND SCALES", {}, None),
    "cargo_maw_from_totoaba_coast": ("BUCHES", {"origin": "MXESE", "destination": "HKHKG"}, {"origin": "BRBEL"}),
    "cargo_logs_from_rosewood_country": ("ROUND LOGS", {"origin": "GMBJL", "destination": "CNZJG"}, {"origin": "NZAKL"}),
    "cargo_red_sanders_cover": ("GRANITE SLABS", {"origin": "INMAA", "destination": "HKHKG"}, {"destination": "ITGOA"}),
    "cargo_eels_as_seafood": ("LIVE MUSSELS", {"origin": "PTLIS", "destination": "HKHKG", "transport": "air"}, {"transport": "sea"}),
    "cargo_live_reptile_way": ("LIVE ANIMALS", {"origin": "MGTNR", "destination": "THBKK"}, {"origin": "DEHAM"}),
    "cargo_agarwood_way": ("WOOD CHIPS", {"origin": "IDJKT", "destination": "AEDXB"}, {"destination": "JPOSA"}),
    "cargo_plants_by_collectors_way": ("SUCCULENTS BARE ROOTED", {"origin": "ZACPT", "destination": "KRPUS"}, {"origin": "NLRTM"}),
    "cargo_change_of_ship_in_hub": ("X", {"origin": "NGLOS", "transit": "SGSIN", "destination": "VNHPH"}, {"transit": "MACAS"}),
    "cargo_private_person_ships_a_lot": ("TIMBER", {"shipper_type": "individual", "gross_weight_kg": "20000"}, {"shipper_type": "company"}),
    "cargo_weight_unlike_goods": ("PEANUTS", {"containers": "1X20GP", "gross_weight_kg": "1500"}, {"gross_weight_kg": "15000"}),
}


@pytest.mark.parametrize("rule", [rule.id for rule in TABLES.patterns.rules])
def test_each_rule_holds_where_it_should_and_not_beside_it(rule):
    """One fact other, and it does not hold."""
    goods, attributes, other = EXAMPLES[rule]
    assert rule in holding(goods, **attributes)
    assert rule not in (holding(goods, **attributes | other) if other is not None else holding("GARMENTS", **attributes))


@pytest.mark.parametrize("rule", EXAMPLES)
def test_no_pattern_alone_stops_a_booking(engine, rule):
    """It is told, and asks for nothing: the score is that of the same text without it."""
    goods, attributes, _ = EXAMPLES[rule]
    decision = score_listing(engine, booking(goods, **attributes))
    assert decision.action is not Action.BLOCK
    assert Evidence(rule, 0.0) in decision.evidence


def test_a_decision_says_why_in_words():
    """Route, goods and code stand in the pattern's own words."""
    found = patterns_of(read("IRON ORE", origin="Mombasa", transit="SGSIN", destination="CNSHA", hs_code="0507.10"), TABLES.patterns)
    assert [pattern.words for pattern in found] == [
        "ore, Mombasa → SGSIN → CNSHA",
        "HS 050710 for ore",
        "HS 050710: ivory, tortoiseshell, whalebone, horns, antlers, hooves, claws",
        "Mombasa → SGSIN → CNSHA",
    ]


def test_a_listing_of_another_kind_has_no_patterns(engine):
    """The same words on a marketplace are goods for sale."""
    decision = score_listing(engine, Listing(description="PLASTIC SCRAP LAGOS-HAIPHONG"))
    assert [each.name for each in decision.evidence if each.name.startswith("cargo_")] == []


def test_every_rule_says_where_it_is_from_and_every_check_is_asked():
    """What no report was read for says so; no check is left over; points are small beside a named form."""
    rules = TABLES.patterns.rules
    assert all(rule.seen_in and rule.description.startswith("Ranks ") for rule in rules)
    assert {rule.check for rule in rules} - {""} == set(CHECKS)
    assert max(rule.points for rule in rules) < TABLES.patterns.text.review


def test_no_header_stands_for_two_fields():
    """Or a file would be read in two ways."""
    names = [name for known in known_headers().values() for name in known]
    assert len(names) == len(set(names))
