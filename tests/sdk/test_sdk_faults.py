"""Both clients behind a proxy that breaks connections: the policy holds, everything is counted, and the client finds back by itself.

How late a call ends, and how long finding back takes, is measured by benchmarks/load/sdk_faults.py, on the real service.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wildgate import Listing, WildgateError, WildgateInternalError, WildgateUnavailableError, uuid7
from wildgate.testing import FakeWildgate

LOAD = str(Path(__file__).parents[2] / "benchmarks" / "load")
sys.path.insert(0, LOAD)
from fault_proxy import Fault, FaultProxy  # noqa: E402
from name_server import NameServer  # noqa: E402

sys.path.remove(LOAD)

LISTING = Listing(id="42", title="Ivory bangle")
CALLS = 3
SHORT = 0.2
WAIT_SECONDS = 40
OUTAGES = sorted(set(Fault) - {Fault.NONE, Fault.GOAWAY, Fault.BAD_MESSAGE, Fault.STUCK})
REASONS = {"unavailable", "deadline_exceeded"}


@pytest.fixture
def proxy(fake: FakeWildgate) -> Iterator[FaultProxy]:
    """Yield a proxy before the fake service, a real gRPC server."""
    with FaultProxy(fake.target) as between:
        yield between


def is_answered_again(client: Any) -> bool:
    """Call until the service answers; nobody tells the client that it may."""
    ends = time.monotonic() + WAIT_SECONDS
    while not (answered := client.score(LISTING, timeout=SHORT).answered) and time.monotonic() < ends:
        time.sleep(0.01)
    return bool(answered)


@pytest.mark.parametrize("fault", OUTAGES)
def test_an_outage_is_decided_by_policy_and_ends_by_itself(make_client: Any, proxy: FaultProxy, fault: Fault) -> None:
    """On a connection that worked before, with every call in the counters."""
    client = make_client(proxy.target, on_unavailable="review")
    assert client.score(LISTING).answered
    proxy.set(fault)
    decisions = [client.score(LISTING, timeout=SHORT) for _ in range(CALLS)]
    assert [(each.review, each.answered) for each in decisions] == [(True, False)] * CALLS
    assert {reason for each in decisions for reason in each.degraded_reasons} <= REASONS
    counted = client.stats
    assert (sum(counted.degraded.values()), counted.decisions, counted.errors) == (CALLS, 1, {})
    proxy.set(Fault.NONE)
    assert is_answered_again(client)


@pytest.mark.parametrize("fault", OUTAGES)
def test_an_outage_is_raised_if_asked_to(make_client: Any, proxy: FaultProxy, fault: Fault) -> None:
    """As an error of which a retry makes sense; nothing of gRPC's gets out."""
    client = make_client(proxy.target)
    client.score(LISTING)
    proxy.set(fault)
    with pytest.raises(WildgateUnavailableError) as caught:
        client.score(LISTING, timeout=SHORT)
    assert caught.value.is_retryable()


@pytest.mark.parametrize("fault", OUTAGES)
def test_an_outcome_is_never_lost_without_a_word(make_client: Any, fake: FakeWildgate, proxy: FaultProxy, fault: Fault) -> None:
    """It raises whatever the policy, and sent again with the same id it is recorded once."""
    client = make_client(proxy.target, on_unavailable="allow")
    decision = client.score(LISTING)
    outcome_id = str(uuid7())
    proxy.set(fault)
    with pytest.raises(WildgateUnavailableError):
        client.report_outcome(decision, "removed", outcome_id=outcome_id, timeout=SHORT)
    proxy.set(Fault.NONE)
    assert is_answered_again(client)
    client.report_outcome(decision, "removed", outcome_id=outcome_id)
    assert [outcome.outcome_id for outcome in fake.outcomes] == [outcome_id]


