"""Between the contract and the types: spans in the caller's unit, no more explanation than allowed."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from wildgate.v1 import types_pb2
from wildgate_service.errors import InvalidListingError
from wildgate_service.status import Reason, Refusal
from wildgate_service.types import (
    Action,
    Attribute,
    ContentKind,
    Decision,
    Evidence,
    Level,
    Listing,
    Match,
    RuleKind,
    Taxon,
    Versions,
)
from wildgate_service.wire import (
    Explain,
    SpanUnit,
    from_decision,
    positions_in,
    to_explain,
    to_listing,
    to_span_unit,
    to_uuid,
)

LISTING = Listing(
    id="42",
    title="🐘🐘 ivory",
    description="naïve 𝔦vory",
    attributes=(Attribute("🦴", "ivory"),),
)


def match_at(field, start, end, **changes):
    plain = Match(
        rule_id="en-ivory",
        kind=RuleKind.PRODUCT,
        level=Level.ALONE,
        language="en",
        form="ivory",
        gloss="elephant ivory",
        surface="",
        field=field,
        start=start,
        end=end,
        skeleton_start=0,
        skeleton_end=0,
    )
    return msgspec.structs.replace(plain, **changes)


def decision_with(*matches):
    return Decision(
        action=Action.ALLOW,
        shadow_action=Action.BLOCK,
        shadow=True,
        score=0.9,
        language="en",
        taxa=(Taxon("elephant", "Elephantidae", "I"),),
        matches=matches,
        evidence=(Evidence("form_alone", 6.0),),
        reason="a reason",
        notice="a notice",
        versions=Versions("1", "2", "3"),
        degraded_reasons=("encoder_missing",),
    )


def answer(*matches, explain=Explain.FULL, unit=SpanUnit.CODE_POINT, restricted=False):
    return from_decision(
        decision_with(*matches),
        LISTING,
        explain=explain,
        unit=unit,
        restricted=restricted,
        timings=[("normalize", 2500)],
    )


@pytest.mark.parametrize(
    ("field", "start", "end", "unit", "expected"),
    [
        ("title", 3, 8, SpanUnit.CODE_POINT, (3, 8)),
        ("title", 3, 8, SpanUnit.UTF16, (5, 10)),
        ("title", 3, 8, SpanUnit.UTF8, (9, 14)),
        ("description", 6, 11, SpanUnit.UTF16, (6, 12)),
        ("description", 6, 11, SpanUnit.UTF8, (7, 15)),
        ("attributes[0].value", 0, 5, SpanUnit.UTF8, (0, 5)),
        ("attributes[0].name", 0, 1, SpanUnit.UTF16, (0, 2)),
    ],
)
def test_span_is_in_the_unit_asked_for(field, start, end, unit, expected):
    """Characters beyond the basic plane are 1 code point, 2 UTF-16 units, 4 bytes."""
    span = answer(match_at(field, start, end), unit=unit).matches[0].span
    assert expected == (span.start, span.end)


def test_spans_that_overlap_and_go_backwards_are_each_right():
    """Matches come in the order of the text, but inner ones end before outer ones do."""
    matches = (match_at("title", 0, 8), match_at("title", 1, 2), match_at("title", 0, 1))
    spans = [(m.span.start, m.span.end) for m in answer(*matches, unit=SpanUnit.UTF16).matches]
    assert spans == [(0, 10), (2, 4), (0, 2)]


@given(
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    places=st.lists(st.integers(0, 50), min_size=1),
    unit=st.sampled_from([SpanUnit.UTF16, SpanUnit.UTF8]),
)
def test_positions_are_lengths_of_what_stands_before(text, places, unit):
    """The slow twin: encode all that stands before the position, and count."""
    wanted = {min(place, len(text)) for place in places}
    encoding, width = {SpanUnit.UTF16: ("utf-16-le", 2), SpanUnit.UTF8: ("utf-8", 1)}[unit]
    expected = {place: len(text[:place].encode(encoding)) // width for place in wanted}
    assert expected == positions_in(text, wanted, unit)


@pytest.mark.parametrize(
    ("explain", "shown"),
    [
        (Explain.NONE, []),
        (Explain.TAXA, ["taxa"]),
        (Explain.MATCHES, ["taxa", "matches", "reason"]),
        (Explain.FULL, ["taxa", "matches", "evidence", "reason", "timings"]),
    ],
)
def test_explanation_is_cut_to_the_level(explain, shown):
    """Each level holds those before it; what no level hides is always there."""
    always = {
        "listing_id",
        "action",
        "score",
        "language",
        "notice",
        "lexicon_version",
        "model_version",
        "policy_version",
        "shadow",
        "shadow_action",
        "degraded",
        "degraded_reasons",
    }
    message = answer(match_at("title", 3, 8), explain=explain)
    assert set(shown) == {field.name for field, _ in message.ListFields()} - always


def test_timings_are_in_microseconds():
    """Stages are measured in nanoseconds and told in microseconds."""
    assert answer().timings[0].microseconds == 2


@pytest.mark.parametrize(("allowed", "expected"), [(False, ("", "")), (True, ("ivory", "elephant ivory"))])
def test_restricted_form_needs_the_scope(allowed, expected):
    """Published code words teach evasion: only the scope shows form and gloss."""
    message = answer(match_at("title", 3, 8, restricted=True), restricted=allowed).matches[0]
    assert expected == (message.form, message.gloss)


@pytest.mark.parametrize(
    ("requested", "cap", "expected"),
    [
        (types_pb2.EXPLAIN_UNSPECIFIED, Explain.FULL, Explain.MATCHES),
        (types_pb2.EXPLAIN_UNSPECIFIED, Explain.TAXA, Explain.TAXA),
        (types_pb2.EXPLAIN_NONE, Explain.FULL, Explain.NONE),
        (types_pb2.EXPLAIN_FULL, Explain.MATCHES, Explain.MATCHES),
    ],
)
def test_level_is_the_one_asked_for_up_to_the_cap(requested, cap, expected):
    """Nothing asked for is the default, here MATCHES."""
    assert expected is to_explain(requested, Explain.MATCHES, cap)


def test_span_unit_that_is_not_said_is_code_points():
    """The contract's 0 has a meaning."""
    assert to_span_unit(types_pb2.SPAN_UNIT_UNSPECIFIED) is SpanUnit.CODE_POINT


