"""What a caller gets when something is wrong: every way of failing, through real sockets."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import grpc
import pytest
from wildgate import (
    Action,
    Decision,
    Listing,
    WildgateAuthenticationError,
    WildgateDeadlineExceededError,
    WildgateError,
    WildgateInternalError,
    WildgateInvalidRequestError,
    WildgateOverloadedError,
    WildgatePermissionError,
    WildgateUnavailableError,
    WildgateUnimplementedError,
    WildgateUsageError,
)
from wildgate.testing import FakeWildgate
from wildgate.v1 import types_pb2

LISTING = Listing(id="42", title="Ivory bangle")

DELAYED_SERVER = """
import sys, time
from wildgate.testing import FakeWildgate
fake = FakeWildgate()
fake.delay(60)
print(fake.target, flush=True)
while not fake.metadata:
    time.sleep(0.01)
print("called", flush=True)
time.sleep(60)
"""


@pytest.fixture
def closed_port() -> str:
    """Return an address where nothing listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    return f"127.0.0.1:{port}"


@pytest.fixture
def black_hole() -> Iterator[str]:
    """Return an address that accepts connections and never says anything."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("policy", ["allow", "review", "block"])
def test_nothing_listening_is_decided_by_policy(make_client: Any, closed_port: str, policy: str) -> None:
    """An unreachable service gives the degraded decision that the caller chose."""
    decision = make_client(closed_port, on_unavailable=policy).score(LISTING)
    assert (decision.action, decision.degraded, decision.degraded_reasons) == (
        Action(policy),
        True,
        ("unavailable",),
    )


def test_nothing_listening_raises_if_asked_to(make_client: Any, closed_port: str) -> None:
    """With "raise" the caller handles it."""
    with pytest.raises(WildgateUnavailableError) as caught:
        make_client(closed_port).score(LISTING)
    assert (type(caught.value), caught.value.is_retryable()) == (WildgateUnavailableError, True)


def test_a_name_that_does_not_resolve_is_unavailable(make_client: Any) -> None:
    """DNS that fails is an outage like any other."""
    client = make_client("dns:///wildgate.invalid:50051", on_unavailable="review", timeout=5)
    assert client.score(LISTING).degraded_reasons[0] in ("unavailable", "deadline_exceeded")


def test_a_black_hole_ends_at_the_deadline(make_client: Any, black_hole: str) -> None:
    """A peer that accepts and never answers costs the deadline and no more."""
    client = make_client(black_hole, on_unavailable="review", timeout=0.2)
    started = time.monotonic()
    decision = client.score(LISTING)
    assert decision.degraded_reasons == ("deadline_exceeded",)
    assert time.monotonic() - started < 5


def test_a_server_killed_mid_call_is_unavailable(make_client: Any) -> None:
    """The connection breaks while the answer is awaited."""
    command = [sys.executable, "-c", DELAYED_SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        client = make_client(server.stdout.readline().strip(), on_unavailable="block", timeout=30)

        def kill() -> None:
            assert server.stdout is not None
            server.stdout.readline()
            os.kill(server.pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        decision = client.score(LISTING)
        killer.join()
    assert (decision.blocked, decision.degraded_reasons) == (True, ("unavailable",))


def test_a_service_that_stops_is_unavailable_and_one_that_returns_is_used(make_client: Any, fake: FakeWildgate) -> None:
    """The client finds back by itself."""
    client = make_client(fake.target, on_unavailable="review")
    assert client.score(LISTING).answered
    fake.stop_serving()
    assert client.score(LISTING).degraded_reasons == ("unavailable",)
    with FakeWildgate(port=int(fake.target.rpartition(":")[2])):
        client.wait_ready(timeout=30)
        assert client.score(LISTING).answered


def test_a_slow_answer_is_a_missed_deadline(make_client: Any, fake: FakeWildgate) -> None:
    """The deadline of one call may differ from the client's."""
    fake.delay(30)
    with pytest.raises(WildgateDeadlineExceededError) as caught:
        make_client(fake.target).score(LISTING, timeout=0.1)
    assert caught.value.why == "deadline_exceeded"


