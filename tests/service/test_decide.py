"""From a score and its evidence to an action and its sentences."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from wildgate_service.decide import decide
from wildgate_service.lexicon.compiler import build_tables
from wildgate_service.match.tables import Listed, TaxonRow, compiled_in_memory
from wildgate_service.pipeline import score_listing
from wildgate_service.policy import policy_of_text
from wildgate_service.types import (
    Action,
    Classification,
    ContentKind,
    Evidence,
    Level,
    Listing,
    Match,
    Matches,
    RuleKind,
    Score,
    Taxon,
    Versions,
)

POLICY = """
version = "1.0.0"
[thresholds]
review = 0.5
block = 0.9
[groups.mammoth]
block = 1.01
unlisted = "as_listed"
[groups.big_cat]
block = 0.7
[tenants.quiet]
shadow = true
[tenants.strict]
block = 0.6
[reasons.en]
block = "block {groups} {surfaces}{cues} {score}"
review = "review {groups} {surfaces}{cues} {score}"
covered = "covered {groups} {surfaces}{cues} {score}"
legal = "legal {groups} {surfaces}{cues} {score}"
allow = "nothing"
explained = "explained {groups} {surfaces}{cues} {score}"
unnamed = "unnamed {score}"
unlisted = "unlisted {groups} {surfaces}{cues}{market} {score}"
crowded = "crowded"
[reasons.vi]
block = "bán {groups} {surfaces}{cues} {score}"
[notices.block]
en = "no"
zh = "不"
pt = "nao"
pt-BR = "nao, cara"
[notices.review]
en = "wait"
"""
TAXA = {
    "elephant": TaxonRow("Elephantidae", "elephant", (Listed("EU", "A", "EU", "", ""), Listed("CITES", "I/II", "", "", ""))),
    "bird": TaxonRow("Aves", "bird_other", (Listed("EU", "B", "EU", "", ""),)),
    "mammoth": TaxonRow("Mammuthus", "mammoth", ()),
    "tiger": TaxonRow("Panthera tigris", "big_cat", (Listed("CITES", "I", "", "", ""),)),
    "hog_deer": TaxonRow(
        "Axis porcinus", "ungulate_other", (Listed("VN", "IB", "VN", "", ""), Listed("CITES", "III", "", "2000-01-01", "2010-01-01"))
    ),
}
LEXICON = compiled_in_memory(build_tables((), TAXA, "1.0.0", {"DE": ("EU",)}))
VERSIONS = Versions("lexicon", "model", "policy")


def found(name: str = "ivory", *, at: int = 0, kind=RuleKind.PRODUCT, level=Level.WITH_COMPANY, taxa=("elephant",), **fields) -> Match:
    """A match with company, unless the test says otherwise."""
    taxa = taxa if kind in {RuleKind.PRODUCT, RuleKind.SPECIES, RuleKind.CODE_WORD} else ()
    return Match(
        rule_id=f"en-{name.replace(' ', '-')}",
        kind=kind,
        level=level,
        language="en",
        form=name,
        gloss=name,
        surface=name,
        field="title",
        start=at,
        end=at + len(name),
        skeleton_start=at,
        skeleton_end=at + len(name),
        taxa=taxa,
        groups=tuple(TAXA[taxon].group for taxon in taxa),
        **{"company": True, "sourced": True} | fields,
    )


def cue(name: str, kind: RuleKind, cue_type: str = "", *, at: int = 50) -> Match:
    return found(name, at=at, kind=kind, cue_type=cue_type)


def decided(
    *matches: Match,
    score=0.95,
    strict=None,
    language="en",
    market="",
    tenant="",
    posted=None,
    policy=POLICY,
    kind=ContentKind.LISTING,
    read_in_full=True,
    crowded=False,
    description="",
    **classification,
):
    """The decision on matches with a score."""
    kinds = {RuleKind.TRADE_CUE, RuleKind.EVASION_CUE, RuleKind.LEGAL_TRADE_CUE}
    sorted_out = Matches(
        taxa=tuple(match for match in matches if match.taxa),
        cues=tuple(match for match in matches if match.kind in kinds),
        contexts=tuple(match for match in matches if match.kind is RuleKind.BENIGN_CONTEXT),
        read_in_full=read_in_full,
        crowded=crowded,
    )
    return decide(
        Listing(title="x", description=description, market=market, content_kind=kind, posted_time=posted),
        sorted_out,
        Classification(language=language, **classification),
        Score(score, (), score if strict is None else strict),
        policy_of_text(policy, "p"),
        LEXICON,
        tenant=tenant,
        versions=VERSIONS,
    )


LEGAL = cue("permit", RuleKind.LEGAL_TRADE_CUE)

# --- actions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "action"),
    [(0.0, Action.ALLOW), (0.4999, Action.ALLOW), (0.5, Action.REVIEW), (0.8999, Action.REVIEW), (0.9, Action.BLOCK), (1.0, Action.BLOCK)],
)
def test_a_threshold_belongs_to_the_stricter_side(score, action):
    """At or over it."""
    assert decided(found(), score=score).action is action


@pytest.mark.parametrize(("score", "action"), [(1.0, Action.REVIEW), (0.1, Action.ALLOW)])
def test_without_a_match_a_score_asks_for_review_at_most(score, action):
    """The models alone never refuse a listing."""
    assert decided(score=score).action is action


@pytest.mark.parametrize(
    ("match", "kind", "action"),
    [
        (found(level=Level.ALONE), ContentKind.LISTING, Action.REVIEW),
        (found(level=Level.ALONE), ContentKind.CARGO_BOOKING, Action.REVIEW),
        (found(level=Level.ALONE), ContentKind.SOCIAL_POST, Action.ALLOW),
        (found(level=Level.ALONE, weakened_by=("en-news",)), ContentKind.LISTING, Action.ALLOW),
        (found(), ContentKind.LISTING, Action.ALLOW),
    ],
)
def test_a_form_without_innocent_reading_needs_half_the_score_where_things_are_sold(match, kind, action):
    """A listing and a booking are offers by their nature; a post is none, and news are none. With less the models speak against it."""
    assert decided(match, score=0.3, kind=kind).action is action
    assert decided(match, score=0.2, kind=kind).action is Action.ALLOW


def test_a_group_has_its_own_threshold_and_the_strictest_group_decides():
    """0.8 blocks a tiger, reviews ivory, and blocks both together."""
    tiger = found("tiger bone", taxa=("tiger",), at=20)
    assert decided(found(), score=0.8).action is Action.REVIEW
    assert decided(tiger, score=0.8).action is Action.BLOCK
    assert decided(found(), tiger, score=0.8).action is Action.BLOCK


def test_a_tenant_has_its_own_threshold():
    """And nobody else has it."""
    assert decided(found(), score=0.65, tenant="strict").action is Action.BLOCK
    assert decided(found(), score=0.65, tenant="other").action is Action.REVIEW


def test_mammoth_alone_is_never_blocked():
    """It is not protected; beside elephant the elephant is."""
    mammoth = found("mammoth ivory", taxa=("mammoth",), at=20)
    assert decided(mammoth, score=1.0).action is Action.REVIEW
    assert decided(mammoth, found(), score=1.0).action is Action.BLOCK


def test_an_unreviewed_code_word_alone_is_never_blocked():
    """A sourced one is, and so is one beside a plain word."""
    code = found("white plastic", kind=RuleKind.CODE_WORD, level=Level.COMPANY_ONLY, sourced=False, at=20)
    assert decided(code, score=1.0).action is Action.REVIEW
    assert decided(found("white plastic", kind=RuleKind.CODE_WORD, level=Level.COMPANY_ONLY), score=1.0).action is Action.BLOCK
    assert decided(code, found(), score=1.0).action is Action.BLOCK


@pytest.mark.parametrize("score", [0.9, 1.0])
def test_a_legal_trade_cue_turns_block_into_review(score):
    """Papers are looked at by a person."""
    assert decided(found(), LEGAL, score=score).action is Action.REVIEW


SAME_PLACE = found("ivories", taxa=("tiger",))
ELSEWHERE = found("tusk", at=40)


@pytest.mark.parametrize(
    ("matches", "length", "action"),
    [
        ((found(),), 299, Action.BLOCK),
        ((found(),), 300, Action.REVIEW),
        ((found(), found(at=80)), 300, Action.REVIEW),
        ((found(), SAME_PLACE), 300, Action.REVIEW),
        ((found(), ELSEWHERE), 300, Action.BLOCK),
        ((found(level=Level.ALONE),), 300, Action.BLOCK),
    ],
)
def test_one_form_with_other_meanings_bears_no_refusal_in_a_long_text(matches, length, action):
    """The same form again and another form at the same place are no second; the evidence says why."""
    decision = decided(*matches, description="x" * length)
    told = Evidence("lone_form_in_long_text", 0.0) in decision.evidence
    assert (decision.action, told) == (action, action is Action.REVIEW)


def test_a_form_that_does_not_count_is_not_called_alone():
    """It stands without the company it needs."""
    assert decided(found(company=False), description="x" * 300).evidence == ()


def test_how_long_a_text_with_one_form_may_be_is_policy():
    """A million: any."""
    assert decided(found(), description="x" * 300, policy=f"lone_form_until = 1000000\n{POLICY}").action is Action.BLOCK


def test_a_legal_trade_cue_changes_nothing_else():
    """Review stays review, allow stays allow."""
    assert [decided(found(), LEGAL, score=score).action for score in (0.6, 0.3)] == [Action.REVIEW, Action.ALLOW]


def test_a_context_beside_every_strong_match_turns_block_into_review():
    """However high the score is with it."""
    assert decided(found(weakened_by=("en-faux",))).action is Action.REVIEW
    assert decided(found(weakened_by=("en-faux",)), found("tusk", at=20)).action is Action.BLOCK


def test_what_would_be_blocked_without_its_context_is_reviewed():
    """A benign context never turns BLOCK into ALLOW."""
    assert decided(found(weakened_by=("en-faux",)), score=0.1, strict=0.99).action is Action.REVIEW
    assert decided(found(weakened_by=("en-faux",)), LEGAL, score=0.1, strict=0.99).action is Action.REVIEW


TALK = {"strict_probabilities": {"wildlife_offer": 0.1, "sale": 0.1}, "sale_screen": -1.0}


@pytest.mark.parametrize(
    ("said", "action"),
    [
        ({}, Action.ALLOW),
        ({"strict_probabilities": {"wildlife_offer": 0.6, "sale": 0.1}}, Action.REVIEW),
        ({"strict_probabilities": {"wildlife_offer": 0.1, "sale": 0.6}}, Action.REVIEW),
        ({"sale_screen": 0.1}, Action.REVIEW),
    ],
)
def test_a_context_is_believed_where_all_models_read_talk_without_it(said, action):
    """News of a seizure with the price of it; one model that reads a sale or an offer is enough to look."""
    assert decided(found(weakened_by=("en-news",)), score=0.1, strict=0.99, **TALK | said).action is action


def test_of_a_disguised_form_no_model_reads_talk():
    """They read the text as it is written."""
    hidden = found(weakened_by=("en-news",), views=("leet",))
    assert decided(hidden, score=0.1, strict=0.99, **TALK).action is Action.REVIEW


def test_what_would_not_be_blocked_without_its_context_is_allowed():
    """A low score either way, a weak word that its phrase explains, or an innocent phrase."""
    assert decided(found(level=Level.WITH_COMPANY, explained_by=("en-faux",)), score=0.1, strict=0.99).action is Action.ALLOW
    assert decided(found(weakened_by=("en-faux",)), score=0.1, strict=0.4).action is Action.ALLOW
    assert decided(found(canceled_by=("en-place",)), score=0.0, strict=0.99).action is Action.ALLOW


def test_a_form_without_the_company_it_needs_asks_for_review_at_most():
    """It usually means wildlife, and nothing beside it says so."""
    assert decided(found(level=Level.WITH_COMPANY, company=False), score=1.0).action is Action.REVIEW


# --- what is protected where ---------------------------------------------------------------------

BIRD = found("goldfinch", taxa=("bird",))
DEER = found("hog deer", taxa=("hog_deer",))
YEAR_2005 = datetime(2005, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("match", "market", "posted", "action"),
    [
        (BIRD, "", None, Action.BLOCK),
        (BIRD, "DE", None, Action.BLOCK),
        (BIRD, "SG", None, Action.ALLOW),
        (BIRD, "XX", None, Action.ALLOW),
        (found(), "SG", None, Action.BLOCK),
        (DEER, "VN", None, Action.BLOCK),
        (DEER, "SG", None, Action.ALLOW),
        (DEER, "SG", YEAR_2005, Action.BLOCK),
    ],
)
def test_what_no_list_in_force_in_the_market_names_is_not_stopped(match, market, posted, action):
    """CITES counts everywhere, a union's list in its members, an ended listing on its days; of an unknown market any list."""
    assert decided(match, score=1.0, market=market, posted=posted).action is action