def test_an_id_that_no_store_can_keep_is_refused():
    """PostgreSQL has no character NUL, and one such id would fail the group that it is recorded with."""
    with pytest.raises(Refusal) as refused:
        to_listing(types_pb2.Listing(listing_id="a\0b", title="x", content_kind=1))
    assert refused.value.reason is Reason.FIELD_INVALID


def test_listing_arrives_whole():
    """Every field of the contract has its place in the type."""
    posted = Timestamp(seconds=1_700_000_000)
    message = types_pb2.Listing(
        listing_id="42",
        content_kind=types_pb2.CONTENT_KIND_SOCIAL_POST,
        title="t",
        description="d",
        attributes=[types_pb2.Attribute(name="n", value="v")],
        category="c",
        language="zh-Hant",
        market="sg",
        seller_ref="s",
        posted_time=posted,
    )
    expected = Listing(
        id="42",
        content_kind=ContentKind.SOCIAL_POST,
        title="t",
        description="d",
        attributes=(Attribute("n", "v"),),
        category="c",
        language="zh-Hant",
        market="SG",
        seller_ref="s",
        posted_time=datetime.fromtimestamp(1_700_000_000, UTC),
    )
    assert expected == to_listing(message)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content_kind", 99),
        ("posted_time", Timestamp(seconds=1 << 60)),
    ],
)
def test_field_that_cannot_be_is_named(field, value):
    """FIELD_INVALID with the field, whatever the value."""
    with pytest.raises(Refusal) as caught:
        to_listing(types_pb2.Listing(title="t", **{field: value}))
    assert (caught.value.reason, caught.value.metadata) == (Reason.FIELD_INVALID, {"field": field})


@pytest.mark.parametrize(
    ("field", "value"), [("language", "not a language"), ("language", "x" * 1000), ("market", "Singapore"), ("market", "1")]
)
def test_tag_that_cannot_be_is_named(field, value):
    """The same, by the check that the command line shares."""
    with pytest.raises(InvalidListingError) as caught:
        to_listing(types_pb2.Listing(title="t", **{field: value}))
    assert (caught.value.reason, caught.value.metadata) == ("FIELD_INVALID", {"field": field})


@pytest.mark.parametrize("read", [lambda: to_explain(9, Explain.NONE, Explain.NONE), lambda: to_span_unit(9)])
def test_number_that_no_enumeration_has_is_refused(read):
    """A newer client asks for what this service cannot give: better said than guessed."""
    with pytest.raises(Refusal) as caught:
        read()
    assert caught.value.reason is Reason.FIELD_INVALID


@pytest.mark.parametrize("text", ["42", "0190-", "{01890a5d-ac96-774b-bcce-b302099a8057}", "ё" * 36])
def test_what_is_no_uuid_is_refused(text):
    """Only the 36 characters of the canonical form are a UUID here."""
    with pytest.raises(Refusal):
        to_uuid(text, "request_id")


def test_uuid_is_kept_in_lower_case():
    """Two spellings of one UUID are one request."""
    assert to_uuid("01890A5D-AC96-774B-BCCE-B302099A8057", "f") == "01890a5d-ac96-774b-bcce-b302099a8057"
