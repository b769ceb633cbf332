"""Health means it: the real service, with a store that cannot be written, and can again."""

from __future__ import annotations

import json
import sqlite3
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from wildgate.v1 import scoring_pb2, types_pb2

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SCORING, TRANSPARENCY, LEXICON = (f"wildgate.v1.{name}Service" for name in ("Scoring", "Transparency", "Lexicon"))
OFFER = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="elephant tusk"))


class Health:
    """What probes hear of a service."""

    def __init__(self, service, stubs):
        self._address = service.wait_for("metrics_serving")["address"]
        self._stub = health_pb2_grpc.HealthStub(stubs.channel)

    def of(self, name=""):
        """The status of a service by its name."""
        return self._stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=30).status

    def ready(self):
        """Status and reasons of /readyz."""
        try:
            with urllib.request.urlopen(f"http://{self._address}/readyz", timeout=30) as answer:
                return answer.status, json.load(answer)["why"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["why"]

    def live(self):
        """Status of /livez."""
        with urllib.request.urlopen(f"http://{self._address}/livez", timeout=30) as answer:
            return answer.status

    def watched(self):
        """What a watcher is told of scoring, as it is told; the list grows until the stream ends."""
        told = []

        def listen():
            with suppress(grpc.RpcError):  # the service has ended
                for each in self._stub.Watch(health_pb2.HealthCheckRequest(service=SCORING)):
                    told.append(each.status)  # noqa: PERF401  (others look at it meanwhile)

        threading.Thread(target=listen, daemon=True).start()
        return told


@contextmanager
def locked(service):
    """Another program holds the store, so that nobody can write."""
    connection = sqlite3.connect(service.folder / "wildgate.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def moved(service):
    """The store is gone, and comes back."""
    files = [service.folder / f"wildgate.db{suffix}" for suffix in ("", "-wal", "-shm")]
    there = [file for file in files if file.exists()]
    for file in there:
        file.rename(file.with_name(f"moved-{file.name}"))
    yield
    for file in files:
        file.unlink(missing_ok=True)
    for file in there:
        file.with_name(f"moved-{file.name}").rename(file)


@pytest.mark.parametrize("broken", [locked, moved])
def test_health_follows_the_store(start_small, connect, until, broken):
    """Nobody calls meanwhile: a replica that is taken out gets no calls to find out by that it is well again."""
    service = start_small(metrics_port=0)
    stubs = connect(service)
    stubs.scoring.ScoreListing(OFFER, timeout=30)
    health = Health(service, stubs)
    told = health.watched()
    until(lambda: told == [SERVING], "the watcher to be told")
    assert (health.of(), health.ready(), health.live()) == (SERVING, (200, []), 200)
    with broken(service):
        until(lambda: health.of() == NOT_SERVING, "health to find out")
        assert [health.of(name) for name in (SCORING, TRANSPARENCY, LEXICON)] == [NOT_SERVING, NOT_SERVING, SERVING]
        assert (health.ready(), health.live()) == ((503, ["the store cannot be written"]), 200)
        until(lambda: told == [SERVING, NOT_SERVING], "the watcher to be told")
    until(lambda: health.of() == SERVING, "health to recover")
    until(lambda: told == [SERVING, NOT_SERVING, SERVING], "the watcher to be told")
    assert health.ready() == (200, [])
    assert stubs.scoring.ScoreListing(OFFER, timeout=30).decision.decision_id


def test_health_follows_a_call_that_failed_at_once(start_small, connect, until):
    """And is not changed by one that was refused for what it said."""
    service = start_small(metrics_port=0)
    stubs = connect(service)
    health = Health(service, stubs)
    with pytest.raises(grpc.RpcError):
        stubs.scoring.ScoreListing(scoring_pb2.ScoreListingRequest(), timeout=30)
    assert health.of() == SERVING
    with moved(service):
        with pytest.raises(grpc.RpcError) as caught:
            stubs.scoring.ScoreListing(OFFER, timeout=30)
        until(lambda: health.of(SCORING) == NOT_SERVING, "health to find out")
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_service_that_records_nothing_needs_no_store(start_small, connect):
    """`store = none`."""
    service = start_small(metrics_port=0, store="none")
    health = Health(service, connect(service))
    assert (health.of(SCORING), health.ready()) == (SERVING, (200, []))


def test_a_service_that_drains_is_not_ready(start_small, connect, until):
    """Its page answers until the end."""
    service = start_small(metrics_port=0)
    health = Health(service, connect(service))
    service.kill("worker-0", 19)  # SIGSTOP: it takes a while to drain
    service.process.terminate()
    until(lambda: health.ready() == (503, ["draining: the service is ending"]), "readiness to end")
    service.kill("worker-0", 18)  # SIGCONT
    assert service.process.wait(60) == 0
