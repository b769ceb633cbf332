"""The contract of a transport, call by call: what goes in and out of an RPC, as clients of gRPC expect it."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import zlib

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from wildgate.v1 import scoring_pb2, scoring_pb2_grpc, types_pb2
from wildgate_service.lexicon import compile_lexicons
from wildgate_service.pipeline import load_engine, score_listing
from wildgate_service.types import Listing

TITLES = ("elephant tusk", "ivory dress", "🐘 white gold tusk", "объявление", "")
FOUR_MIB = 4 << 20
OVER = "8"  # RESOURCE_EXHAUSTED


@pytest.fixture(scope="module")
def in_process(shared_service, tmp_path_factory):
    """Action, score and matches of a title, without a wire."""
    engine = load_engine(compile_lexicons(shared_service.folder / "lexicons", tmp_path_factory.mktemp("lexicon")))

    def decide(title):
        decision = score_listing(engine, Listing(title=title, description="and more"))
        return decision.action, round(decision.score, 6), [match.surface for match in decision.matches]

    return decide


def as_decided(decision):
    action = types_pb2.Action.Name(decision.action).removeprefix("ACTION_").lower()
    return action, round(decision.score, 6), [match.surface for match in decision.matches]


def request(title="elephant tusk", description="and more"):
    return scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title=title, description=description))


@pytest.mark.parametrize("title", TITLES)
def test_a_call_is_answered_as_in_process(shared, in_process, title):
    """The wire changes nothing."""
    assert as_decided(shared.scoring.ScoreListing(request(title)).decision) == in_process(title)


def test_a_batch_is_answered_as_in_process(shared, in_process):
    """Item by item, in order."""
    items = [scoring_pb2.BatchItem(correlation_id=title, listing=request(title).listing) for title in TITLES]
    results = shared.scoring.BatchScoreListings(scoring_pb2.BatchScoreListingsRequest(items=items)).results
    assert [(each.correlation_id, as_decided(each.decision)) for each in results] == [(title, in_process(title)) for title in TITLES]


def test_an_empty_message_reaches_the_rpc(raw, shared_service):
    """No byte is a message too: it says which field is missing."""
    answer = raw.to(shared_service).ask(raw.framed(b""))
    info = error_details_pb2.ErrorInfo()
    answer.details.details[0].Unpack(info)
    assert (answer.status, info.reason, dict(info.metadata)) == ("3", "FIELD_MISSING", {"field": "listing"})


def test_a_refusal_has_no_message_and_says_why_in_words(raw, shared_service):
    """grpc-message is percent-encoded, as the protocol has it."""
    answer = raw.to(shared_service).ask(raw.framed(b"\xff"))
    assert (answer.status, answer.body, bool(answer.headers["grpc-message"])) == ("3", b"", True)


def test_an_answer_is_what_the_protocol_says(raw, shared_service):
    """Status and kind of content at the head, the status of the call at the end."""
    answer = raw.to(shared_service).ask()
    kind = answer.headers["content-type"].removesuffix("+proto")
    assert (answer.headers[":status"], kind, answer.headers["grpc-status"]) == ("200", "application/grpc", "0")


# --- metadata ------------------------------------------------------------------------------------


def test_metadata_of_all_kinds_is_taken(shared):
    """Many, twice the same, empty, binary, longer than a frame's worth of index."""
    metadata = [("x-request-id", "42"), ("x-request-id", "43"), ("x-empty", ""), ("x-trace-bin", bytes(range(256))), ("x-long", "v" * 4000)]
    assert shared.scoring.ScoreListing(request(), metadata=metadata).decision.decision_id


def test_content_type_may_name_its_codec(raw, shared_service):
    """As "application/grpc+proto"."""
    assert raw.to(shared_service).ask(headers={"content-type": "application/grpc+proto"}).status == "0"


@pytest.mark.parametrize("headers", [{":path": "/wildgate.v1.ScoringService/Guess"}, {":path": "/nobody.Knows/This"}, {":path": "/"}])
def test_an_unknown_method_is_unimplemented(raw, shared_service, headers):
    """Of a service that there is, or is not."""
    assert raw.to(shared_service).ask(headers=headers).status == "12"


@pytest.mark.parametrize(
    "headers",
    [{"content-type": "text/html"}, {"content-type": None}, {":method": "GET"}, {":method": "PUT"}],
    ids=["HTML", "no content-type", "GET", "PUT"],
)
def test_what_is_no_call_is_refused_or_answered(raw, shared_service, serves, headers):
    """A browser, a probe of HTTP: grpcio answers any content type, others say 415; the service goes on, and nothing is an incident."""
    answer = raw.to(shared_service).ask(headers=headers)
    assert (answer.status != "", serves(), "incident" in shared_service.log) == (True, True, False)


# --- sizes and compression -----------------------------------------------------------------------


