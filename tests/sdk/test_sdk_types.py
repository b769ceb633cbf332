"""Values: conversion there and back, spans, marking, printing, ids, outcomes."""

from __future__ import annotations

import html
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wildgate import (
    AccountType,
    Action,
    Attribute,
    BatchResult,
    ContentKind,
    Decision,
    ErrorEstimate,
    Evidence,
    Ground,
    Listing,
    Match,
    Means,
    MeasuredErrors,
    Misuse,
    NoticeSource,
    Outcome,
    OutcomeKind,
    Receipt,
    ReportCount,
    ReportShare,
    Restriction,
    Span,
    SpanUnit,
    StageTiming,
    Taxon,
    TransparencyReport,
    WildgateInvalidRequestError,
    WildgateNotFoundError,
    uuid7,
)
from wildgate import _convert as convert
from wildgate import _convert_outcomes as convert_outcomes
from wildgate._ids import uuid7_from
from wildgate._limits import check_listing, check_outcome
from wildgate._spans import code_point_index, unit_index
from wildgate.v1 import errors_pb2, types_pb2

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
counts = st.integers(0, 2**31)
times = st.datetimes(timezones=st.just(UTC))
actions = st.sampled_from(Action)
listings = st.builds(
    Listing,
    id=texts,
    title=texts,
    description=texts,
    attributes=st.lists(st.tuples(texts, texts), max_size=3),
    content_kind=st.sampled_from(ContentKind),
    category=texts,
    language=texts,
    market=texts,
    seller_ref=texts,
    posted_time=st.none() | times,
)
spans = st.builds(Span, counts, counts)
matches = st.builds(Match, texts, texts, texts, texts, texts, texts, spans, st.lists(texts, max_size=2).map(tuple))
receipts = st.builds(Receipt, texts, counts, texts)
decisions = st.builds(
    Decision,
    action=actions,
    request_id=texts,
    decision_id=st.none() | texts.filter(bool),
    listing_id=texts,
    score=st.floats(0, 1),
    taxa=st.lists(st.builds(Taxon, texts, texts, texts), max_size=2).map(tuple),
    matches=st.lists(matches, max_size=2).map(tuple),
    evidence=st.lists(st.builds(Evidence, texts, st.floats(-9, 9)), max_size=2).map(tuple),
    language=texts,
    reason=texts,
    notice=texts,
    lexicon_version=texts,
    model_version=texts,
    policy_version=texts,
    shadow=st.booleans(),
    shadow_action=actions,
    degraded=st.booleans(),
    degraded_reasons=st.lists(texts, max_size=2).map(tuple),
    receipt=st.none() | receipts,
    timings=st.lists(st.builds(StageTiming, texts, counts), max_size=2).map(tuple),
    span_unit=st.just(SpanUnit.CODE_POINT),
    sample_for_review=st.booleans(),
)
ids = st.uuids().map(str)
outcomes = (
    st.tuples(st.none(), ids)
    .flatmap(st.permutations)
    .flatmap(
        lambda subject: st.builds(
            Outcome,
            decision_id=st.just(subject[0]),
            request_id=st.just(subject[1]),
            applied=st.sampled_from(OutcomeKind),
            means=st.none() | st.sampled_from(Means),
            notice_source=st.none() | st.sampled_from(NoticeSource),
            occurred_time=st.none() | times,
            degraded_action=st.none() | actions,
            degraded_reason=texts,
            restrictions=st.lists(st.sampled_from(Restriction), max_size=3).map(tuple),
            ground=st.none() | st.sampled_from(Ground),
            corrects=st.just("") | ids,
            reference=texts,
            items=st.integers(1, 2**32 - 1),
            misuse=st.none() | st.sampled_from(Misuse),
            authority=texts,
            restricted_until=st.none() | times,
            account_type=st.none() | st.sampled_from(AccountType),
            territories=st.lists(texts, max_size=2).map(tuple),
            taxon_group=texts,
        )
    )
)
totals = st.builds(ReportCount, texts, texts, counts, counts, counts, counts, counts)
shares = st.builds(ReportShare, texts, counts, counts, st.floats(0, 1), st.floats(0, 1))
maybe = st.none() | st.floats(0, 1)
estimates = st.builds(ErrorEstimate, texts, texts, texts, maybe, maybe, maybe, counts, counts, counts)
errors = st.builds(MeasuredErrors, st.lists(estimates, max_size=2).map(tuple), *[counts] * 6, st.integers(0, 2**32 - 1))
reports = st.builds(
    TransparencyReport,
    texts,
    texts,
    totals,
    st.lists(totals, max_size=2).map(tuple),
    st.lists(shares, max_size=2).map(tuple),
    st.dictionaries(texts, counts, max_size=2),
    st.dictionaries(texts, counts, max_size=2),
    st.none() | st.floats(0, 1e6),
    st.lists(receipts, max_size=3).map(tuple),
    st.none() | errors,
)