@pytest.mark.parametrize("timeout", [0, -1.5])
def test_a_spent_budget_is_a_missed_deadline(make_client: Any, fake: FakeWildgate, timeout: float) -> None:
    """A caller who passes on what is left of its own time may have none left."""
    client = make_client(fake.target, on_unavailable="allow")
    assert client.score(LISTING, timeout=timeout).degraded_reasons == ("deadline_exceeded",)


def test_overload_is_decided_by_policy(make_client: Any, fake: FakeWildgate) -> None:
    """A service over its capacity is no reason to stop the sellers."""
    fake.fail("RESOURCE_EXHAUSTED", reason="OVERLOADED")
    decision = make_client(fake.target, on_unavailable="allow").score(LISTING)
    assert (decision.allowed, decision.degraded_reasons) == (True, ("resource_exhausted",))


def test_overload_says_when_to_come_back(make_client: Any, fake: FakeWildgate) -> None:
    """RetryInfo of the service reaches the caller."""
    fake.fail("RESOURCE_EXHAUSTED", reason="OVERLOADED", retry_after=1.5)
    with pytest.raises(WildgateOverloadedError) as caught:
        make_client(fake.target).score(LISTING)
    assert (caught.value.reason, caught.value.retry_after) == ("OVERLOADED", 1.5)


@pytest.mark.parametrize(("code", "attempts"), [("RESOURCE_EXHAUSTED", 1), ("CANCELLED", 2)])
def test_a_call_that_the_service_dropped_is_an_overload(make_client: Any, fake: FakeWildgate, code: str, attempts: int) -> None:
    """GRPC in a flooded service drops calls unread, as CANCELLED and without details; so does one in a service that ends."""
    fake.fail(code)
    decision = make_client(fake.target, on_unavailable="allow").score(LISTING)
    assert (decision.degraded_reasons, len(fake.metadata)) == (("resource_exhausted",), attempts)


def test_a_flood_of_drops_is_not_doubled(make_client: Any, fake: FakeWildgate) -> None:
    """After some drops in a row retries stop, as after outages."""
    fake.fail("CANCELLED")
    client = make_client(fake.target, on_unavailable="allow")
    for _ in range(40):
        client.score(LISTING)
    assert len(fake.metadata) < 60


def test_pushback_does_not_outlast_the_deadline(make_client: Any, fake: FakeWildgate) -> None:
    """A service that asks for a minute's pause is answered for at once, and not tried again."""
    fake.fail("RESOURCE_EXHAUSTED", reason="OVERLOADED", retry_after=60)
    decision = make_client(fake.target, on_unavailable="review", timeout=5.0).score(LISTING)
    assert (decision.degraded_reasons, len(fake.metadata)) == (("resource_exhausted",), 1)


@pytest.mark.parametrize("reason", ["RATE_LIMITED", "QUOTA_EXCEEDED"])
def test_a_limit_is_decided_by_policy_and_not_tried_again(make_client: Any, fake: FakeWildgate, reason: str) -> None:
    """The listing is answered for at once; another attempt before the pause is over would be refused as well."""
    fake.fail("RESOURCE_EXHAUSTED", reason=reason, retry_after=0.001)
    decision = make_client(fake.target, on_unavailable="review", timeout=5.0).score(LISTING)
    assert (decision.action, decision.degraded_reasons, len(fake.metadata)) == (Action.REVIEW, ("limit_exceeded",), 1)


def test_a_bad_key_is_no_outage_however_it_is_told(make_client: Any, fake: FakeWildgate) -> None:
    """After too many attempts the service says RESOURCE_EXHAUSTED; `on_unavailable` must not hide a key that is wrong."""
    fake.fail("RESOURCE_EXHAUSTED", reason="TOO_MANY_ATTEMPTS", retry_after=60)
    with pytest.raises(WildgateAuthenticationError):
        make_client(fake.target, on_unavailable="allow").score(LISTING)


