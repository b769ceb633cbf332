"""Calls over HTTP as curl, PHP and browsers' tools make them. What the RPCs do over both protocols is in the tests marked `protocols`."""

from __future__ import annotations

import gzip
import signal
import sqlite3
from uuid import uuid4

import pytest
from wildgate.v1 import scoring_pb2, types_pb2
from wildgate_service.http.calls import _peer
from wildgate_service.limiting.attempts import address_of

SCORE = "/wildgate.v1.ScoringService/ScoreListing"
OFFER = {"listing": {"listingId": "42", "title": "elephant tusk"}}
JSON = {"content-type": "application/json"}


def test_answer_has_every_field(browser):
    """Also those that are empty, so that nobody has to ask whether they are there."""
    decision = browser.score({"listing": {"title": "brass lamp"}}).body["decision"]
    expected = ("ACTION_ALLOW", [], [], False)
    assert (decision["action"], decision["matches"], decision["taxa"], decision["shadow"]) == expected


def test_listing_may_be_written_with_the_names_of_the_contract(browser):
    """As protobuf's JSON allows: listing_id as well as listingId."""
    assert browser.score({"listing": {"listing_id": "7", "title": "x"}}).body["decision"]["listingId"] == "7"


def test_answered_decision_is_in_the_store(browser, shared_service):
    """As over gRPC: it is recorded when the answer arrives."""
    decision = browser.score().body["decision"]
    with sqlite3.connect(f"file:{shared_service.store.removeprefix('sqlite:///')}?mode=ro", uri=True) as store:
        query = "SELECT tenant FROM decisions WHERE decision_id = ?"
        assert store.execute(query, (decision["decisionId"],)).fetchall() == [("default",)]


def test_repeat_over_another_protocol_gets_the_recorded_answer(browser, shared):
    """A request is the tenant's, whatever carries it."""
    request_id = str(uuid4())
    first = browser.score(OFFER | {"requestId": request_id}).body["decision"]
    listing = types_pb2.Listing(listing_id="42", title="elephant tusk")
    second = shared.scoring.ScoreListing(scoring_pb2.ScoreListingRequest(request_id=request_id, listing=listing)).decision
    assert first["decisionId"] == second.decision_id


def test_bytes_of_protobuf_are_taken_too(browser):
    """What clients in typed languages send."""
    sent = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(listing_id="9", title="x")).SerializeToString()
    answer = browser.ask(body=sent, headers={"content-type": "application/proto"})
    assert scoring_pb2.ScoreListingResponse.FromString(answer.raw).decision.listing_id == "9"


def test_compressed_request_is_answered_compressed(browser):
    """gzip, if the client says so."""
    headers = JSON | {"content-encoding": "gzip", "accept-encoding": "gzip"}
    answer = browser.ask(body=gzip.compress(b'{"listing":{"title":"elephant tusk"}}'), headers=headers)
    assert (answer.headers["content-encoding"], b"decisionId" in gzip.decompress(answer.raw)) == ("gzip", True)


def test_outcome_is_recorded(browser):
    """A platform without the SDK reports what it did."""
    decision = browser.score().body["decision"]
    outcome = {"outcomeId": str(uuid4()), "decisionId": decision["decisionId"], "kind": "OUTCOME_KIND_REMOVED", "means": "MEANS_AUTOMATED"}
    answer = browser.ask(path="/wildgate.v1.TransparencyService/RecordOutcomes", body={"outcomes": [outcome]})
    assert answer.body == {"results": [{"outcomeId": outcome["outcomeId"], "duplicate": False}]}


# --- keys and limits -----------------------------------------------------------------------------


def test_bad_key_is_refused_with_details_that_can_be_read(start_small, browse, reason_of):
    """401, and the reason in plain JSON beside protobuf's bytes."""
    answer = browse(start_small(http_port=0, require_keys="always")).score(authorization="Bearer wg_0_0")
    assert (answer.status, answer.body["code"], reason_of(answer)) == (401, "unauthenticated", ("API_KEY_INVALID", {}))


def test_bad_keys_of_an_address_are_limited(start_small, browse, reason_of):
    """With gRPC's count: 429, and when to come again."""
    browser = browse(start_small(http_port=0, require_keys="always", bad_keys_per_minute=2))
    statuses = [browser.score().status for _ in range(2)]
    over = browser.score()
    assert (statuses, over.status, reason_of(over)[0], over.headers["retry-after"]) == ([401, 401], 429, "TOO_MANY_ATTEMPTS", "60")


@pytest.mark.parametrize(
    ("address", "counted"), [("192.0.2.7:50123", "192.0.2.7"), ("2001:db8::7:50123", "2001:db8::/64"), ("::ffff:192.0.2.7:1", "192.0.2.7")]
)
def test_address_is_the_one_that_grpc_counts_by(address, counted):
    """Of an IPv6 address the site."""
    assert address_of(_peer(address)) == counted


