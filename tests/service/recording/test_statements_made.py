"""Statements of reasons, made from what was recorded: what each field is derived from, and when there is none."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wildgate_service.outcomes import AccountType, Ground, Means, Misuse, NoticeSource, OutcomeKind, Restriction
from wildgate_service.policy import default_policy, file_of_text, read_policy
from wildgate_service.statements.check import check
from wildgate_service.statements.facts import Goods, goods_of
from wildgate_service.statements.make import Complete, Incomplete, LeftOut, make, puid_of
from wildgate_service.statements.schema import dsa_values
from wildgate_service.store import open_store
from wildgate_service.types import Action, Attribute, ContentKind, Listing, RuleKind, Taxon

from .conftest import KEY, MATCH, NOON

DAY = NOON.date()
K = OutcomeKind
BY_SOFTWARE = {"means": Means.AUTOMATED}
POLICY = file_of_text(read_policy(default_policy()), "default.toml")


def policy(**changes):
    """The policy that ships with other [statements]."""
    return msgspec.structs.replace(POLICY, statements=msgspec.structs.replace(POLICY.statements, **changes))


@pytest.fixture
def made(url, samples):
    """Records a decision and what happened after it, an hour apart, and makes the statements of that day."""

    def run(*steps, action=Action.BLOCK, listing=None, rules=POLICY, decision=None, **fields):
        shown = listing or Listing(id="42", title="t", market="DE", **fields)
        record = samples.record(action, listing=shown, decision=samples.decision(action, **(decision or {})))
        with open_store(url) as store:
            store.append([record])
            store.append_outcomes(
                [
                    samples.outcome(kind, decision_id=record.decision_id, hours=number + 1, **said)
                    for number, (kind, said) in enumerate(steps or [(K.REMOVED, BY_SOFTWARE)])
                ]
            )
            facts = store.statement_facts(DAY, DAY, tenant="acme")
        return [make(each, rules, KEY) for each in facts]

    return run


@pytest.fixture
def statement(made):
    """The one statement that comes of it, which the database would take."""

    def run(*steps, **fields):
        [only] = made(*steps, **fields)
        assert isinstance(only, Complete), only
        assert check(only.statement) == []
        return only.statement

    return run


@pytest.fixture
def missing(made):
    """The fields for which the one statement is incomplete."""

    def run(*steps, **fields):
        [only] = made(*steps, **fields)
        assert isinstance(only, Incomplete), only
        return [wrong.field for wrong in only.wrong]

    return run


def test_a_whole_statement(statement):
    """A removal by software alone, as the database gets it."""
    found = statement()
    puid = found.pop("puid")
    assert found == {
        "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
        "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
        "decision_ground_reference_url": "https://eur-lex.europa.eu/eli/reg/1997/338/oj",
        "illegal_content_legal_ground": "Council Regulation (EC) No 338/97, Article 8",
        "illegal_content_explanation": "It is prohibited to offer specimens of listed species (CITES Appendix I) for sale unless an "
        "exemption holds. This marketplace listing in the market DE was found to offer or seek specimens, parts or products: elephant.",
        "content_type": ["CONTENT_TYPE_PRODUCT"],
        "category": "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS",
        "category_specification": ["KEYWORD_PROHIBITED_PRODUCTS"],
        "territorial_scope": dsa_values()["territorial_scope"],
        "content_language": "EN",
        "content_date": "2026-03-10",
        "application_date": "2026-03-10",
        "decision_facts": "This marketplace listing in the market DE was found to offer or seek protected wildlife (specimens, parts or "
        "products; elephant; CITES Appendix I). It came to notice through software that scores texts. The restriction was decided by "
        "software alone.",
        "source_type": "SOURCE_VOLUNTARY",
        "automated_detection": "Yes",
        "automated_decision": "AUTOMATED_DECISION_FULLY",
    }
    assert len(puid) == 64


# --- what the fields are derived from --------------------------------------------------------------


def test_several_restrictions_with_their_end(statement):
    """Each has its own field, and all end on one day."""
    how = (
        Restriction.VISIBILITY_DEMOTED,
        Restriction.VISIBILITY_LABELLED,
        Restriction.MONETARY_SUSPENSION,
        Restriction.PROVISION_TOTAL_SUSPENSION,
    )
    found = statement((K.RESTRICTED, {**BY_SOFTWARE, "restrictions": how, "restricted_until": NOON + timedelta(days=30)}))
    assert {name: value for name, value in found.items() if name.startswith(("decision_v", "decision_m", "decision_p", "end_"))} == {
        "decision_visibility": ["DECISION_VISIBILITY_CONTENT_DEMOTED", "DECISION_VISIBILITY_CONTENT_LABELLED"],
        "decision_monetary": "DECISION_MONETARY_SUSPENSION",
        "decision_provision": "DECISION_PROVISION_TOTAL_SUSPENSION",
        "end_date_visibility_restriction": "2026-04-09",
        "end_date_monetary_restriction": "2026-04-09",
        "end_date_service_restriction": "2026-04-09",
    }


@pytest.mark.parametrize("restriction", Restriction)
def test_every_restriction_has_a_value_of_the_database(statement, restriction):
    """None needs words of its own."""
    assert statement((K.RESTRICTED, {**BY_SOFTWARE, "restrictions": (restriction,)}))


def test_an_account_that_was_terminated(statement):
    """Whose it was is said where it is known."""
    found = statement((K.ACCOUNT_TERMINATED, {**BY_SOFTWARE, "account_type": AccountType.BUSINESS}))
    assert (found["decision_account"], found["account_type"]) == ("DECISION_ACCOUNT_TERMINATED", "ACCOUNT_TYPE_BUSINESS")


@pytest.mark.parametrize(
    ("action", "notice", "means", "expected"),
    [
        (Action.BLOCK, None, Means.AUTOMATED, ("SOURCE_VOLUNTARY", "Yes", "AUTOMATED_DECISION_FULLY")),
        (Action.REVIEW, None, Means.MODERATOR, ("SOURCE_VOLUNTARY", "Yes", "AUTOMATED_DECISION_PARTIALLY")),
        (Action.ALLOW, None, Means.MODERATOR, ("SOURCE_VOLUNTARY", "No", "AUTOMATED_DECISION_NOT_AUTOMATED")),
        (Action.BLOCK, NoticeSource.ARTICLE_16, Means.MODERATOR, ("SOURCE_ARTICLE_16", "No", "AUTOMATED_DECISION_NOT_AUTOMATED")),
        (Action.ALLOW, NoticeSource.TRUSTED_FLAGGER, Means.AUTOMATED, ("SOURCE_TRUSTED_FLAGGER", "No", "AUTOMATED_DECISION_FULLY")),
        (Action.REVIEW, NoticeSource.OTHER, Means.MODERATOR, ("SOURCE_TYPE_OTHER_NOTIFICATION", "No", "AUTOMATED_DECISION_NOT_AUTOMATED")),
    ],
)
def test_by_whom_it_was_found_and_decided(statement, action, notice, means, expected):
    """From what was recorded before the measure; nobody fills it in."""
    steps = [(K.NOTICE_RECEIVED, {"notice_source": notice})] if notice else []
    taxa = (Taxon("elephant", "Loxodonta africana", "I"),)
    found = statement(*steps, (K.REMOVED, {"means": means}), action=action, decision={"taxa": taxa})
    assert (found["source_type"], found["automated_detection"], found["automated_decision"]) == expected


def test_what_was_asked_in_shadow_was_not_found_by_software(statement):
    """The platform was told to allow it, so somebody else found it."""
    asked = {"shadow_action": Action.BLOCK, "shadow": True, "taxa": (Taxon("elephant", "Loxodonta africana", "I"),)}
    found = statement((K.REMOVED, {"means": Means.MODERATOR}), action=Action.ALLOW, decision=asked)
    assert (found["automated_detection"], found["automated_decision"]) == ("No", "AUTOMATED_DECISION_NOT_AUTOMATED")


def test_a_moderators_measure_that_software_asked_for_is_called_what_the_policy_says(statement):
    """A platform may hold that a person alone decided."""
    rules = policy(moderator_after_software="AUTOMATED_DECISION_NOT_AUTOMATED")
    found = statement((K.REMOVED, {"means": Means.MODERATOR}), rules=rules)
    assert found["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"


def test_the_ground_that_an_outcome_states_counts_before_the_policys(statement):
    """With the clause that the policy names."""
    rules = policy(terms_ground="Terms, section 4", terms_url="https://example.org/terms")
    found = statement((K.REMOVED, {**BY_SOFTWARE, "ground": Ground.TERMS}), rules=rules)
    assert (found["decision_ground"], found["incompatible_content_ground"], found["decision_ground_reference_url"]) == (
        "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "Terms, section 4",
        "https://example.org/terms",
    )
    assert "illegal_content_legal_ground" not in found


def test_days_are_those_of_utc(statement):
    """Of posting where it was recorded."""
    posted = datetime(2026, 3, 2, 1, tzinfo=UTC) - timedelta(hours=2)
    found = statement(posted_time=posted)
    assert (found["content_date"], found["application_date"]) == ("2026-03-01", "2026-03-10")


@pytest.mark.parametrize(("language", "expected"), [("zh-Hans", "ZH"), ("fil", None), ("und", None), ("sw", "SW")])
def test_the_language_where_the_database_knows_it(statement, language, expected):
    """Without script or region."""
    assert statement(decision={"language": language}).get("content_language") == expected


def test_countries_that_an_outcome_names(statement):
    """Those in the area; they count before the policy's."""
    assert statement((K.REMOVED, {**BY_SOFTWARE, "territories": ("SE", "CH", "DE")}))["territorial_scope"] == ["DE", "SE"]