@pytest.mark.parametrize(
    ("unlisted", "expected"),
    [("allow", (Action.ALLOW, "")), ("review", (Action.REVIEW, "wait")), ("as_listed", (Action.BLOCK, "no"))],
)
def test_what_an_unlisted_taxon_asks_for_is_policy(unlisted, expected):
    """Nothing, a person at most, or what it would if it were listed."""
    policy = POLICY.replace("block = 0.9", f'block = 0.9\nunlisted = "{unlisted}"')
    decision = decided(found("goldfinch", taxa=("bird",), level=Level.ALONE), score=1.0, market="SG", policy=policy)
    assert (decision.action, decision.notice) == expected


def test_an_unlisted_taxon_is_said_to_be_one():
    """In the reason, with the market, and in the evidence, where it weighs nothing; its appendix is empty."""
    decision = decided(BIRD, market="SG")
    assert decision.reason == "unlisted other bird “goldfinch” (SG) 0.95"
    assert decision.evidence == (Evidence("on_no_list_in_force", 0.0),)
    assert decision.taxa == (Taxon("bird_other", "Aves", ""),)


def test_a_listed_taxon_beside_an_unlisted_one_decides():
    """And the evidence still says that one of them is on no list."""
    decision = decided(BIRD, found(at=20), market="SG")
    assert (decision.action, decision.reason[:5], decision.evidence) == (Action.BLOCK, "block", (Evidence("on_no_list_in_force", 0.0),))


