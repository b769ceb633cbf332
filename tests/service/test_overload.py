"""More than the service can do, over a real socket: what is refused, how, and that what is accepted is right."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from wildgate.v1 import scoring_pb2, types_pb2
from wildgate_service.admission import Admission
from wildgate_service.lexicon import compile_lexicons
from wildgate_service.pipeline import load_engine
from wildgate_service.rpc import Caller, Serving
from wildgate_service.rpc.scoring import Scoring
from wildgate_service.secrets import load_secrets
from wildgate_service.settings import load_settings
from wildgate_service.status import Reason, Refusal

MAX_IN_FLIGHT = 32
PROMISED = {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED}
ROOM_KIB = 32 * 1024


def request(number=0, *, offer=True):
    title = "elephant tusk" if offer else "ivory dress"
    return scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(listing_id=str(number), title=f"{title} {number}"))


def recorded(service):
    path = service.store.removeprefix("sqlite:///")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        return [row[0] for row in store.execute("SELECT listing_id FROM decisions ORDER BY listing_id")]


@pytest.fixture
def full(start_small, connect, until):
    """A service with one place, which is taken until the writer goes on; and stubs to it."""
    service = start_small(max_in_flight=1)
    stubs = connect(service)
    stubs.scoring.ScoreListing(request(1))
    service.kill("writer", signal.SIGSTOP)
    waiting = stubs.scoring.ScoreListing.future(request(2))
    until(lambda: code_of(stubs) is grpc.StatusCode.RESOURCE_EXHAUSTED, "a service that is full")
    yield service, stubs, waiting
    service.kill("writer", signal.SIGCONT)


def code_of(stubs):
    """Status of a call that is given up soon."""
    try:
        stubs.scoring.ScoreListing(request(3), timeout=0.2)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_a_refusal_says_why_and_when_to_come_back(full, error_of):
    """ErrorInfo for machines, the pushback for clients that retry by themselves."""
    _, stubs, _ = full
    assert error_of(stubs.scoring.ScoreListing, request(4)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", {})
    with pytest.raises(grpc.RpcError) as caught:
        stubs.scoring.ScoreListing(request(5))
    assert dict(caught.value.trailing_metadata())["grpc-retry-pushback-ms"] == "100"


def test_a_batch_is_refused_alike(full, error_of):
    """And before it is read: it is no request at all, which would else be said."""
    _, stubs, _ = full
    method = stubs.channel.unary_unary("/wildgate.v1.ScoringService/BatchScoreListings")
    assert error_of(method, b"\xff")[:2] == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")


def test_health_says_serving_under_overload(full):
    """Else the ones that are left would get the load of those taken out."""
    _, stubs, _ = full
    answer = health_pb2_grpc.HealthStub(stubs.channel).Check(health_pb2.HealthCheckRequest(service="wildgate.v1.ScoringService"))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_what_is_refused_is_not_recorded(full, until):
    """What was accepted is, and answered, as soon as the writer goes on."""
    service, stubs, waiting = full
    for number in range(10, 20):
        with pytest.raises(grpc.RpcError):
            stubs.scoring.ScoreListing(request(number))
    service.kill("writer", signal.SIGCONT)
    assert waiting.result().decision.listing_id == "2"
    until(lambda: code_of(stubs) is grpc.StatusCode.OK, "a service with room")
    assert [number for number in recorded(service) if int(number) >= 10] == []


def flood(connections, rounds):
    """Ten times as many calls at a time as the service may hold; (number, answer or error) of each."""
    ended = []
    for turn in range(rounds):
        first = turn * 10 * MAX_IN_FLIGHT
        calls = [
            (number, connections[number % len(connections)].scoring.ScoreListing.future(request(number, offer=number % 2 == 0), timeout=30))
            for number in range(first, first + 10 * MAX_IN_FLIGHT)
        ]
        ended += [(number, call.exception() or call.result().decision) for number, call in calls]
    return ended


def pss_kib(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1])


def test_a_flood_is_refused_and_what_is_accepted_is_right(start_small, connect):
    """Every call ends as the contract says, every answer is that of its own listing, and memory does not grow with the flood."""
    service = start_small(max_in_flight=MAX_IN_FLIGHT)
    connections = [connect(service) for _ in range(8)]
    flood(connections, 1)
    before = pss_kib(service.pid("worker-0"))
    ended = flood(connections, 10)
    codes = Counter(each.code() if isinstance(each, grpc.RpcError) else grpc.StatusCode.OK for _, each in ended)
    assert set(codes) <= PROMISED
    assert codes[grpc.StatusCode.OK] > 0
    answers = [(number, each) for number, each in ended if not isinstance(each, grpc.RpcError)]
    wrong = [n for n, each in answers if each.listing_id != str(n) or (each.action == types_pb2.ACTION_ALLOW) != bool(n % 2)]
    assert wrong == []
    assert pss_kib(service.pid("worker-0")) - before < ROOM_KIB


# --- calls that nobody waits for any more, without a socket ---------------------------------------


class Notebook:
    """Stands for the writer: keeps what it is given, and never answers."""

    waiting_seconds = 0.0

    def __init__(self):
        self.records = []

    async def record(self, record):
        """Keep it, and end the call."""
        self.records.append(record)
        raise asyncio.CancelledError


@pytest.fixture
def scoring(lexicons, tmp_path):
    """The RPCs over a notebook."""
    settings = load_settings(environment={}).settings
    serving = Serving(
        settings=settings,
        engine=load_engine(compile_lexicons(lexicons, tmp_path)),
        writer=Notebook(),
        secrets=load_secrets(tmp_path / "secrets", create=True),
        admission=Admission(settings.longest_wait, settings.max_in_flight),
    )
    serving.secrets.tenant_key(Caller().tenant)
    return SimpleNamespace(rpc=Scoring(serving), serving=serving)


def reason_of(call):
    """Why it is refused."""
    with pytest.raises(Refusal) as caught:
        asyncio.run(call)
    return caught.value.reason


def test_an_expired_call_is_neither_read_nor_recorded(scoring):
    """Its bytes are no request at all, which nobody finds out."""
    call = scoring.rpc.score_listing(b"\xff", Caller(deadline=time.monotonic()))
    assert (reason_of(call), scoring.serving.writer.records) == (Reason.OVERLOADED, [])


def test_a_call_that_expires_while_it_is_scored_is_not_recorded(scoring, monkeypatch):
    """A decision that reaches nobody is none."""
    deadline = time.monotonic() + 60
    monkeypatch.setattr("wildgate_service.rpc.scoring.time.monotonic", lambda: deadline)
    call = scoring.rpc.score_listing(request().SerializeToString(), Caller(deadline=deadline))
    assert (reason_of(call), scoring.serving.writer.records) == (Reason.OVERLOADED, [])


def test_a_call_in_time_is_recorded(scoring):
    """The same call with time left."""
    call = scoring.rpc.score_listing(request().SerializeToString(), Caller(deadline=time.monotonic() + 60))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(call)
    assert [record.listing_id for record in scoring.serving.writer.records] == ["0"]


def test_listings_of_a_batch_are_held_until_they_are_answered(scoring):
    """And no longer."""
    items = [scoring_pb2.BatchItem(listing=request(number).listing) for number in range(3)]
    held = []
    scoring.serving.writer.record = lambda _: held.append(scoring.serving.admission.held)
    batch = scoring_pb2.BatchScoreListingsRequest(items=items)
    asyncio.run(scoring.rpc.batch_score_listings(batch.SerializeToString(), Caller()))
    assert (held, scoring.serving.admission.held) == ([3, 3, 3], 0)