def test_limit_is_one_for_both_protocols(start_small, browse, connect, reason_of):
    """What came over gRPC is charged to the same tenant; 429 says when there will be room."""
    service = start_small(http_port=0, store="none", limit_per_second=0.01)
    connect(service).scoring.ScoreListing(scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="x")))
    answer = browse(service).score()
    later = int(answer.headers["grpc-retry-pushback-ms"])
    assert (answer.status, reason_of(answer)[0], later > 1000) == (429, "RATE_LIMITED", True)
    assert int(answer.headers["retry-after"]) == -(-later // 1000)


@pytest.mark.slow
def test_key_is_needed_for_rpcs_and_not_for_health(start_small, browse):
    """As over gRPC."""
    browser = browse(start_small(http_port=0, require_keys="always"))
    paths = {"/wildgate.v1.LexiconService/GetLexicon": 401, "/grpc.health.v1.Health/Check": 200}
    assert {path: browser.ask(path=path, body={}).status for path in paths} == paths


# --- deadlines and overload ----------------------------------------------------------------------


def test_call_ends_at_its_deadline(start_small, browse):
    """Connect-Timeout-Ms, while the writer stands still: 504, and its place is given back."""
    service = start_small(http_port=0, max_in_flight=1)
    browser = browse(service)
    browser.score()
    service.kill("writer", signal.SIGSTOP)
    late = browser.score(connect_timeout_ms="300")
    service.kill("writer", signal.SIGCONT)
    assert (late.status, late.body["code"], browser.score().status) == (504, "deadline_exceeded", 200)


@pytest.mark.slow
def test_call_with_no_time_left_is_refused(start_small, browse):
    """Nobody would be there for the answer, as over gRPC; or it ended before it was looked at."""
    answer = browse(start_small(http_port=0)).score(connect_timeout_ms="0")
    assert answer.status in {429, 504}


@pytest.mark.parametrize("timeout", ["soon", "-1", "1" * 11])
def test_deadline_that_is_none_is_refused(browser, timeout):
    """Not taken for no deadline."""
    assert (browser.score(connect_timeout_ms=timeout).status, browser.score().status) == (400, 200)


# --- what is no call -----------------------------------------------------------------------------

NO_CALLS = {
    "unknown path": ("POST", "/wildgate.v1.ScoringService/Nothing", JSON, 404),
    "root": ("GET", "/", {}, 404),
    "method": ("GET", SCORE, JSON, 405),
    "options": ("OPTIONS", SCORE, {"origin": "https://example.org", "access-control-request-method": "POST"}, 405),
    "type of a form": ("POST", SCORE, {"content-type": "application/x-www-form-urlencoded"}, 415),
    "no type": ("POST", SCORE, {}, 415),
    "gRPC": ("POST", SCORE, {"content-type": "application/grpc"}, 415),
    "gRPC-Web": ("POST", SCORE, {"content-type": "application/grpc-web+json"}, 415),
    "a stream": ("POST", SCORE, {"content-type": "application/connect+json"}, 415),
    "posting the description": ("POST", "/openapi.json", JSON, 405),
    "another version of the protocol": ("POST", SCORE, JSON | {"connect-protocol-version": "2"}, 400),
    "unknown compression": ("POST", SCORE, JSON | {"content-encoding": "br"}, 501),
}


@pytest.mark.parametrize(("method", "path", "headers", "status"), NO_CALLS.values(), ids=NO_CALLS)
def test_what_is_no_call_gets_a_clear_error(browser, method, path, headers, status):
    """JSON with code and sentence, on a connection that goes on."""
    answer = browser.ask(method, path, "{}" if method == "POST" else None, headers)
    assert (answer.status, set(answer.body) >= {"code", "message"}, browser.score().status) == (status, True, 200)


def test_no_site_may_call_from_a_visitors_browser(browser):
    """No answer permits another origin."""
    answer = browser.score(origin="https://example.org")
    assert [name for name in answer.headers if name.lower().startswith("access-control")] == []


# --- pages ---------------------------------------------------------------------------------------


def test_health_is_a_page_too(browser):
    """For load balancers, which can only GET."""
    answers = [browser.ask(method, "/healthz", headers={}) for method in ("GET", "HEAD")]
    assert [(each.status, each.body) for each in answers] == [(200, {"status": "SERVING"}), (200, b"")]


def test_health_of_a_service_that_there_is_not_is_unknown(browser):
    """By name, as grpc.health.v1 has it."""
    path = "/grpc.health.v1.Health/Check"
    asked = [browser.ask(path=path, body={"service": name}).body["status"] for name in ("wildgate.v1.LexiconService", "nobody")]
    assert asked == ["SERVING", "SERVICE_UNKNOWN"]


@pytest.mark.slow
def test_description_can_be_turned_off_with_reflection(start_small, browse):
    """Not everybody wants to show it."""
    assert browse(start_small(http_port=0, reflection=False)).ask("GET", "/openapi.json", headers={}).status == 404


def test_calls_are_counted_by_protocol(browser, shared_service, until):
    """Beside the counts by RPC and code, which are of both."""
    address = shared_service.wait_for("metrics_serving")["address"]
    browser.score()
    metrics = type(browser)(address)

    def shown():
        content = metrics.ask("GET", "/metrics", headers={}).raw.decode()
        metrics.connection.close()
        return 'wildgate_protocol_requests_total{protocol="http"}' in content

    until(shown, "the count")