def batch_of(size):
    """A batch of about so many bytes; its listings are too long, so each gets an error."""
    listing = types_pb2.Listing(title="t", description="x" * (size // 10))
    return scoring_pb2.BatchScoreListingsRequest(items=[scoring_pb2.BatchItem(listing=listing)] * 10)


def test_a_message_just_under_the_limit_is_read(shared):
    """Four mebibytes, as the shared service is set."""
    results = shared.scoring.BatchScoreListings(batch_of(FOUR_MIB - 2000)).results
    assert [each.error.code for each in results] == [3] * 10


def test_a_message_over_the_limit_is_refused(shared):
    """Whole, before it is scored."""
    with pytest.raises(grpc.RpcError) as caught:
        shared.scoring.BatchScoreListings(batch_of(FOUR_MIB + 4000))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_length_over_the_limit_is_refused_before_the_bytes_come(raw, shared_service):
    """Else the prefix alone would make the server wait for gigabytes."""
    client = raw.to(shared_service)
    stream = client.begin({})
    client.send(stream, raw.framed(b"x" * 100, length=2**31), end=False)
    assert client.answer(stream).status in {OVER, "reset"}


@pytest.mark.parametrize(("name", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_message_is_read(raw, shared_service, name, compress):
    """As clients send them that were told to."""
    body = raw.framed(compress(raw.OFFER.SerializeToString()), compressed=1)
    answer = raw.to(shared_service).ask(body, {"grpc-encoding": name})
    assert answer.status == "0"


def test_a_client_that_compresses_is_answered(shared):
    """By grpcio itself, whatever the answer is compressed by."""
    assert shared.scoring.ScoreListing(request(), compression=grpc.Compression.Gzip).decision.decision_id


def test_an_unknown_compression_is_refused(raw, shared_service):
    """What it cannot read is not guessed."""
    answer = raw.to(shared_service).ask(raw.framed(b"x", compressed=1), {"grpc-encoding": "snappy"})
    assert answer.status in {"12", "13", "reset"}


def test_a_small_message_that_unpacks_to_a_huge_one_is_refused(raw, shared_service, serves):
    """The limit holds for what comes out."""
    body = raw.framed(gzip.compress(b"\0" * (64 << 20)), compressed=1)
    answer = raw.to(shared_service).ask(body, {"grpc-encoding": "gzip"})
    assert (answer.status, serves()) == (OVER, True)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"\0\0\0", {}),
        (b"\0\0\0\0\x09abc", {}),
        (b"\x01\0\0\0\x03abc", {}),
        (b"\x01\0\0\0\x03abc", {"grpc-encoding": "gzip"}),
    ],
    ids=["no message", "half a prefix", "half a message", "compressed, by nothing", "compressed, broken"],
)
def test_a_body_that_is_no_message_is_refused(raw, shared_service, serves, body, headers):
    """With any status but OK, at the latest at its deadline: grpcio waits for the rest."""
    answer = raw.to(shared_service).ask(body, headers | {"grpc-timeout": "1S"})
    assert (answer.status in {"", "0"}, serves()) == (False, True)


def test_a_second_message_is_not_taken_for_the_first(raw, shared_service):
    """A unary call has one: it is refused, or the first is answered."""
    answer = raw.to(shared_service).ask(raw.framed(raw.OFFER.SerializeToString()) + raw.framed(b"\xff"))
    decided = scoring_pb2.ScoreListingResponse.FromString(answer.message).decision
    assert answer.status != "0" or [match.surface for match in decided.matches] == ["elephant tusk"]


# --- health --------------------------------------------------------------------------------------


def test_health_of_a_stranger_is_not_found(shared):
    """NOT_FOUND, as the protocol of health has it."""
    with pytest.raises(grpc.RpcError) as caught:
        health_pb2_grpc.HealthStub(shared.channel).Check(health_pb2.HealthCheckRequest(service="stranger"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_watch_of_health_begins_with_what_is(shared):
    """And stays open until the client has enough."""
    watch = health_pb2_grpc.HealthStub(shared.channel).Watch(health_pb2.HealthCheckRequest())
    first = next(watch).status
    watch.cancel()
    assert first == health_pb2.HealthCheckResponse.SERVING


# --- TLS -----------------------------------------------------------------------------------------


def test_tls_is_spoken_or_refused_in_words(start_small, tmp_path):
    """A transport that has none does not serve plaintext in its stead: the service does not start, and the log says why."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    pem, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=wildgate -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*made.split(), "-out", pem, "-keyout", key], check=True, capture_output=True)
    service, why = None, ""
    try:
        service = start_small(tls_certificate=str(pem), tls_private_key=str(key))
    except pytest.fail.Exception as failed:
        why = str(failed)
    if service is None:
        assert "has no TLS; put a proxy before it" in why
        return
    with grpc.secure_channel(service.target, grpc.ssl_channel_credentials(pem.read_bytes())) as channel:
        assert scoring_pb2_grpc.ScoringServiceStub(channel).ScoreListing(request()).decision.decision_id