def test_a_post_is_another_type_of_content(statement):
    """By the policy's table."""
    assert statement(content_kind=ContentKind.SOCIAL_POST)["content_type"] == ["CONTENT_TYPE_TEXT"]


# --- live animals, parts and products --------------------------------------------------------------

PARROT = msgspec.structs.replace(MATCH, groups=("parrot",), rule_id="en-parrot-grey", kind=RuleKind.SPECIES, start=20, end=26)
LIVE_CUE = msgspec.structs.replace(MATCH, groups=(), rule_id="en-trade-live-animal", kind=RuleKind.TRADE_CUE)
TAXA = {"elephant": "Loxodonta africana", "parrot": "Psittacus erithacus", "orchid": "Orchidaceae", "bear": "Ursidae"}


def found_in(samples, matches, groups):
    taxa = tuple(Taxon(group, TAXA[group], "I") for group in groups)
    return goods_of(samples.record(decision=samples.decision(Action.BLOCK, matches=tuple(matches), taxa=taxa)))


def test_what_was_offered_is_read_from_the_rules_that_fired(samples):
    """A product is a part; a rule about the living says so in its id; else nothing says it."""
    bear = msgspec.structs.replace(PARROT, groups=("bear",), rule_id="de-bear-live")
    assert found_in(samples, [MATCH, PARROT, bear], ["elephant", "parrot", "bear"]) == {
        "elephant": Goods.PARTS,
        "parrot": Goods.UNKNOWN,
        "bear": Goods.LIVE,
    }