def test_overload_is_not_tried_again(make_client: Any, fake: FakeWildgate) -> None:
    """A second attempt would make it worse."""
    fake.fail("RESOURCE_EXHAUSTED")
    make_client(fake.target, on_unavailable="allow").score(LISTING)
    assert len(fake.metadata) == 1


def test_unavailable_is_tried_twice(make_client: Any, fake: FakeWildgate) -> None:
    """And not a third time."""
    fake.fail("UNAVAILABLE")
    make_client(fake.target, on_unavailable="allow").score(LISTING)
    assert len(fake.metadata) == 2


def test_the_second_attempt_may_succeed(make_client: Any, fake: FakeWildgate) -> None:
    """A hiccup goes unnoticed, and both attempts carry one request_id."""
    fake.fail("UNAVAILABLE", times=1)
    assert make_client(fake.target).score(LISTING).answered


def test_retries_stop_on_a_sick_service(make_client: Any, fake: FakeWildgate) -> None:
    """The throttle ends second attempts long before they double the load."""
    fake.fail("UNAVAILABLE")
    client = make_client(fake.target, on_unavailable="allow")
    for _ in range(40):
        client.score(LISTING)
    assert len(fake.metadata) < 60


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INTERNAL"])
def test_a_store_that_cannot_be_written_is_unavailable(make_client: Any, fake: FakeWildgate, code: str) -> None:
    """The reason says so, whatever the code."""
    fake.fail(code, reason="STORE_UNAVAILABLE")
    decision = make_client(fake.target, on_unavailable="review").score(LISTING)
    assert decision.degraded_reasons == ("unavailable",)


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        ("UNAUTHENTICATED", "API_KEY_INVALID", WildgateAuthenticationError),
        ("PERMISSION_DENIED", "SCOPE_MISSING", WildgatePermissionError),
        ("INVALID_ARGUMENT", "FIELD_INVALID", WildgateInvalidRequestError),
        ("UNIMPLEMENTED", "", WildgateUnimplementedError),
        ("INTERNAL", "INTERNAL", WildgateInternalError),
        ("UNKNOWN", "", WildgateInternalError),
        ("ABORTED", "", WildgateInternalError),
    ],
)
@pytest.mark.parametrize("policy", ["allow", "raise"])
def test_what_is_not_an_outage_raises_whatever_the_policy(
    make_client: Any,
    fake: FakeWildgate,
    code: str,
    reason: str,
    expected: type[WildgateError],
    policy: str,
) -> None:
    """Failing open on a bad key would switch protection off without a sound."""
    fake.fail(code, reason=reason)
    with pytest.raises(expected) as caught:
        make_client(fake.target, on_unavailable=policy).score(LISTING)
    assert (type(caught.value), caught.value.is_retryable()) == (expected, False)


def test_a_bad_key_raises(make_client: Any, fake: FakeWildgate) -> None:
    """Through the real check of the fake."""
    fake.require_api_key("right")
    with pytest.raises(WildgateAuthenticationError) as caught:
        make_client(fake.target, api_key="wrong", on_unavailable="allow").score(LISTING)
    assert caught.value.reason == "API_KEY_INVALID"


def test_the_right_key_is_sent_as_a_bearer(make_client: Any, fake: FakeWildgate) -> None:
    """As metadata of each call."""
    fake.require_api_key("right")
    make_client(fake.target, api_key="right").score(LISTING)
    assert fake.metadata[0]["authorization"] == "Bearer right"


def test_error_metadata_reaches_the_caller(make_client: Any, fake: FakeWildgate) -> None:
    """Field, limit and actual are for machines."""
    facts = {"field": "market", "limit": "2", "actual": "3"}
    fake.fail("INVALID_ARGUMENT", reason="FIELD_TOO_LONG", metadata=facts)
    with pytest.raises(WildgateInvalidRequestError) as caught:
        make_client(fake.target).score(LISTING)
    assert caught.value.metadata == facts


