"""The database's rules for a statement of reasons, each by a statement that breaks it."""

from __future__ import annotations

import pytest
from wildgate_service.statements.check import check
from wildgate_service.statements.schema import dsa_values, fields

SOUND = {
    "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
    "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
    "illegal_content_legal_ground": "a law",
    "illegal_content_explanation": "why",
    "content_type": ["CONTENT_TYPE_PRODUCT"],
    "category": "STATEMENT_CATEGORY_ANIMAL_WELFARE",
    "territorial_scope": ["DE"],
    "content_date": "2026-03-01",
    "application_date": "2026-03-10",
    "decision_facts": "what",
    "source_type": "SOURCE_VOLUNTARY",
    "automated_detection": "Yes",
    "automated_decision": "AUTOMATED_DECISION_FULLY",
    "puid": "a-1_b",
}
TERMS = {
    "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
    "incompatible_content_ground": "clause 7",
    "incompatible_content_explanation": "why",
    "illegal_content_legal_ground": None,
    "illegal_content_explanation": None,
}
RESTRICTIONS = ["decision_visibility", "decision_monetary", "decision_provision", "decision_account"]


def found(*, refused=True, **changes):
    """The fields that are wrong in a sound statement with changes; None takes a field out."""
    statement = {name: value for name, value in (SOUND | changes).items() if value is not None}
    return [wrong.field for wrong in check(statement) if wrong.refused is refused]


def test_a_sound_statement_has_nothing_wrong():
    """On either ground."""
    assert (check(SOUND), found(**TERMS), found(**TERMS, refused=False)) == ([], [], [])


def test_the_enumerations_are_whole():
    """As many values as the database has."""
    counted = {name: len(values) for name, values in dsa_values().items() if name != "source"}
    assert counted == {
        "decision_ground": 2,
        "category": 16,
        "keyword": 69,
        "decision_visibility": 7,
        "decision_monetary": 3,
        "decision_provision": 4,
        "decision_account": 2,
        "account_type": 2,
        "content_type": 8,
        "source_type": 4,
        "automated_decision": 3,
        "yes_no": 2,
        "territorial_scope": 30,
        "content_language": 184,
    }


ALWAYS = [
    "decision_ground",
    "content_type",
    "category",
    "content_date",
    "application_date",
    "decision_facts",
    "source_type",
    "automated_detection",
    "automated_decision",
    "puid",
]


@pytest.mark.parametrize("name", ALWAYS)
def test_what_is_always_required(name):
    """Missing, or empty."""
    assert (found(**{name: None}), found(**{name: ""})) == ([name], [name])


def test_nothing_else_is_always_required():
    """So says the table."""
    assert [field.name for field in fields().values() if field.required == "always"] == ALWAYS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("decision_visibility", ["DECISION_VISIBILITY_CONTENT_DEMOTED"]),
        ("decision_monetary", "DECISION_MONETARY_SUSPENSION"),
        ("decision_provision", "DECISION_PROVISION_TOTAL_TERMINATION"),
        ("decision_account", "DECISION_ACCOUNT_SUSPENDED"),
    ],
)
def test_one_restriction_is_enough(name, value):
    """Whichever of the four; none at all is said of each."""
    assert (found(**({"decision_visibility": None} | {name: value})), found(decision_visibility=None)) == ([], RESTRICTIONS)


CONDITIONAL = [
    ("decision_visibility_other", {"decision_visibility": ["DECISION_VISIBILITY_OTHER"]}, 500),
    ("decision_monetary_other", {"decision_monetary": "DECISION_MONETARY_OTHER"}, 500),
    ("illegal_content_legal_ground", {}, 500),
    ("illegal_content_explanation", {}, 2000),
    ("incompatible_content_ground", TERMS, 500),
    ("incompatible_content_explanation", TERMS, 2000),
    ("content_type_other", {"content_type": ["CONTENT_TYPE_TEXT", "CONTENT_TYPE_OTHER"]}, 500),
]


@pytest.mark.parametrize(("name", "condition", "longest"), CONDITIONAL)
def test_what_is_required_under_a_condition(name, condition, longest):
    """Missing where it holds; of the greatest length and one more."""
    assert found(**(condition | {name: None})) == [name]
    assert found(**(condition | {name: "é" * longest})) == []
    assert found(**(condition | {name: "é" * (longest + 1)})) == [name]


DROPPED = [
    ("decision_visibility_other", "x", {}),
    ("decision_monetary_other", "x", {"decision_monetary": "DECISION_MONETARY_SUSPENSION"}),
    ("incompatible_content_ground", "x", {}),
    ("incompatible_content_explanation", "x", {}),
    ("incompatible_content_illegal", "Yes", {}),
    ("illegal_content_legal_ground", "x", TERMS),
    ("illegal_content_explanation", "x", TERMS),
    ("content_type_other", "x", {}),
    ("category_specification_other", "x", {"category_specification": ["KEYWORD_ANIMAL_HARM"]}),
    ("source_identity", "x", {}),
    ("a_field_of_no_statement", "x", {}),
]


