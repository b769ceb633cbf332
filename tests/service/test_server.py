"""The RPCs of a real service, over a real socket, with a real store."""

from __future__ import annotations

import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import grpc
import pytest
import wildgate
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from wildgate.v1 import errors_pb2, lexicon_pb2, scoring_pb2, types_pb2

pytestmark = pytest.mark.protocols("grpc", "http")

OFFER = types_pb2.Listing(listing_id="42", title="🐘 elephant tusk", seller_ref="me")
STOPPED = {types_pb2.ACTION_REVIEW, types_pb2.ACTION_BLOCK}
DRESS = types_pb2.Listing(listing_id="43", title="ivory dress")


def request(listing=OFFER, **fields):
    return scoring_pb2.ScoreListingRequest(listing=listing, **fields)


def score(stubs, listing=OFFER, **fields):
    return stubs.scoring.ScoreListing(request(listing, **fields)).decision


def stored(service, decision_id):
    path = service.store.removeprefix("sqlite:///")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        query = "SELECT tenant, action FROM decisions WHERE decision_id = ?"
        return store.execute(query, (decision_id,)).fetchall()


def test_offer_is_stopped(shared):
    """The form stands alone, so the text is an offer; what is done about it is policy's."""
    assert score(shared).action in STOPPED


def test_ordinary_listing_is_allowed(shared):
    """And has no matches."""
    decision = score(shared, DRESS)
    assert (decision.action, len(decision.matches)) == (types_pb2.ACTION_ALLOW, 0)


def test_answer_echoes_the_listing(shared):
    """The platform finds its own id in the answer."""
    assert score(shared, DRESS).listing_id == "43"


def test_answered_decision_is_in_the_store(shared, shared_service):
    """Its id is a key of table `decisions` when the answer arrives."""
    decision = score(shared)
    action = types_pb2.Action.Name(decision.action).removeprefix("ACTION_").lower()
    assert stored(shared_service, decision.decision_id) == [("default", action)]


def test_decision_id_is_a_uuid7(shared):
    """Ids sort by time."""
    assert UUID(score(shared).decision_id).version == 7


def test_service_makes_a_request_id_where_none_came(shared):
    """Two calls without one are two requests."""
    assert score(shared).request_id != score(shared).request_id


def test_receipt_counts_up(shared):
    """Positions in the log ascend with the answers to one caller."""
    assert score(shared).receipt.position < score(shared).receipt.position


def test_repeat_gets_the_recorded_answer(shared):
    """A retry of the same request is not a second decision."""
    request_id = str(uuid4())
    first, second = score(shared, request_id=request_id), score(shared, request_id=request_id)
    assert (first.decision_id, first.receipt) == (second.decision_id, second.receipt)


def test_repeat_may_ask_for_another_explanation(shared):
    """What was recorded is shown again, as far and in the unit that the repeat asks for."""
    request_id = str(uuid4())
    score(shared, request_id=request_id, explain=types_pb2.EXPLAIN_NONE)
    again = score(shared, request_id=request_id, span_unit=types_pb2.SPAN_UNIT_UTF16)
    assert [(m.surface, m.span.start, m.span.end) for m in again.matches] == [("elephant tusk", 3, 16)]


def test_request_id_of_another_listing_is_refused(shared, error_of):
    """One id, two texts: one of them would get the other's decision."""
    request_id = str(uuid4())
    score(shared, request_id=request_id)
    error = error_of(shared.scoring.ScoreListing, request(DRESS, request_id=request_id))
    assert error == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", {})


def test_missing_encoder_is_said(shared, shared_service):
    """The service starts without it, logs that, and answers that wanted it are degraded."""
    decision = score(shared)
    logged = len(shared_service.events("encoder_missing"))
    assert (logged, list(decision.degraded_reasons)) == (1, ["encoder_missing"])


def test_full_explanation_times_every_stage(shared):
    """Recording is a stage too."""
    timings = score(shared, explain=types_pb2.EXPLAIN_FULL).timings
    expected = ["normalize", "match", "classify", "fuse", "decide", "record"]
    assert expected == [timing.stage for timing in timings]