def test_an_animals_name_is_no_product_where_another_language_takes_it_for_one(samples):
    """The same word by two rules."""
    german = msgspec.structs.replace(PARROT, rule_id="de-parrot-goods", kind=RuleKind.PRODUCT)
    elsewhere = msgspec.structs.replace(german, start=30, end=36)
    assert [found_in(samples, [PARROT, LIVE_CUE, *more], ["parrot"]) for more in ([german], [german, elsewhere])] == [
        {"parrot": Goods.LIVE},
        {"parrot": Goods.PARTS},
    ]


def test_a_cue_of_living_animals_says_it_of_every_animal_but_of_no_plant(samples):
    """Nor of a part."""
    orchid = msgspec.structs.replace(PARROT, groups=("orchid",))
    assert found_in(samples, [MATCH, PARROT, orchid, LIVE_CUE], ["elephant", "parrot", "orchid"]) == {
        "elephant": Goods.PARTS,
        "parrot": Goods.LIVE,
        "orchid": Goods.PARTS,
    }


@pytest.mark.parametrize(
    ("group", "matches", "keyword"),
    [
        ("parrot", (PARROT,), "KEYWORD_UNLAWFUL_SALE_ANIMALS"),
        ("parrot", (msgspec.structs.replace(PARROT, kind=RuleKind.PRODUCT),), "KEYWORD_PROHIBITED_PRODUCTS"),
        ("elephant", (msgspec.structs.replace(MATCH, kind=RuleKind.SPECIES),), "KEYWORD_PROHIBITED_PRODUCTS"),
    ],
)
def test_where_no_rule_says_it_the_policys_list_does(statement, group, matches, keyword):
    """Parrots are mostly alive, elephants not."""
    found = statement(decision={"matches": matches, "taxa": (Taxon(group, TAXA[group], "I"),)})
    assert found["category_specification"] == [keyword]


def test_two_groups_of_different_categories(statement):
    """The first group's is the category, the other's is added."""
    taxa = tuple(Taxon(group, TAXA[group], "I") for group in ("parrot", "elephant"))
    found = statement(decision={"matches": (MATCH, PARROT), "taxa": taxa})
    assert (found["category"], found["category_addition"], found["category_specification"]) == (
        "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS",
        ["STATEMENT_CATEGORY_ANIMAL_WELFARE"],
        ["KEYWORD_PROHIBITED_PRODUCTS", "KEYWORD_UNLAWFUL_SALE_ANIMALS"],
    )