@given(listings)
def test_a_listing_survives_the_wire(listing: Listing) -> None:
    """Nothing is lost or changed."""
    sent = convert.listing_to_proto(listing).SerializeToString()
    assert convert.listing_from_proto(types_pb2.Listing.FromString(sent)) == listing


@given(decisions)
def test_a_decision_survives_the_wire(decision: Decision) -> None:
    """Nothing is lost or changed."""
    sent = convert.decision_to_proto(decision).SerializeToString()
    assert convert.decision_from_proto(types_pb2.Decision.FromString(sent)) == decision


@given(outcomes)
def test_an_outcome_survives_the_wire(outcome: Outcome) -> None:
    """Nothing is lost or changed."""
    assert convert_outcomes.outcome_from_proto(convert_outcomes.outcome_to_proto(outcome)) == outcome


@given(reports)
def test_a_report_survives_the_wire(report: TransparencyReport) -> None:
    """Nothing is lost or changed."""
    assert convert.report_from_proto(convert.report_to_proto(report)) == report


@pytest.mark.parametrize("number", [0, 4, 99])
def test_an_action_not_known_becomes_a_review(number: int) -> None:
    """And the shadow action that came with it, too."""
    decision = convert.decision_from_proto(types_pb2.Decision(action=number, shadow_action=number))  # type: ignore[arg-type]
    found = (decision.action, decision.shadow_action, decision.degraded, decision.degraded_reasons)
    assert found == (Action.REVIEW, Action.REVIEW, True, ("unknown_action",))


def test_an_error_reason_not_known_falls_back_to_the_code() -> None:
    """A newer service may know more reasons."""
    error = convert.item_error(errors_pb2.ItemError(code=5, reason=99, message="m"))  # type: ignore[arg-type]
    assert (type(error), error.reason) == (WildgateNotFoundError, "NOT_FOUND")


@given(st.text(st.sampled_from("aé象😀🐘\u200d\ufe0f")), st.sampled_from(SpanUnit), st.data())
def test_positions_survive_a_change_of_unit(text: str, unit: SpanUnit, data: Any) -> None:
    """To UTF-16 or UTF-8 and back, astral emoji included."""
    index = data.draw(st.integers(0, len(text)))
    assert code_point_index(text, unit_index(text, index, unit), unit) == index


@pytest.mark.parametrize(("unit", "start"), [("code_point", 3), ("utf16", 5), ("utf8", 9)])
def test_highlighting_reads_every_unit(unit: str, start: int) -> None:
    """Two emoji and a blank stand before the word."""
    listing = Listing(title="🐘😀 ivory!")
    match = Match("r", span=Span(start, start + 5))
    decision = Decision(action=Action.BLOCK, request_id="", matches=(match,), span_unit=SpanUnit(unit))
    assert decision.highlight(listing) == "🐘😀 [ivory]!"


def decision_over(*found: tuple[str, int, int]) -> Decision:
    """Make a decision with matches at these places."""
    made = tuple(Match("r", field=name, span=Span(start, end)) for name, start, end in found)
    return Decision(action=Action.BLOCK, request_id="r", matches=made)


def test_overlapping_matches_are_marked_once() -> None:
    """Marks never cross."""
    decision = decision_over(("title", 0, 5), ("title", 3, 9), ("description", 0, 1))
    assert decision.highlight(Listing(title="elephant ivory")) == "[elephant ]ivory"


def test_highlighting_escapes_the_sellers_text() -> None:
    """For a moderator's web page."""
    marked = decision_over(("title", 3, 8)).highlight(Listing(title="<b>ivory"), before="<mark>", after="</mark>", escape=html.escape)
    assert marked == "&lt;b&gt;<mark>ivory</mark>"


def test_attributes_are_highlighted_by_their_name() -> None:
    """As Match.field writes it."""
    listing = Listing(attributes={"Material": "ivory"})
    decision = decision_over(("attributes[0].value", 0, 5))
    assert decision.highlight(listing, "attributes[0].value") == "[ivory]"


def test_a_span_past_the_end_marks_what_there_is() -> None:
    """No correct service sends one."""
    assert decision_over(("title", 2, 99)).highlight(Listing(title="abcd")) == "ab[cd]"


def test_highlighting_a_field_that_is_not_there_is_refused() -> None:
    """Another listing was passed, most likely."""
    with pytest.raises(WildgateInvalidRequestError, match="no field"):
        decision_over().highlight(Listing(), "attributes[0].name")