def test_restricted_rule_shows_its_form_without_keys(shared):
    """Who may call without a key has all scopes."""
    decision = score(shared, types_pb2.Listing(title="white gold tusk"))
    assert [match.form for match in decision.matches] == ["white gold tusk"]


# --- batches -------------------------------------------------------------------------------------


def batch(stubs, *items):
    wanted = scoring_pb2.BatchScoreListingsRequest(items=items)
    return stubs.scoring.BatchScoreListings(wanted).results


def item(correlation_id="", listing=OFFER, **fields):
    return scoring_pb2.BatchItem(correlation_id=correlation_id, listing=listing, **fields)


def test_batch_answers_in_order(shared):
    """Also where correlation ids are empty or stand twice."""
    results = batch(shared, item("a"), item("", DRESS), item("a", DRESS))
    stopped = [(each.correlation_id, each.decision.action in STOPPED) for each in results]
    assert stopped == [("a", True), ("", False), ("a", False)]


def test_broken_item_has_its_own_error(shared):
    """The others go on."""
    results = batch(shared, item("a", types_pb2.Listing(title="x" * 1001)), item("b"))
    error = results[0].error
    expected = (3, errors_pb2.ERROR_REASON_FIELD_TOO_LONG, {"field": "title", "limit": "1000", "actual": "1001"})
    assert (error.code, error.reason, dict(error.metadata)) == expected
    assert results[1].decision.action in STOPPED


def test_item_without_listing_has_its_own_error(shared):
    """A field that was forgotten is not an empty listing."""
    (result,) = batch(shared, scoring_pb2.BatchItem(correlation_id="a"))
    assert dict(result.error.metadata) == {"field": "listing"}


def test_correlation_id_has_a_limit(shared):
    """256 code points, as the contract says."""
    results = batch(shared, item("x" * 257), item("x" * 256))
    assert [result.WhichOneof("result") for result in results] == ["error", "decision"]


def test_request_that_stands_twice_in_a_batch_is_decided_once(shared):
    """(tenant, request_id) is unique there too."""
    request_id = str(uuid4())
    results = batch(shared, item(request_id=request_id), item(request_id=request_id))
    assert results[0].decision.decision_id == results[1].decision.decision_id


def test_batch_of_256_is_answered(shared):
    """The limit itself is allowed."""
    assert len(batch(shared, *[item()] * 256)) == 256


def test_batch_of_257_is_refused(shared, error_of):
    """One more is not."""
    wanted = scoring_pb2.BatchScoreListingsRequest(items=[item()] * 257)
    error = error_of(shared.scoring.BatchScoreListings, wanted)
    metadata = {"field": "items", "limit": "256", "actual": "257"}
    assert error == (grpc.StatusCode.INVALID_ARGUMENT, "TOO_MANY_ITEMS", metadata)


def test_empty_batch_is_answered(shared):
    """Nothing asked, nothing answered, no error."""
    assert len(batch(shared)) == 0


# --- lexicons ------------------------------------------------------------------------------------


def test_lexicon_counts_its_rules(shared):
    """By language."""
    served = shared.lexicon.GetLexicon(lexicon_pb2.GetLexiconRequest())
    (english,) = served.languages
    counts = (english.language, english.rules, english.forms)
    assert (served.lexicon_version[:6], counts) == ("1.0.0+", ("en", 2, 2))


def test_version_of_the_lexicon_is_in_every_answer(shared):
    """The same that GetLexicon tells."""
    served = shared.lexicon.GetLexicon(lexicon_pb2.GetLexiconRequest())
    assert score(shared).lexicon_version == served.lexicon_version


def test_rules_are_linted_with_lines(shared):
    """The text of a broken file gets findings, and nothing changes."""
    wanted = lexicon_pb2.ValidateRulesRequest(yaml="- id: [")
    findings = shared.lexicon.ValidateRules(wanted).findings
    assert [(finding.line > 0, finding.code[:3]) for finding in findings] == [(True, "LEX")]