def test_an_orderly_goaway_costs_no_call(make_client: Any, proxy: FaultProxy) -> None:
    """Each answer is followed by one, so each call has a connection of its own."""
    client = make_client(proxy.target, on_unavailable="review")
    client.wait_ready(30)
    proxy.set(Fault.GOAWAY)
    before = proxy.connections
    assert [client.score(LISTING).answered for _ in range(20)] == [True] * 20
    assert proxy.connections > before + 10


def test_a_corrupt_message_is_a_defect(make_client: Any, proxy: FaultProxy) -> None:
    """The connection is sound and what it carries is no answer: another service, or a broken one."""
    client = make_client(proxy.target, on_unavailable="allow")
    client.wait_ready(30)
    proxy.set(Fault.BAD_MESSAGE)
    with pytest.raises(WildgateInternalError):
        client.score(LISTING)


@pytest.mark.slow
def test_a_stuck_peer_is_left(make_client: Any, proxy: FaultProxy) -> None:
    """The connection stays open and says nothing; new ones work, and the client makes one."""
    client = make_client(proxy.target, on_unavailable="review")
    assert client.score(LISTING).answered
    proxy.set(Fault.STUCK)
    assert client.score(LISTING, timeout=SHORT).degraded_reasons == ("deadline_exceeded",)
    assert is_answered_again(client)


def test_a_batch_in_an_outage_is_decided_by_policy(make_client: Any, proxy: FaultProxy) -> None:
    """Each listing of it."""
    client = make_client(proxy.target, on_unavailable="block")
    client.wait_ready(30)
    proxy.set(Fault.RESET_IN_RESPONSE)
    results = client.score_batch([LISTING] * 3, timeout=1.0)
    assert [result.unwrap().blocked for result in results] == [True] * 3


def test_an_address_that_changes_behind_a_name_is_found(make_client: Any, fake: FakeWildgate, proxy: FaultProxy) -> None:
    """The name is looked up again when the old address is gone."""
    with NameServer("127.0.0.1") as names, FaultProxy(fake.target, host="127.0.0.2", port=proxy.port) as moved:
        client = make_client(f"dns://{names.authority}/wildgate.test:{proxy.port}", on_unavailable="review")
        assert is_answered_again(client)
        names.address = "127.0.0.2"
        proxy.set(Fault.REFUSED)
        assert is_answered_again(client)
        assert moved.connections > 0


def test_one_of_two_addresses_may_fail_at_any_time(make_client: Any, fake: FakeWildgate) -> None:
    """A call that its connection failed gets its second attempt at the other."""
    with FaultProxy(fake.target) as one, FaultProxy(fake.target) as other:
        client = make_client(f"ipv4:{one.target},{other.target}", on_unavailable="review")
        while not (one.connections and other.connections):
            client.score(LISTING)
        one.set(Fault.REFUSED)
        assert [client.score(LISTING).answered for _ in range(20)] == [True] * 20


def test_a_call_that_an_ending_service_dropped_is_tried_again(make_client: Any, fake: FakeWildgate) -> None:
    """GRPC drops what a server has not read when it stops, as CANCELLED."""
    fake.fail("CANCELLED", times=1)
    assert make_client(fake.target).score(LISTING).answered


def test_a_handshake_that_stalls_ends_at_the_deadline(make_client: Any, fake: FakeWildgate) -> None:
    """With TLS, from the first call on."""
    with FaultProxy(fake.target, framed=False) as between:
        between.set(Fault.BLACK_HOLE)
        client = make_client(between.target, insecure=False, on_unavailable="block", timeout=SHORT)
        assert client.score(LISTING).degraded_reasons == ("deadline_exceeded",)


def test_a_peer_that_speaks_no_tls_is_an_outage(make_client: Any, fake: FakeWildgate) -> None:
    """`wait_ready` says what is in the way."""
    client = make_client(fake.target, insecure=False, on_unavailable="block", timeout=SHORT)
    assert set(client.score(LISTING).degraded_reasons) <= REASONS
    with pytest.raises(WildgateError, match="not ready within"):
        client.wait_ready(0.5)