def test_an_unlisted_taxon_lends_a_listed_one_no_strength():
    """What only usually means a tiger is not refused for the goldfinch beside it."""
    faint = found("tiger", taxa=("tiger",), company=False, at=20)
    assert decided(BIRD, faint, score=1.0, market="SG").action is Action.REVIEW
    assert decided(BIRD, faint, score=1.0, market="DE").action is Action.BLOCK


def test_mammoth_is_on_no_list_and_has_a_policy_of_its_own():
    """A person looks, everywhere, and the reason is the ordinary one."""
    mammoth = decided(found("mammoth ivory", taxa=("mammoth",)), market="SG")
    assert (mammoth.action, mammoth.reason[:6]) == (Action.REVIEW, "review")


def test_a_unions_limits_hold_in_its_members_under_those_of_the_member():
    """[markets.EU] in Germany and not in Singapore."""
    policy = POLICY + "[markets.EU]\nblock = 0.6\n"
    assert [decided(found(), score=0.65, market=market, policy=policy).action for market in ("DE", "SG")] == [Action.BLOCK, Action.REVIEW]
    stricter = policy + "[markets.DE]\nblock = 0.7\n"
    assert decided(found(), score=0.65, market="DE", policy=stricter).action is Action.REVIEW


# --- shadow --------------------------------------------------------------------------------------