# --- incomplete ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ((K.RESTRICTED, BY_SOFTWARE), ["decision_visibility"]),
        ((K.REMOVED, {}), ["automated_decision"]),
        ((K.RESTRICTED, {}), ["decision_visibility", "automated_decision"]),
        ((K.REMOVED, {**BY_SOFTWARE, "ground": Ground.TERMS}), ["incompatible_content_ground"]),
        (
            (K.RESTRICTED, {**BY_SOFTWARE, "restrictions": (Restriction.MONETARY_SUSPENSION, Restriction.MONETARY_TERMINATION)}),
            ["decision_monetary"],
        ),
        ((K.REMOVED, {**BY_SOFTWARE, "restricted_until": NOON - timedelta(days=3)}), ["end_date_visibility_restriction"]),
    ],
)
def test_what_was_not_recorded_is_not_guessed(missing, step, expected):
    """The statement is listed with what it lacks."""
    assert missing(step) == expected


def test_a_listing_in_which_no_taxon_was_found_may_be_about_something_else(missing):
    """Even where a moderator found it illegal."""
    step = (K.REMOVED, {"means": Means.MODERATOR, "ground": Ground.ILLEGAL})
    assert missing(step, action=Action.ALLOW) == ["category"]


def test_a_platform_may_say_that_all_its_measures_are_about_wildlife(statement):
    """Then the mapping of all other groups holds."""
    step = (K.REMOVED, {"means": Means.MODERATOR, "ground": Ground.ILLEGAL})
    found = statement(step, action=Action.ALLOW, rules=policy(without_group="default"))
    assert (found["category_specification"], "taxon group not recorded" in found["decision_facts"]) == (
        ["KEYWORD_PROHIBITED_PRODUCTS"],
        True,
    )


def test_what_no_list_names_is_not_called_illegal(missing):
    """Such as mammoth ivory; the outcome must say its ground."""
    assert missing(decision={"taxa": (Taxon("mammoth", "Mammuthus", ""),)}) == ["decision_ground"]


def test_a_measure_without_a_decision_is_incomplete(url, samples):
    """What a client decided by itself has no kind, no day and no taxon."""
    with open_store(url) as store:
        outcome = samples.outcome(K.REMOVED, request_id=samples.uuid(), degraded_action=Action.BLOCK, means=Means.AUTOMATED)
        store.append_outcomes([outcome])
        [facts] = store.statement_facts(DAY, DAY, tenant="acme")
    assert [wrong.field for wrong in make(facts, POLICY, KEY).wrong] == ["content_type", "content_date", "category"]


def test_an_erased_record_still_has_a_statement(url, samples):
    """The day is that of the decision, and the group says what was offered."""
    record = samples.record(Action.BLOCK, listing=Listing(market="DE", posted_time=NOON - timedelta(days=5)))
    with open_store(url) as store:
        store.append([record])
        store.append_outcomes([samples.outcome(K.REMOVED, decision_id=record.decision_id, **BY_SOFTWARE)])
        store.erase([1])
        [facts] = store.statement_facts(DAY, DAY, tenant="acme")
    found = make(facts, POLICY, KEY).statement
    assert (found["content_date"], found["category_specification"]) == ("2026-03-10", ["KEYWORD_PROHIBITED_PRODUCTS"])


# --- left out --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "listing", "reason"),
    [
        ([(K.ORDER_RECEIVED, {"authority": "SE"}), (K.REMOVED, BY_SOFTWARE)], {}, "an authority's order"),
        ([(K.ACCOUNT_SUSPENDED, {**BY_SOFTWARE, "misuse": Misuse.UNFOUNDED_NOTICES})], {}, "the account was suspended for notices"),
        ([(K.REMOVED, {**BY_SOFTWARE, "territories": ("SG",)})], {}, "the listing or the restriction was outside"),
        ([(K.REMOVED, BY_SOFTWARE)], {"market": "SG"}, "the listing or the restriction was outside"),
        ([(K.REMOVED, BY_SOFTWARE)], {"content_kind": ContentKind.CARGO_BOOKING}, "content of this kind"),
    ],
)
def test_measures_that_no_statement_is_owed_for(made, steps, listing, reason):
    """Each says why."""
    [only] = made(*steps, listing=Listing(**{"market": "DE"} | listing))
    assert isinstance(only, LeftOut)
    assert only.reason.startswith(reason)


def test_a_market_outside_counts_where_the_policy_or_the_outcome_says_so(statement):
    """A seller abroad whose listing is seen in the area."""
    assert statement(listing=Listing(market="SG"), rules=policy(markets="all"))["territorial_scope"]