@pytest.mark.parametrize(
    "attributes",
    [{"a": "b"}, [("a", "b")], (Attribute("a", "b"),), iter([("a", "b")])],
)
def test_attributes_come_as_mapping_or_pairs(attributes: Any) -> None:
    """Whatever the handler has at hand."""
    assert Listing(attributes=attributes).attributes == (Attribute("a", "b"),)


@pytest.mark.parametrize("attributes", [5, [5], ["abc"]])
def test_other_attributes_are_refused(attributes: Any) -> None:
    """When the listing is made."""
    with pytest.raises(WildgateInvalidRequestError, match="attributes must be"):
        Listing(attributes=attributes)


def test_an_unknown_content_kind_names_the_choices() -> None:
    """So that the mistake is mended at a glance."""
    with pytest.raises(WildgateInvalidRequestError, match="one of listing, social_post, cargo_booking"):
        Listing(content_kind="advert")


def test_values_do_not_change() -> None:
    """Neither going in nor coming out."""
    with pytest.raises(FrozenInstanceError):
        Listing().title = "x"  # type: ignore[misc]


def test_a_time_without_zone_is_refused() -> None:
    """Nobody knows when it was."""
    with pytest.raises(WildgateInvalidRequestError, match="with a time zone"):
        check_listing(Listing(posted_time=datetime(2026, 11, 22, 12)))  # noqa: DTZ001 the point


def test_a_time_of_any_zone_is_the_same_moment() -> None:
    """It travels in UTC."""
    there = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=8)))
    sent = convert.listing_to_proto(Listing(posted_time=there))
    assert convert.listing_from_proto(sent).posted_time == there


def test_a_decision_prints_itself_on_one_line() -> None:
    """Without the seller's words."""
    decision = Decision(
        action=Action.BLOCK,
        request_id="r",
        decision_id="d",
        score=0.973,
        taxa=(Taxon("elephant", "Loxodonta africana", "I"),),
        matches=(Match("rule", surface="secret"),),
        language="en",
    )
    assert str(decision) == "BLOCK 0.97 · elephant (Loxodonta africana, I) · 1 match · en · decision d"


def test_a_degraded_decision_prints_why() -> None:
    """And the request, to look for."""
    decision = Decision(action=Action.ALLOW, request_id="r", degraded=True, degraded_reasons=("unavailable",))
    assert str(decision) == "ALLOW without the service (unavailable), request r"


def test_exactly_one_property_of_an_action_holds() -> None:
    """Allowed, review or blocked."""
    held = [(each.allowed, each.review, each.blocked) for each in (Decision(action=action, request_id="") for action in Action)]
    assert held == [(True, False, False), (False, True, False), (False, False, True)]


def test_unwrapping_an_error_raises_it() -> None:
    """For callers that treat a batch as one thing."""
    with pytest.raises(WildgateNotFoundError):
        BatchResult(0, error=WildgateNotFoundError("gone")).unwrap()


def test_an_unknown_outcome_names_the_choices() -> None:
    """So that the mistake is mended at a glance."""
    with pytest.raises(WildgateInvalidRequestError, match="applied must be one of published, held"):
        Outcome.of(str(uuid7()), "deleted")


@pytest.mark.parametrize("ids", [{}, {"decision_id": str(uuid7()), "request_id": str(uuid7())}])
def test_an_outcome_is_about_one_thing(ids: Any) -> None:
    """Neither none nor two."""
    with pytest.raises(WildgateInvalidRequestError, match="either decision_id or request_id"):
        check_outcome(Outcome(applied=OutcomeKind.HELD, **ids))


def test_an_answer_that_was_not_recorded_is_named_by_its_request() -> None:
    """A service without a store gives no decision_id; nothing degraded is said of it."""
    decision = Decision(action=Action.ALLOW, request_id=str(uuid7()), score=0.1)
    outcome = Outcome.of(decision, "published")
    assert (outcome.request_id, outcome.degraded_action) == (decision.request_id, None)


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**74 - 1))
def test_a_uuid7_is_laid_out_as_rfc_9562_says(milliseconds: int, tail: int) -> None:
    """Time first, then version, variant and the rest."""
    made = uuid7_from(milliseconds, tail)
    rest = (made.int >> 64 & 0xFFF) << 62 | made.int & (1 << 62) - 1
    found = (made.int >> 80, made.version, made.variant, rest)
    assert found == (milliseconds, 7, "specified in RFC 4122", tail)


def test_uuids_sort_by_time() -> None:
    """A later one is greater, to the millisecond."""
    assert uuid7_from(1, 2**74 - 1) < uuid7_from(2, 0)
