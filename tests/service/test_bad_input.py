"""Bad input: every one gets its own clear error, none an incident, and no text ever comes back."""

from __future__ import annotations

import grpc
import pytest
from wildgate.v1 import lexicon_pb2, scoring_pb2, transparency_pb2, types_pb2

pytestmark = pytest.mark.protocols("grpc", "http")

SCORE = "/wildgate.v1.ScoringService/ScoreListing"
INVALID = grpc.StatusCode.INVALID_ARGUMENT
FORM = "elephant tusk"


def send(shared, listing, **fields):
    wanted = scoring_pb2.ScoreListingRequest(listing=listing, **fields)
    return shared.scoring.ScoreListing(wanted).decision


def raw(shared, path):
    """The method without any serializer: bytes go as they are."""
    return shared.channel.unary_unary(path)


def title_bytes(title):
    """A request written by hand, for protobuf refuses to write text that is not UTF-8."""
    listing = b"\x1a" + bytes([len(title)]) + title
    return b"\x12" + bytes([len(listing)]) + listing


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xff\xff",
        b"\x12\x7f",
        title_bytes(b"\xff\xfe"),
        title_bytes(b"\xed\xa0\xbd\xed\xb0\x98"),
        title_bytes(b"\xc0\x80"),
    ],
    ids=["garbage", "cut short", "not UTF-8", "surrogates", "overlong"],
)
def test_bytes_that_are_no_request_are_refused(shared, error_of, payload):
    """INVALID_ARGUMENT, not the INTERNAL that gRPC makes of what it cannot deserialize."""
    assert error_of(raw(shared, SCORE), payload) == (INVALID, "FIELD_INVALID", {"field": "request"})


@pytest.mark.parametrize(
    ("service", "method"),
    [
        ("Scoring", "BatchScoreListings"),
        ("Transparency", "RecordOutcomes"),
        ("Transparency", "GetTransparencyReport"),
        ("Transparency", "ExportStatementsOfReasons"),
        ("Lexicon", "GetLexicon"),
        ("Lexicon", "ReloadLexicon"),
        ("Lexicon", "ValidateRules"),
    ],
)
def test_every_method_refuses_garbage(shared, error_of, service, method):
    """All read their requests in one way."""
    call = raw(shared, f"/wildgate.v1.{service}Service/{method}")
    assert error_of(call, b"\xff\xff\xff")[:2] == (INVALID, "FIELD_INVALID")


def test_unknown_method_is_unimplemented(shared):
    """A newer client calls an older service."""
    with pytest.raises(grpc.RpcError) as caught:
        raw(shared, "/wildgate.v1.ScoringService/Guess")(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_field_of_a_newer_contract_is_ignored(shared):
    """Unknown fields are no errors in protobuf."""
    payload = title_bytes(FORM.encode()) + b"\xc2\x3e\x03abc"
    answer = scoring_pb2.ScoreListingResponse.FromString(raw(shared, SCORE)(payload))
    assert len(answer.decision.matches) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"title": "x" * 1001}, ("FIELD_TOO_LONG", "title")),
        ({"title": "🐘" * 1001}, ("FIELD_TOO_LONG", "title")),
        ({"description": "🐘" * 300_000}, ("FIELD_TOO_LONG", "description")),
        ({"title": "t", "category": "x" * 257}, ("FIELD_TOO_LONG", "category")),
        ({"title": "t", "seller_ref": "x" * 257}, ("FIELD_TOO_LONG", "seller_ref")),
        ({"attributes": [types_pb2.Attribute(name="a")] * 65}, ("TOO_MANY_ITEMS", "attributes")),
        (
            {"attributes": [types_pb2.Attribute(name="a", value="x" * 257)]},
            ("FIELD_TOO_LONG", "attributes[0].value"),
        ),
        ({}, ("FIELD_MISSING", "title")),
        ({"category": "only"}, ("FIELD_MISSING", "title")),
        ({"title": "t", "content_kind": 42}, ("FIELD_INVALID", "content_kind")),
        ({"title": "t", "market": "🇸🇬"}, ("FIELD_INVALID", "market")),
        ({"title": "t", "language": "en_US!"}, ("FIELD_INVALID", "language")),
    ],
)
def test_listing_that_cannot_be_names_its_field(shared, error_of, fields, expected):
    """Never silently cut, never guessed."""
    wanted = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(**fields))
    code, reason, metadata = error_of(shared.scoring.ScoreListing, wanted)
    assert (code, (reason, metadata["field"])) == (INVALID, expected)


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"explain": 42}, "explain"), ({"span_unit": 42}, "span_unit"), ({"request_id": "42"}, "request_id")],
)
def test_request_that_cannot_be_names_its_field(shared, error_of, fields, field):
    """The listing is not to blame."""
    wanted = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="t"), **fields)
    assert error_of(shared.scoring.ScoreListing, wanted) == (INVALID, "FIELD_INVALID", {"field": field})