@pytest.mark.parametrize("details", [b"\xff\xff\xff", b"", b"\x1a\x05abc", bytes(range(7, 256, 4))])
def test_garbage_in_the_details_falls_back_to_the_code(make_client: Any, fake: FakeWildgate, details: bytes) -> None:
    """A proxy may put anything there."""
    fake.fail("UNAUTHENTICATED", details=details)
    with pytest.raises(WildgateAuthenticationError):
        make_client(fake.target).score(LISTING)


def test_an_unknown_action_is_a_review(make_client: Any, fake: FakeWildgate) -> None:
    """A newer service may know more actions; nothing is let through by accident."""
    fake.answer(types_pb2.Decision(action=99, score=0.5))  # type: ignore[arg-type]
    decision = make_client(fake.target).score(LISTING)
    assert (decision.review, decision.degraded_reasons) == (True, ("unknown_action",))


def test_a_degraded_decision_names_the_request_and_no_decision(make_client: Any, closed_port: str) -> None:
    """So that its outcome can be reported."""
    decision = make_client(closed_port, on_unavailable="review").score(LISTING)
    facts = (decision.decision_id, decision.score, decision.listing_id, len(decision.request_id))
    assert facts == (None, None, "42", 36)


def test_a_degraded_decision_keeps_the_request_id_given(make_client: Any, closed_port: str) -> None:
    """The platform may have stored it already."""
    request_id = "01890a5d-ac96-774b-bcce-b302099a8057"
    decision = make_client(closed_port, on_unavailable="allow").score(LISTING, request_id=request_id)
    assert decision.request_id == request_id


def test_the_outcome_of_a_degraded_decision_says_what_was_answered(make_client: Any, fake: FakeWildgate) -> None:
    """The report tells decided from applied by it."""
    fake.fail("RESOURCE_EXHAUSTED", times=1)
    client = make_client(fake.target, on_unavailable="block")
    decision = client.score(LISTING)
    client.report_outcome(decision, "removed", means="automated")
    outcome = fake.outcomes[0]
    sent = (outcome.request_id, outcome.degraded_action, outcome.degraded_reason)
    assert sent == (decision.request_id, Action.BLOCK, "resource_exhausted")


def test_an_outcome_of_an_answered_decision_names_it(make_client: Any, fake: FakeWildgate) -> None:
    """Nothing degraded is said of it."""
    client = make_client(fake.target)
    decision = client.score(LISTING)
    client.report_outcome(decision, "held")
    sent = [(each.decision_id, each.request_id, each.degraded_action) for each in fake.outcomes]
    assert sent == [(decision.decision_id, None, None)]


def test_outcomes_raise_whatever_the_policy(make_client: Any, closed_port: str) -> None:
    """A lost outcome is a wrong report: the policy is about listings alone."""
    client = make_client(closed_port, on_unavailable="allow")
    with pytest.raises(WildgateUnavailableError):
        client.report_outcome("01890a5d-ac96-774b-bcce-b302099a8057", "removed")


def test_degraded_decisions_are_counted_by_reason(make_client: Any, fake: FakeWildgate) -> None:
    """And apart from decisions and errors."""
    client = make_client(fake.target, on_unavailable="allow")
    client.score(LISTING)
    fake.fail("RESOURCE_EXHAUSTED", times=2)
    client.score(LISTING)
    client.score(LISTING)
    assert client.stats.as_dict() == {
        "calls": 3,
        "decisions": 1,
        "degraded": {"resource_exhausted": 2},
        "errors": {},
    }


def test_errors_are_counted_by_reason(make_client: Any, fake: FakeWildgate) -> None:
    """A raised outage is an error too."""
    client = make_client(fake.target)
    fake.fail("RESOURCE_EXHAUSTED", reason="OVERLOADED")
    for listing in (LISTING, Listing(title="x" * 1001)):
        with pytest.raises(WildgateError):
            client.score(listing)
    assert client.stats.errors == {"OVERLOADED": 1, "FIELD_TOO_LONG": 1}