def test_in_shadow_nothing_is_asked_and_all_is_recorded():
    """Who is in shadow publishes, and reads later what would have been."""
    quiet = decided(found(), tenant="quiet")
    assert (quiet.action, quiet.shadow_action, quiet.shadow, quiet.notice) == (Action.ALLOW, Action.BLOCK, True, "")
    assert quiet.reason.startswith("block elephant")


def test_out_of_shadow_both_actions_are_one():
    """And it is said."""
    loud = decided(found())
    assert (loud.action, loud.shadow_action, loud.shadow) == (Action.BLOCK, Action.BLOCK, False)


def without(engine, *rules, top=""):
    """The engine with some rules in shadow."""
    policy = f'version = "1.0.0"\nshadow_rules = {list(rules)}\n{top}[thresholds]\nreview = 0.5\nblock = 0.9\n'
    return msgspec.structs.replace(engine, policy=policy_of_text(policy, "p"))


IVORY = Listing(title="Elephant ivory bangle for sale, DM me for price")
BOTH = Listing(title="Elephant ivory bangle and rhino horn cup for sale, DM me for price")


@pytest.fixture
def ivory_rules(engine):
    """The rules that name what IVORY offers."""
    return tuple({match.rule_id for match in score_listing(engine, IVORY).matches if match.kind is RuleKind.PRODUCT})