def test_request_without_listing_is_refused(shared, error_of):
    """An empty message is a request that forgot it."""
    error = error_of(shared.scoring.ScoreListing, scoring_pb2.ScoreListingRequest())
    assert error == (INVALID, "FIELD_MISSING", {"field": "listing"})


@pytest.mark.parametrize(
    "text",
    [
        "".join(map(chr, range(32))) + FORM,
        f"{FORM}\x00",
        f"\u202e{FORM}\u202c\u2066",
        "\ufeff" * 500 + f" {FORM}",
        "e\u0301" * 400 + f" {FORM}",
        "🐘" * 900 + f" {FORM}",
        "👨\u200d👩\u200d👧\u200d👦" * 100 + f" {FORM}",
        "\U0010ffff\ufffe " + FORM,
        "ﷺ" * 900 + f" {FORM}",
    ],
    ids=["control", "NUL", "bidi", "BOM", "combining", "emoji", "joined", "noncharacter", "expanding"],
)
def test_strange_text_is_scored(shared, text):
    """It may be strange because somebody hides something; it is not refused, and the offer is found."""
    decision = send(shared, types_pb2.Listing(title=text))
    assert {match.surface for match in decision.matches} == {FORM}


def test_surface_is_cut_from_the_text_as_sent(shared):
    """After NUL, emoji and marks, the span still holds the very words."""
    title = f"\x00🐘e\u0301 {FORM} 🐘"
    (match,) = send(shared, types_pb2.Listing(title=title), span_unit=types_pb2.SPAN_UNIT_UTF8).matches
    assert title.encode()[match.span.start : match.span.end].decode() == FORM


def test_largest_listing_is_scored(shared):
    """At every limit at once."""
    listing = types_pb2.Listing(
        listing_id="i" * 256,
        title="t" * 1000,
        description=f"{FORM} " * (20_000 // (len(FORM) + 1)),
        attributes=[types_pb2.Attribute(name="n" * 256, value="v" * 256)] * 64,
        seller_ref="s" * 256,
    )
    assert len(send(shared, listing).matches) == 8  # the most that is kept of one form


def test_yaml_that_attacks_its_reader_is_a_finding(shared):
    """No tag is run, no alias explodes."""
    for text in ("- !!python/object/apply:os.getpid []", "a: &a [1]\nb: *c"):
        findings = shared.lexicon.ValidateRules(lexicon_pb2.ValidateRulesRequest(yaml=text)).findings
        assert len(findings) > 0


def test_day_beyond_the_calendar_is_refused(shared, error_of):
    """2026 is no leap year."""
    wanted = transparency_pb2.GetTransparencyReportRequest(start_date="2026-02-29", end_date="2026-03-01")
    assert error_of(shared.transparency.GetTransparencyReport, wanted)[1] == "FIELD_INVALID"


def test_bad_input_is_no_incident_and_is_not_logged(shared, shared_service):
    """After all of the above and this: no defect logged, and none of the text."""
    send(shared, types_pb2.Listing(title=f"{FORM} sesquipedalian"))
    log = shared_service.log
    assert ("incident" in log, "sesquipedalian" in log) == (False, False)
