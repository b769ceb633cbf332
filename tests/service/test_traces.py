"""Traces, sent to a receiver of ours that speaks OpenTelemetry's protocol, over the network."""

from __future__ import annotations

import socket
import subprocess
import sys

import grpc
import pytest

pytest.importorskip("opentelemetry.sdk", reason="needs the extra `otel`")

from wildgate.v1 import scoring_pb2, types_pb2
from wildgate_service.monitoring.traces import check_tracing
from wildgate_service.settings import load_settings

OFFER = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="elephant tusk"), request_id="01890a5d-ac96-774b-bcce-b302099a8057")
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = (("traceparent", f"00-{TRACE}-{PARENT}-01"),)
NOT_SAMPLED = (("traceparent", f"00-{TRACE}-{PARENT}-00"),)


def _plain(attributes):
    return {each.key: each.value.string_value for each in attributes}


@pytest.fixture
def traced(start_small, collector, monkeypatch):
    """A service that traces all calls and sends spans soon."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    return start_small(otel_endpoint=collector.endpoint, otel_sample_ratio=1.0)


@pytest.mark.protocols("grpc", "http")
def test_a_call_is_a_span_in_the_trace_of_its_caller(traced, connect, collector, until, protocol):
    """With its stages below it, by the conventions for RPC, and without what it said."""
    connect(traced).scoring.ScoreListing(OFFER, metadata=SAMPLED, timeout=30)
    name = "wildgate.v1.ScoringService/ScoreListing"
    until(lambda: collector.named(name), "the span")
    (span,) = collector.named(name)
    assert (span.trace_id.hex(), span.parent_span_id.hex(), span.kind) == (TRACE, PARENT, span.SPAN_KIND_SERVER)
    assert _plain(span.attributes) == {
        "rpc.system.name": {"grpc": "grpc", "http": "connectrpc"}[protocol],
        "rpc.method": name,
        "rpc.response.status_code": "OK",
        "wildgate.request_id": OFFER.request_id,
        "wildgate.action": "block",
    }
    stages = [each for each in collector.spans if each.parent_span_id == span.span_id]
    assert [each.name.removeprefix("wildgate.") for each in stages] == ["normalize", "match", "classify", "fuse", "decide", "record"]
    assert {each.trace_id.hex() for each in stages} == {TRACE}
    assert all(each.start_time_unix_nano <= each.end_time_unix_nano for each in stages)
    said = _plain(collector.resources[0].attributes)
    assert (said["service.name"], said["service.instance.id"]) == ("wildgate", f"{socket.gethostname()}/worker-0")


def test_a_call_that_is_refused_says_why(traced, connect, collector, until):
    """The caller's mistake is no error of the service's."""
    with pytest.raises(grpc.RpcError):
        connect(traced).scoring.ScoreListing(scoring_pb2.ScoreListingRequest(), metadata=SAMPLED, timeout=30)
    until(lambda: collector.spans, "the span")
    (span,) = collector.spans
    facts = _plain(span.attributes)
    assert (facts["rpc.response.status_code"], facts["wildgate.reason"], span.status.code) == ("INVALID_ARGUMENT", "FIELD_MISSING", 0)


def test_what_the_caller_does_not_sample_is_not_traced(traced, connect, collector, until):
    """Whatever the ratio is."""
    stubs = connect(traced)
    stubs.scoring.ScoreListing(OFFER, metadata=NOT_SAMPLED, timeout=30)
    stubs.scoring.ScoreListing(OFFER, metadata=SAMPLED, timeout=30)
    until(lambda: collector.named("wildgate.record"), "the second call's span")
    assert len(collector.named("wildgate.v1.ScoringService/ScoreListing")) == 1


def test_the_environment_names_the_service(start_small, connect, collector, until, monkeypatch):
    """By OpenTelemetry's own variables, as for everything else that a platform runs."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "gate")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    connect(start_small(otel_endpoint=collector.endpoint)).scoring.ScoreListing(OFFER, metadata=SAMPLED, timeout=30)
    until(lambda: collector.resources, "the span")
    said = _plain(collector.resources[0].attributes)
    assert (said["service.name"], said["deployment.environment.name"]) == ("gate", "test")


def test_a_ratio_of_nothing_traces_what_callers_sample_alone(start_small, connect, collector, until, monkeypatch):
    """So a platform can trace its own requests, and no others."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    stubs = connect(start_small(otel_endpoint=collector.endpoint, otel_sample_ratio=0.0))
    for metadata in ((), SAMPLED):
        stubs.scoring.ScoreListing(OFFER, metadata=metadata, timeout=30)
    until(lambda: collector.spans, "the span")
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}


def test_what_was_not_sent_is_sent_at_the_end(start_small, connect, collector, until):
    """A service that drains takes its last spans along."""
    service = start_small(otel_endpoint=collector.endpoint, otel_sample_ratio=1.0)
    connect(service).scoring.ScoreListing(OFFER, timeout=30)
    service.process.terminate()
    assert service.process.wait(60) == 0
    until(lambda: collector.named("wildgate.v1.ScoringService/ScoreListing"), "the span")


@pytest.mark.parametrize("fault", ["down", "slow"])
def test_a_collector_that_fails_fails_no_call(start_small, connect, collector, monkeypatch, fault):
    """Nor does the service end later for it, or write a line for every span."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600")  # seconds for which the exporter would try
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "64")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "32")
    service = start_small(otel_endpoint=collector.endpoint, otel_sample_ratio=1.0)
    if fault == "down":
        collector.stop()
    else:
        collector.slow.set()
    stubs = connect(service)
    answered = [stubs.scoring.ScoreListing(scoring_pb2.ScoreListingRequest(listing=OFFER.listing), timeout=30) for _ in range(300)]
    service.process.terminate()
    assert service.process.wait(60) == 0
    assert all(each.decision.decision_id for each in answered)
    assert len([line for line in service.log.splitlines() if "opentelemetry" in line.lower() or "queue" in line.lower()]) < 20


def test_a_missing_extra_is_one_clear_line(monkeypatch):
    """Before anything is started."""
    monkeypatch.setattr("wildgate_service.monitoring.traces.find_spec", lambda _: None)
    settings = load_settings(environment={}, options={"otel_endpoint": "http://127.0.0.1:4317"}).settings
    with pytest.raises(Exception, match=r"wildgate-service\[otel\]"):
        check_tracing(settings)


def test_the_supervisor_forks_without_opentelemetry():
    """Whose threads would not survive it."""
    program = "import sys, wildgate_service.supervisor; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