def test_the_hook_is_told_of_degraded_decisions(make_client: Any, closed_port: str) -> None:
    """With the decision that the caller gets."""
    told: list[Decision] = []
    client = make_client(closed_port, on_unavailable="review", on_degraded=told.append)
    assert [client.score(LISTING)] == told


def test_a_broken_hook_does_not_break_the_answer(make_client: Any, closed_port: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged instead."""

    def broken(_: Decision) -> None:
        raise ZeroDivisionError

    client = make_client(closed_port, on_unavailable="review", on_degraded=broken)
    assert client.score(LISTING).review
    assert "wildgate.on_degraded_failed" in caplog.text


def test_a_degraded_decision_is_logged_without_text(make_client: Any, closed_port: str, caplog: pytest.LogCaptureFixture) -> None:
    """Once per interval, as a warning of the logger "wildgate"."""
    client = make_client(closed_port, on_unavailable="review")
    for _ in range(3):
        client.score(LISTING)
    records = [record for record in caplog.records if record.name == "wildgate"]
    assert [(record.levelno, "Ivory" in record.getMessage()) for record in records] == [(logging.WARNING, False)]


@pytest.mark.parametrize(
    ("listing", "reason", "field"),
    [
        (Listing(title="x" * 1001), "FIELD_TOO_LONG", "title"),
        (Listing(description="x" * 20001), "FIELD_TOO_LONG", "description"),
        (Listing(id="x" * 257), "FIELD_TOO_LONG", "id"),
        (Listing(seller_ref="x" * 257), "FIELD_TOO_LONG", "seller_ref"),
        (Listing(attributes=[("n", "v")] * 65), "TOO_MANY_ITEMS", "attributes"),
        (Listing(attributes={"n": "v" * 257}), "FIELD_TOO_LONG", "attributes[0].value"),
        (Listing(title="a\ud83db"), "FIELD_INVALID", "title"),
        (Listing(title=None), "FIELD_INVALID", "title"),  # type: ignore[arg-type]
    ],
)
def test_a_listing_over_the_limits_is_not_sent(make_client: Any, fake: FakeWildgate, listing: Listing, reason: str, field: str) -> None:
    """The error names the field, as the service would."""
    with pytest.raises(WildgateInvalidRequestError) as caught:
        make_client(fake.target, on_unavailable="allow").score(listing)
    found = (caught.value.reason, caught.value.metadata["field"], fake.metadata)
    assert found == (reason, field, [])


def test_a_listing_at_the_limits_is_sent(make_client: Any, fake: FakeWildgate) -> None:
    """Limits count code points, so a thousand emoji are a title."""
    listing = Listing(
        title="🐘" * 1000,
        description="é" * 20000,
        attributes=[("n" * 256, "v" * 256)] * 64,
        seller_ref="s" * 256,
    )
    make_client(fake.target).score(listing)
    assert fake.listings == [listing]


@pytest.mark.parametrize("request_id", ["", "42", "not-a-uuid"])
def test_a_request_id_must_be_a_uuid(make_client: Any, fake: FakeWildgate, request_id: str) -> None:
    """So that it is unique without anybody's care."""
    with pytest.raises(WildgateInvalidRequestError, match="request_id must be a UUID"):
        make_client(fake.target).score(LISTING, request_id=request_id)


def test_a_failed_chunk_degrades_its_own_listings(make_client: Any, fake: FakeWildgate) -> None:
    """The first 256 of 300 meet an overload, the rest are decided."""
    fake.fail("RESOURCE_EXHAUSTED", times=1)
    client = make_client(fake.target, on_unavailable="review")
    results = client.score_batch([LISTING] * 300, timeout=60)
    answered = [result.unwrap().answered for result in results]
    assert answered == [False] * 256 + [True] * 44


def test_a_failed_chunk_puts_errors_in_its_results(make_client: Any, fake: FakeWildgate) -> None:
    """With "raise" the other chunks' decisions are not lost."""
    fake.fail("RESOURCE_EXHAUSTED", times=1)
    results = make_client(fake.target).score_batch([LISTING] * 257, timeout=60)
    kinds = [type(result.error) for result in results]
    assert kinds == [WildgateOverloadedError] * 256 + [type(None)]


def test_a_batch_with_a_bad_key_raises(make_client: Any, fake: FakeWildgate) -> None:
    """It concerns every listing."""
    fake.require_api_key("right")
    with pytest.raises(WildgateAuthenticationError):
        make_client(fake.target, on_unavailable="allow").score_batch([LISTING])


def test_large_listings_travel_in_smaller_chunks(make_client: Any, fake: FakeWildgate) -> None:
    """A request stays under the 4 MiB that servers take by default."""
    large = [Listing(title=str(index), description="象" * 20000) for index in range(120)]
    results = make_client(fake.target).score_batch(large, timeout=60)
    assert [result.error for result in results] == [None] * 120
    assert len(fake.metadata) == 3


def test_a_closed_client_says_so(make_client: Any, fake: FakeWildgate) -> None:
    """Not with an error of gRPC's."""
    client = make_client(fake.target, on_unavailable="allow")
    client.close()
    with pytest.raises(WildgateUsageError, match="the client is closed"):
        client.score(LISTING)


def test_closing_twice_is_fine(make_client: Any, fake: FakeWildgate) -> None:
    """As for files."""
    client = make_client(fake.target)
    client.close()
    client.close()
    assert client.stats.calls == 0


def test_closing_mid_call_ends_the_call(make_client: Any, fake: FakeWildgate) -> None:
    """With an error of ours, not a cancellation that nobody asked for."""
    fake.delay(30)
    client = make_client(fake.target, on_unavailable="allow", timeout=30)

    def close() -> None:
        while not fake.metadata:
            time.sleep(0.01)
        client.close()

    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(WildgateUsageError, match="the client is closed"):
        client.score(LISTING)
    closer.join()


def test_waiting_for_nobody_says_what_is_in_the_way(make_client: Any, closed_port: str) -> None:
    """The last obstacle is in the message."""
    with pytest.raises(WildgateDeadlineExceededError, match=r"not ready within 0\.3 s: .*onnect"):
        make_client(closed_port, on_unavailable="allow").wait_ready(timeout=0.3)


def test_waiting_for_a_service_that_is_not_serving_ends(make_client: Any, fake: FakeWildgate) -> None:
    """It is up, but says it is not ready."""
    fake.serving = False
    with pytest.raises(WildgateDeadlineExceededError, match="not serving"):
        make_client(fake.target).wait_ready(timeout=2.0)


def test_waiting_ends_when_the_service_starts_serving(make_client: Any, fake: FakeWildgate) -> None:
    """Which may be later."""
    fake.serving = False
    client = make_client(fake.target)
    threading.Timer(0.2, lambda: setattr(fake, "serving", True)).start()
    client.wait_ready(timeout=30)
    assert client.stats.errors == {}


def test_a_service_without_health_checks_is_ready_when_it_answers(make_client: Any) -> None:
    """UNIMPLEMENTED is an answer."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = make_client(f"127.0.0.1:{port}")
    client.wait_ready(timeout=30)
    server.stop(None).wait()
    assert client.stats.errors == {}


def test_an_answer_that_is_not_protobuf_is_a_defect(make_client: Any) -> None:
    """Another service may live at the address."""

    class Anything(grpc.GenericRpcHandler):
        def service(self, _: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"\xff\xff")

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Anything()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with pytest.raises(WildgateInternalError):
        make_client(f"127.0.0.1:{port}", on_unavailable="allow").score(LISTING)
    server.stop(None).wait()


def test_an_empty_answer_is_a_defect(make_client: Any) -> None:
    """A response without a decision decides nothing."""

    class Empty(grpc.GenericRpcHandler):
        def service(self, _: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"")

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Empty()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with pytest.raises(WildgateInternalError, match="without a decision"):
        make_client(f"127.0.0.1:{port}", on_unavailable="allow").score(LISTING)
    server.stop(None).wait()