@pytest.mark.parametrize(("name", "value", "condition"), DROPPED)
def test_what_would_be_dropped_is_said_and_not_refused(name, value, condition):
    """The database takes the statement without it, and says nothing."""
    changes = condition | {name: value}
    assert (found(**changes), found(**changes, refused=False)) == ([], [name])


def test_who_gave_notice_counts_only_where_somebody_did():
    """Not for the platform's own initiative."""
    assert found(source_identity="Foundation", source_type="SOURCE_TRUSTED_FLAGGER", refused=False) == []


ENUMERATED = [field.name for field in fields().values() if field.values]


@pytest.mark.parametrize("name", ENUMERATED)
def test_a_value_that_there_is_not(name):
    """Or one of a list, or no text at all."""
    condition = TERMS if name == "incompatible_content_illegal" else {}
    several = fields()[name].kind == "values"
    for value in ("STATEMENT_CATEGORY_PORNOGRAPHY_OR_SEXUALIZED_CONTENT", 7, {"a": 1}):
        assert found(**(condition | {name: [value] if several else value})) == [name]


@pytest.mark.parametrize("name", [field.name for field in fields().values() if field.kind == "values"])
def test_a_list_is_a_list(name):
    """A single value is none."""
    assert found(**{name: next(iter(sorted(fields()[name].allowed)))}) == [name]


def test_a_country_by_its_code_of_the_standard():
    """Greece is GR, and there is no code for the whole."""
    assert [found(territorial_scope=[code]) for code in ("GR", "EL", "EU", "IS", "SG")] == [
        [],
        ["territorial_scope"],
        ["territorial_scope"],
        [],
        ["territorial_scope"],
    ]


def test_the_territorial_scope_is_asked_for_by_the_documentation_alone():
    """The database would take a statement without it."""
    assert (found(territorial_scope=None), found(territorial_scope=None, refused=False)) == ([], ["territorial_scope"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content_date", "1999-12-31"),
        ("content_date", "2038-01-02"),
        ("content_date", "2026-02-30"),
        ("content_date", "2026-3-1"),
        ("content_date", "2026-03-01T10:00:00Z"),
        ("application_date", "2019-12-31"),
        ("application_date", "20260310"),
        ("end_date_service_restriction", "2038-01-02"),
        ("end_date_account_restriction", "never"),
    ],
)
def test_days_that_are_none_or_out_of_bounds(name, value):
    """Each field has its own bounds."""
    assert found(**{name: value}) == [name]


def test_days_at_their_bounds():
    """They are included."""
    assert found(content_date="2000-01-01", application_date="2020-01-01", end_date_monetary_restriction="2038-01-01") == []


def test_an_end_before_the_begin_is_said_and_not_refused():
    """The documentation forbids it, the database does not look."""
    changes = {"end_date_visibility_restriction": "2026-03-09"}
    assert (found(**changes), found(**changes, refused=False)) == ([], ["end_date_visibility_restriction"])


@pytest.mark.parametrize("puid", ["a b", "ä", "a.b", "a\n", "a/b", "a" * 501])
def test_a_puid_of_other_characters(puid):
    """A line break at its end too."""
    assert found(puid=puid) == ["puid"]


@pytest.mark.parametrize(
    "address", ["www.example.org", "mailto:a@b.org", "https://", "https://a b", "https://[", f"https://a.org/{'x' * 500}"]
)
def test_an_address_that_is_none(address):
    """Only https and http, with a host."""
    assert set(found(decision_ground_reference_url=address)) == {"decision_ground_reference_url"}


@pytest.mark.parametrize("value", ["x", {"ISBN": "9780306406157"}, {"EAN-13": "123"}, {"EAN-13": 4006381333931}])
def test_a_content_id_that_is_none(value):
    """Only an EAN of 13 digits."""
    assert (found(content_id=value), found(content_id={"EAN-13": "4006381333931"})) == (["content_id"], [])


def test_the_text_null_is_said_and_not_refused():
    """A quirk of the database, which takes it for a value."""
    assert (found(account_type="null"), found(account_type="null", refused=False)) == ([], ["account_type"])
    assert found(category="null") == ["category"]


def test_null_where_it_may_stand_and_where_not():
    """Null is as good as nothing for most fields; not for the further categories."""
    assert check(SOUND | {"account_type": None, "end_date_account_restriction": None, "content_language": None}) == []
    assert [wrong.field for wrong in check(SOUND | {"category_addition": None})] == ["category_addition"]
