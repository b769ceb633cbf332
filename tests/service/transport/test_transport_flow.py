"""The contract of a transport, over time: deadlines, cancellation, many calls at once, slow readers, an end without loss."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import Counter

import grpc
import pytest
import wildgate
from google.rpc import error_details_pb2
from wildgate.v1 import scoring_pb2, scoring_pb2_grpc, types_pb2

MANY = 1_000
# What is said of a call that no worker took: dropped unread, refused, or sent to a port whose listener has just closed.
NEVER_TAKEN = ("OverloadedError('CANCELLED')", "shutting down", "connections to all backends failing")
TRIES = 10
HALT_SECONDS = 1.5  # the service waits three for its writer
REQUEST = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="elephant tusk"))
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def code_of(stubs, timeout=0.3):
    """Status of a call that is given up soon."""
    try:
        stubs.scoring.ScoreListing(REQUEST, timeout=timeout)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.fixture
def halted(start_small, connect):
    """Start a service whose writer stands still, so that calls stay in flight until `go_on`."""
    services = []

    def start(**settings):
        service = start_small(**settings)
        stubs = connect(service)
        stubs.scoring.ScoreListing(REQUEST)
        service.kill("writer", signal.SIGSTOP)
        services.append(service)
        return service, stubs

    yield start
    for service in services:
        if service.process.poll() is None:
            service.kill("writer", signal.SIGCONT)


# --- deadlines and cancellation ------------------------------------------------------------------


def test_the_server_ends_a_call_at_its_deadline(halted, raw):
    """By itself: this client has no clock."""
    service, _ = halted()
    answer = raw.to(service).ask(headers={"grpc-timeout": "300m"})
    assert answer.status in {"4", "reset"}


def test_the_server_says_that_it_was_the_deadline(halted, raw):
    """DEADLINE_EXCEEDED, where a bare reset would say nothing."""
    service, _ = halted()
    assert raw.to(service).ask(headers={"grpc-timeout": "300m"}).status == "4"


def test_the_deadline_reaches_the_rpc(halted, until, error_of):
    """With a writer that is behind, a call with less time than that is refused at once, and one with more is not."""
    _, stubs = halted()
    waiting = stubs.scoring.ScoreListing.future(REQUEST, timeout=60)
    until(lambda: code_of(stubs, 0.5) is EXHAUSTED, "a refusal for want of time")
    in_time = stubs.scoring.ScoreListing.future(REQUEST, timeout=60)
    refused = error_of(stubs.scoring.ScoreListing, REQUEST, timeout=0.5)
    assert (refused[:2], waiting.done(), in_time.done()) == ((EXHAUSTED, "OVERLOADED"), False, False)


@pytest.mark.parametrize("timeout", ["1n", "0m", "100u"])
def test_a_deadline_that_has_passed_is_answered_with_an_error(shared_service, raw, serves, timeout):
    """Before or after the message was read."""
    answer = raw.to(shared_service).ask(headers={"grpc-timeout": timeout})
    assert (answer.status in {"4", "8", "1", "reset"}, serves()) == (True, True)


def test_a_malformed_timeout_is_no_incident(shared_service, raw, serves):
    """It is refused or looked past."""
    answer = raw.to(shared_service).ask(headers={"grpc-timeout": "soon"})
    assert (answer.status != "", serves(), "incident" in shared_service.log) == (True, True, False)


def test_a_message_that_never_comes_whole_ends_at_the_deadline(shared_service, raw):
    """The place is not held for ever."""
    client = raw.to(shared_service)
    stream = client.begin({"grpc-timeout": "300m"})
    client.send(stream, raw.framed(b"x" * 10, length=100), end=False)
    assert client.answer(stream).status in {"4", "reset"}


def ended_by_deadline(raw, service):
    raw.to(service).ask(headers={"grpc-timeout": "300m"})


def canceled_by_client(raw, service):
    client = raw.to(service)
    stream = client.call()
    client.h2.reset_stream(stream, 8)  # CANCEL
    client.flush()
    client.settle()


def cut_off(raw, service):
    client = raw.to(service)
    client.call()
    client.close()


@pytest.mark.parametrize("end", [ended_by_deadline, canceled_by_client, cut_off])
def test_a_call_that_has_ended_gives_its_place_back(halted, raw, end):
    """There is one place, and soon the next call gets it: it is not refused but waits for the writer, which gives up later than this."""
    service, stubs = halted(max_in_flight=1)
    end(raw, service)
    codes = []
    while len(codes) < TRIES and grpc.StatusCode.DEADLINE_EXCEEDED not in codes:
        codes.append(code_of(stubs))
        time.sleep(0.1)
    assert codes[-1] is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_call_over_the_limit_is_pushed_back(halted, raw, until):
    """As long as the place is taken."""
    service, stubs = halted(max_in_flight=1)
    probe = raw.to(service)
    held, refused = [], []

    def refusal():
        if not held or held[-1].done():  # the writer was given up
            held.append(stubs.scoring.ScoreListing.future(REQUEST))
        refused.append(probe.ask(headers={"grpc-timeout": "300m"}))
        return refused[-1].status == "8"

    until(refusal, "a refusal")
    assert refused[-1].headers["grpc-retry-pushback-ms"] == "100"


# --- many calls, slow readers --------------------------------------------------------------------


async def ask_many(target, count):
    async with grpc.aio.insecure_channel(target) as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        calls = [
            stub.ScoreListing(scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(listing_id=str(n), title="elephant tusk")))
            for n in range(count)
        ]
        return [(await call).decision.listing_id for call in calls]


def test_a_thousand_calls_are_in_flight_on_one_connection(halted):
    """The writer lets none be answered until all could have come; each gets its own answer."""
    service, _ = halted(max_waiting=2 * MANY, max_in_flight=2 * MANY)
    timer = threading.Timer(HALT_SECONDS, service.kill, ("writer", signal.SIGCONT))
    timer.start()
    answers = asyncio.run(ask_many(service.target, MANY))
    assert answers == [str(number) for number in range(MANY)]


def big_batch(count=256):
    listing = types_pb2.Listing(title="elephant tusk " * 8, description="elephant tusk " * 20)
    items = [scoring_pb2.BatchItem(correlation_id=str(number), listing=listing) for number in range(count)]
    return scoring_pb2.BatchScoreListingsRequest(items=items, explain=types_pb2.EXPLAIN_FULL).SerializeToString()


def test_a_slow_reader_is_waited_for_and_gets_everything(shared_service, raw, serves):
    """No more than its window is sent, others are answered meanwhile, and at the end nothing is missing."""
    client = raw.to(shared_service, INITIAL_WINDOW_SIZE=1000)
    client.grants = False
    stream = client.call(raw.framed(big_batch()), {":path": raw.BATCH})
    client.until(lambda: len(client.answers[stream].body) >= 1000)
    held, served = len(client.answers[stream].body), serves()
    client.grants = True
    client.h2.increment_flow_control_window(2**30, stream)
    client.h2.increment_flow_control_window(2**30)
    client.flush()
    results = scoring_pb2.BatchScoreListingsResponse.FromString(client.answer(stream).message).results
    assert (held, served, [each.correlation_id for each in results]) == (1000, True, [str(number) for number in range(256)])


def test_a_reader_that_goes_while_it_is_waited_for_does_no_harm(shared_service, raw, serves):
    """A hundred of them."""
    for _ in range(20):
        client = raw.to(shared_service, INITIAL_WINDOW_SIZE=1)
        client.grants = False
        for _ in range(5):
            client.call(raw.framed(big_batch(8)), {":path": raw.BATCH})
        client.close()
    assert serves()


def test_a_flood_ends_each_call_with_a_status_of_the_contract(shared_service, raw, serves):
    """Two thousand at once from one connection, all read afterwards."""
    client = raw.to(shared_service)
    client.ask()
    most = min(2_000, client.h2.remote_settings.max_concurrent_streams)
    streams = [client.call() for _ in range(most)]
    codes = Counter(client.answer(stream).status for stream in streams)
    assert (set(codes) <= {"0", "8", "1", "reset"}, codes["0"] > 0, serves()) == (True, True, True)


# --- the end -------------------------------------------------------------------------------------


def test_a_call_in_flight_is_answered_after_sigterm(halted, raw, until):
    """The connection says that no more will be taken, answers what it has, and closes; the service ends well."""
    service, _ = halted(max_in_flight=1)
    client, other = raw.to(service), raw.to(service)
    streams = [client.call()]

    def holds():
        if client.ended(streams[-1]):  # the writer was given up
            streams.append(client.call())
        return other.ask(headers={"grpc-timeout": "300m"}).status == "8"

    until(holds, "a call that has the only place")
    service.process.terminate()
    client.until(lambda: client.goaway)
    service.kill("writer", signal.SIGCONT)
    answer = client.answer(streams[-1])
    closed = client.until_closed()
    assert (reason_of(answer) in {"", "STORE_UNAVAILABLE"}, client.goaway.error_code, closed, service.process.wait(60)) == (
        True,
        0,
        True,
        0,
    )


def reason_of(answer):
    """Why a call was refused, "" if it was not; on a busy machine the service may give up its writer, which this test halts."""
    if answer.status == "0":
        return ""
    info = error_details_pb2.ErrorInfo()
    return info.reason if "grpc-status-details-bin" in answer.headers and answer.details.details[0].Unpack(info) else answer.status


def test_no_call_is_cut_off_while_workers_are_replaced(start_small):
    """Two workers end in turn, four clients go on asking: each call is answered, or was never taken; none is cut off."""
    service = start_small(workers=2)
    failed, answered, ending = [], [], threading.Event()

    def ask():
        with wildgate.Client(service.target, insecure=True, on_unavailable="raise") as client:
            while not ending.is_set():
                try:
                    answered.append(client.score(wildgate.Listing(title="elephant tusk"), timeout=10).decision_id)
                except wildgate.WildgateError as error:
                    failed.append(repr(error))

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    for name in ("worker-0", "worker-1", "worker-0"):
        time.sleep(1)
        before = len(service.events("worker_ready", name=name))
        service.kill(name, signal.SIGTERM)
        service.wait_for("worker_ready", before + 1, name=name)
    ending.set()
    for client in clients:
        client.join()
    print(f"{len(answered)} answered, not so: {Counter(failed)}")  # noqa: T201  (what docs/transports.md tells)
    cut_off = [error for error in failed if not any(said in error for said in NEVER_TAKEN)]
    assert (cut_off, len(set(answered)) == len(answered) > 0) == ([], True)


def test_workers_share_a_port(start_small, raw):
    """Two workers, forty connections: both have some."""
    service = start_small(workers=2)
    clients = [raw.to(service) for _ in range(40)]
    assert {client.ask().status for client in clients} == {"0"}
    used = [ticks(service.pid(name)) for name in ("worker-0", "worker-1")]
    for client in clients:
        for _ in range(50):
            client.ask()
    assert all(ticks(service.pid(name)) > before for name, before in zip(("worker-0", "worker-1"), used, strict=True))


def ticks(pid):
    """Processor time of a process, in ticks."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:  # noqa: PTH123
        fields = stat.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