def test_a_restriction_inside_of_a_listing_outside(statement):
    """The outcome named the country."""
    step = (K.REMOVED, {**BY_SOFTWARE, "territories": ("SE",)})
    assert statement(step, listing=Listing(market="SG"))["territorial_scope"] == ["SE"]


# --- the puid --------------------------------------------------------------------------------------


def test_a_correction_keeps_the_puid(url, samples):
    """However often, so that no measure has two statements; another measure has another."""
    record = samples.record(Action.BLOCK, listing=Listing(market="DE"))
    first = samples.outcome(K.REMOVED, decision_id=record.decision_id, **BY_SOFTWARE)
    second = samples.outcome(K.REMOVED, decision_id=record.decision_id, corrects=first.outcome_id, hours=2, means=Means.MODERATOR)
    third = samples.outcome(K.REMOVED, decision_id=record.decision_id, corrects=second.outcome_id, hours=3, **BY_SOFTWARE)
    other = samples.outcome(K.ACCOUNT_SUSPENDED, decision_id=record.decision_id, hours=4, **BY_SOFTWARE)
    puids = []
    with open_store(url) as store:
        store.append([record])
        for outcome in (first, third, second, other):  # a correction may come before what it corrects
            store.append_outcomes([outcome])
            puids.append([make(each, POLICY, KEY).statement["puid"] for each in store.statement_facts(DAY, DAY, tenant="acme")])
    before, _, corrected, both = puids
    assert (before, both[0], len(set(both))) == (corrected, before[0], 2)


def test_a_puid_is_another_under_another_key():
    """It is no hash that others could make of an outcome's id."""
    assert puid_of("0197a1b2", KEY) != puid_of("0197a1b2", bytes(32))


# --- nothing but enumerations ----------------------------------------------------------------------

SECRETS = st.one_of(
    st.sampled_from(
        ["+49 170 1234567", "0049-170-1234567", "anna.muster@example.org", "Anna Muster", "white gold tusk", "@tusk_king", "白塑料"]
    ),
    st.text(string.ascii_letters + "0123456789@+-äöü象牙🐘", min_size=8, max_size=30).map("§{}".format),  # a sign that no statement has
)


def texts_of(value):
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_of(each)


@settings(max_examples=50, deadline=None)
@given(
    secrets=st.lists(SECRETS, min_size=9, max_size=9, unique=True),
    kind=st.sampled_from([ContentKind.LISTING, ContentKind.SOCIAL_POST]),
    taxon_kind=st.sampled_from([RuleKind.PRODUCT, RuleKind.SPECIES, RuleKind.CODE_WORD]),
    restricted=st.booleans(),
    secret_language=st.booleans(),
)
def test_nothing_that_anybody_wrote_enters_a_statement(fresh_url, samples, secrets, kind, taxon_kind, restricted, secret_language):
    """Phone numbers, addresses, names and restricted forms, in every place that takes text; recorded and read back for real."""
    listing = Listing(
        id=secrets[0],
        title=secrets[1],
        description=secrets[2],
        attributes=(Attribute(secrets[3], secrets[4]),),
        category=secrets[5],
        seller_ref=secrets[6],
        content_kind=kind,
        market="DE",
    )
    match = msgspec.structs.replace(
        MATCH, surface=secrets[1], form=secrets[7], gloss=secrets[7], rule_id=secrets[7], kind=taxon_kind, restricted=restricted
    )
    decision = samples.decision(
        Action.BLOCK,
        matches=(match,),
        reason=secrets[2],
        notice=secrets[8],
        taxa=(Taxon("elephant", secrets[8], secrets[8]),),
        language=secrets[8] if secret_language else "de",
    )
    record = samples.record(listing=listing, decision=decision)
    outcome = samples.outcome(K.REMOVED, decision_id=record.decision_id, means=Means.AUTOMATED, reference="case-77-muster")
    with open_store(fresh_url()) as store:
        store.append([record])
        store.append_outcomes([outcome])
        [facts] = store.statement_facts(DAY, DAY, tenant="acme")
    said = list(texts_of(make(facts, POLICY, KEY).statement))
    ids = (outcome.outcome_id, record.decision_id, record.request_id, record.seller, record.fingerprint, "case-77-muster")
    assert not [secret for secret in (*secrets, *ids) for text in said if secret in text]


def test_a_market_or_group_that_is_none_is_left_out(statement):
    """A market comes from whoever called; only codes of the standard pass."""
    rules = policy(markets="all", facts="{market}|{groups}|{lists}")
    found = statement(listing=Listing(market="+4917012345"), rules=rules, decision={"taxa": (Taxon("elephant", "x", "call +4917012345"),)})
    assert found["decision_facts"] == "|elephant|a national list"