def test_a_rule_in_shadow_is_recorded_and_not_asked_for(engine, ivory_rules):
    """What it would have done stands in the record, and the evidence says why it is not asked."""
    trial = score_listing(without(msgspec.structs.replace(engine, screen=None), *ivory_rules), IVORY)
    assert (trial.action, trial.shadow_action, trial.shadow, trial.notice) == (Action.ALLOW, Action.BLOCK, True, "")
    assert trial.evidence[-1] == Evidence("rule_in_shadow", 0.0)
    assert trial.score == score_listing(msgspec.structs.replace(engine, screen=None), IVORY).score


def test_other_rules_are_asked_for_beside_one_in_shadow(engine, ivory_rules):
    """By what they score without it."""
    trial = score_listing(without(engine, *ivory_rules), BOTH)
    assert (trial.action, trial.shadow_action, trial.shadow) == (Action.BLOCK, Action.BLOCK, False)


def test_a_cue_in_shadow_is_no_company(engine_without_encoder):
    """With its cues on trial an offer is asked for what it is without them: for a person, not for a refusal."""
    lexicons = msgspec.structs.replace(engine_without_encoder, screen=None)
    found = score_listing(lexicons, IVORY)
    cues = {match.rule_id for match in found.matches if match.kind in {RuleKind.EVASION_CUE, RuleKind.TRADE_CUE}}
    trial = score_listing(without(lexicons, *cues), IVORY)
    assert (found.action, trial.shadow_action, trial.action) == (Action.BLOCK, Action.BLOCK, Action.REVIEW)


def test_rules_in_shadow_change_no_text_without_them(engine):
    """The decision is the same to the last evidence."""
    plain, trial = without(engine), without(engine, "en-no-such-rule")
    assert score_listing(trial, IVORY) == score_listing(plain, IVORY)


# --- what is said --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "notice"),
    [
        ("en", "no"),
        ("zh", "不"),
        ("zh-Hant", "不"),
        ("pt", "nao"),
        ("pt-BR", "nao, cara"),
        ("pt-PT", "nao"),
        ("de", "no"),
        ("und", "no"),
        ("", "no"),
    ],
)
def test_a_notice_is_in_the_language_of_the_text_or_in_english(language, notice):
    """A region's own before the language's."""
    assert decided(found(), language=language).notice == notice