def test_rules_have_a_limit(shared, error_of):
    """A million bytes."""
    wanted = lexicon_pb2.ValidateRulesRequest(yaml="#" * 1_000_001)
    assert error_of(shared.lexicon.ValidateRules, wanted)[1] == "FIELD_TOO_LONG"


# --- health, reflection, limits ------------------------------------------------------------------


@pytest.mark.protocols("grpc")
@pytest.mark.parametrize("name", ["", "wildgate.v1.ScoringService"])
def test_health_says_serving(shared, name):
    """Of the whole and of each service."""
    stub = health_pb2_grpc.HealthStub(shared.channel)
    answer = stub.Check(health_pb2.HealthCheckRequest(service=name))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.protocols("grpc")
def test_reflection_lists_the_services(shared):
    """Tools such as grpcurl need no proto files."""
    stub = reflection_pb2_grpc.ServerReflectionStub(shared.channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = stub.ServerReflectionInfo(iter([asked]))
    names = {service.name for service in answer.list_services_response.service}
    expected = {f"wildgate.v1.{name}Service" for name in ("Scoring", "Transparency", "Lexicon")}
    assert names >= expected


@pytest.mark.protocols("grpc")
def test_reflection_can_be_turned_off(start_small, connect):
    """Not everybody wants to show it."""
    stub = reflection_pb2_grpc.ServerReflectionStub(connect(start_small(reflection=False)).channel)
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.ServerReflectionInfo(iter([])))
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.protocols("grpc")
def test_call_over_capacity_is_pushed_back(start_small, connect, until, error_of):
    """The writer stands still, so the calls before stay in flight: the next is refused, and told when."""
    service = start_small(max_in_flight=2)
    stubs = connect(service)
    score(stubs)
    service.kill("writer", signal.SIGSTOP)
    waiting = [stubs.scoring.ScoreListing.future(request()) for _ in range(2)]
    until(lambda: refused(stubs), "a call over capacity")
    error = error_of(stubs.scoring.ScoreListing, request(), timeout=30)
    service.kill("writer", signal.SIGCONT)
    answered = [bool(call.result().decision.decision_id) for call in waiting]
    assert (error[:2], answered) == ((grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"), [True, True])


def refused(stubs):
    """Whether a call is refused at once; one that is not is given up, and then not in flight."""
    try:
        stubs.scoring.ScoreListing(request(), timeout=0.2)
    except grpc.RpcError as error:
        trailing = dict(error.trailing_metadata() or ())
        return trailing.get("grpc-retry-pushback-ms") == "100"
    return False


def test_message_over_the_limit_is_refused(shared):
    """What would only fill memory is refused by gRPC itself."""
    listing = types_pb2.Listing(description="x" * (5 << 20))
    with pytest.raises(grpc.RpcError) as caught:
        score(shared, listing)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_message_over_the_limit_is_no_overload_to_the_client(start_small):
    """The refusal of gRPC itself reaches the caller as an error, never as a degraded answer."""
    service = start_small(max_message_bytes=262_144)
    text = "".join(map(chr, range(0x4E00, 0x9C20)))  # no character twice, so that compression hardly helps
    items = [wildgate.Listing(description=text)] * 50
    with (
        wildgate.Client(service.target, insecure=True, on_unavailable="allow") as client,
        pytest.raises(wildgate.WildgateInvalidRequestError, match="larger than max"),
    ):
        client.score_batch(items, timeout=60)


def test_calls_of_many_connections_are_all_answered(start_small, connect):
    """Two workers, eight connections, no id twice."""
    service = start_small(workers=2)
    stubs = [connect(service) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: score(stubs[n % 8]).decision_id, range(200)))
    assert len(set(answers)) == 200


def test_store_none_answers_without_decision_id(start_small, connect):
    """Nothing is recorded, and the answer does not claim it."""
    decision = score(connect(start_small(store="none")))
    said = (decision.decision_id, decision.HasField("receipt"), decision.action in STOPPED)
    assert said == ("", False, True)