def test_who_is_not_stopped_is_not_spoken_to():
    """ALLOW has no notice, REVIEW has its own."""
    assert [decided(found(), score=score).notice for score in (0.1, 0.6)] == ["", "wait"]


@pytest.mark.parametrize(
    ("language", "market", "notice"),
    [("zh", "TW", "繁"), ("zh", "HK", "繁"), ("zh", "CN", "简"), ("zh", "", "简"), ("zh-Hant", "", "繁"), ("zh-Hant-TW", "", "繁"),
     ("fil", "PH", "tl"), ("pt", "BR", "cara"), ("pt", "PT", "no"), ("vi", "US", "no")],
)  # fmt: skip
def test_a_notice_is_written_as_the_market_writes(language, market, notice):
    """A tag that says no script gets that of its market."""
    kept = 'en = "no"\nzh-Hans = "简"\nzh-Hant = "繁"\ntl = "tl"\npt-BR = "cara"\n'
    policy = f"{POLICY.partition('[notices.block]')[0]}[notices.block]\n{kept}[notices.review]\nen = 'wait'\n"
    assert decided(found(), language=language, market=market, policy=policy).notice == notice


def test_a_reason_is_in_the_moderators_language():
    """That of the tenant before that of the file; a sentence that is missing in it is in English."""
    policy = POLICY.replace("shadow = true", 'moderator_language = "vi"')
    assert decided(found(), policy=policy, tenant="quiet").reason == "bán voi “ivory” 0.95"
    assert decided(found(), policy=policy, tenant="quiet", score=0.6).reason == "review voi “ivory” 0.60"
    assert decided(found(), policy=policy).reason == "block elephant “ivory” 0.95"


@pytest.mark.parametrize(
    ("matches", "score", "reason"),
    [
        ((), 0.9, "unnamed 0.90"),
        ((), 0.1, "nothing"),
        ((found(canceled_by=("en-place",)),), 0.0, "nothing"),
        ((found(),), 0.956, "block elephant “ivory” 0.96"),
        ((found(),), 0.6, "review elephant “ivory” 0.60"),
        ((found(),), 0.1, "explained elephant “ivory” 0.10"),
        ((found(), LEGAL), 0.95, "legal elephant “ivory” 0.95"),
        ((found(), cue("dm me", RuleKind.EVASION_CUE, "price_by_message")), 0.95, "block elephant “ivory”, price by message 0.95"),
        ((found(), found("tiger bone", taxa=("tiger",), at=20)), 0.95, "block elephant, big cat “ivory”, “tiger bone” 0.95"),
        ((found(), found(at=20)), 0.95, "block elephant “ivory” 0.95"),
        (tuple(found(f"form{n}", at=n * 10) for n in range(6)), 0.95, "block elephant “form0”, “form1”, “form2”, “form3” 0.95"),
        ((found("{score}"),), 0.95, "block elephant “{score}” 0.95"),
    ],
)
def test_a_reason_names_groups_surfaces_cues_and_score(matches, score, reason):
    """At most four surfaces, each once; a seller's braces fill nothing in."""
    assert decided(*matches, score=score).reason == reason


def test_what_its_context_alone_keeps_from_being_blocked_is_said_to_be_covered():
    """A moderator should look at the context first."""
    assert decided(found(weakened_by=("en-faux",)), score=0.1, strict=0.99).reason == "covered elephant “ivory” 0.10"


def test_matches_are_shown_in_the_order_of_the_text_with_the_contexts_that_speak():
    """And without forms that need company and have none, or contexts of something else."""
    faux = cue("faux", RuleKind.BENIGN_CONTEXT, at=30)
    other = cue("museum", RuleKind.BENIGN_CONTEXT, at=40)
    alone = found("white plastic", kind=RuleKind.CODE_WORD, level=Level.COMPANY_ONLY, company=False, at=90)
    shown = decided(cue("for sale", RuleKind.TRADE_CUE, at=60), found(weakened_by=("en-faux",), at=35), faux, other, alone).matches
    assert [match.form for match in shown] == ["faux", "ivory", "for sale"]


def test_without_a_taxon_that_stands_nothing_is_shown():
    """Cues alone are nobody's business."""
    assert decided(cue("for sale", RuleKind.TRADE_CUE), found(canceled_by=("en-place",))).matches == ()


def test_taxa_are_those_of_the_strongest_matches_first_and_each_once():
    """Faint ones are named only if there are no others."""
    faint = found("tiger", taxa=("tiger",), level=Level.WITH_COMPANY, company=False)
    weak = found("bone", taxa=("tiger",), at=20)
    strong = [found(at=at, level=Level.ALONE) for at in (40, 60)]
    assert [taxon.group for taxon in decided(weak, *strong).taxa] == ["elephant", "big_cat"]
    assert [taxon.group for taxon in decided(faint, found(at=40)).taxa] == ["elephant"]
    assert [taxon.group for taxon in decided(faint).taxa] == ["big_cat"]


@pytest.mark.parametrize(
    ("taxa", "market", "appendix"),
    [
        (("elephant",), "", "I/II"),
        (("elephant",), "DE", "I/II"),
        (("mammoth",), "", ""),
        (("bird",), "DE", "EU B"),
        (("bird",), "SG", ""),
        (("hog_deer",), "VN", "VN IB"),
        (("hog_deer",), "SG", ""),
        (("hog_deer",), "", "VN IB"),
    ],
)
def test_an_appendix_is_that_of_cites_else_of_the_markets_list_else_empty(taxa, market, appendix):
    """A union's list holds in its members; a listing that has ended counts nowhere; an unknown market is every market.

    A list other than that of CITES says whose it is.
    """
    assert [taxon.appendix for taxon in decided(found(taxa=taxa), market=market).taxa] == [appendix]


@pytest.mark.parametrize(
    ("classification", "reasons"),
    [({}, ()), ({"missing": True}, ("encoder_missing",)), ({"readable": False}, ("encoder_unreadable_language",))],
)
def test_what_was_missing_is_said(classification, reasons):
    """So that a lower score is not taken for a better text."""
    assert decided(found(), **classification).degraded_reasons == reasons


def test_versions_language_and_evidence_are_handed_on():
    """As they came."""
    decision = decided(found(), language="vi")
    assert (decision.versions, decision.language, decision.score) == (VERSIONS, "vi", 0.95)


# --- the same, from texts ------------------------------------------------------------------------


def test_mammoth_ivory_is_never_refused_by_the_default_policy(engine):
    """However openly it is offered."""
    decision = score_listing(engine, Listing(title="Mammoth ivory carving for sale, 300 g, DM me for price"))
    assert (decision.action, {taxon.group for taxon in decision.taxa}) == (Action.REVIEW, {"mammoth"})


def test_a_notice_follows_the_text(engine):
    """象牙 is refused in Chinese."""
    assert score_listing(engine, Listing(title="象牙手镯 老料 加微信")).notice.startswith("此信息")


def test_what_is_crowded_with_what_may_be_disguises_is_not_allowed_unseen():
    """It is for a moderator, whatever the score; what more was found out is not undone by it."""
    plain = decided(score=0.01, read_in_full=False, crowded=True)
    assert (plain.action, plain.reason) == (Action.REVIEW, "crowded")
    assert plain.degraded_reasons == ("disguises_partly_read",)
    assert decided(found(), read_in_full=False, crowded=True).action is Action.BLOCK


def test_a_long_text_of_which_not_all_readings_are_searched_says_so_and_is_decided_by_the_rest():
    """That is no sign of anything by itself; it is told beside what else was missing."""
    decision = decided(score=0.01, read_in_full=False, missing=True)
    assert decision.action is Action.ALLOW
    assert decision.degraded_reasons == ("encoder_missing", "disguises_partly_read")
