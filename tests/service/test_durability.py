"""What a service answers while its store fails, and what is left after kills: the real service, real faults."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import grpc
import pytest
from wildgate import Client, Listing, WildgateError
from wildgate.v1 import scoring_pb2, types_pb2
from wildgate_service.store import open_store

HOLD_LOCK = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(600)
"""
EMPTY_SPOOL_BYTES = 8


@contextmanager
def locked(file):
    """The store locked by another process."""
    with subprocess.Popen([sys.executable, "-c", HOLD_LOCK, file], stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"locked\n"
        try:
            yield
        finally:
            other.kill()


def score(stubs, text="a plain lamp", **fields):
    request = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(listing_id="1", title=text), **fields)
    return stubs.scoring.ScoreListing(request, timeout=20).decision


def file_of(service):
    return service.folder / "wildgate.db"


def spool_of(service):
    return service.folder / "wildgate.spool"


def is_replayed(service):
    return spool_of(service).stat().st_size == EMPTY_SPOOL_BYTES


def requests_of(file):
    """What is recorded: decisions by request, in a log that holds."""
    with open_store(f"sqlite:///{file}", read_only=True) as store:
        assert store.verify().problem == ""
    with reading(file) as requests:
        return requests()


@contextmanager
def reading(file):
    """Decisions by request, whenever they are asked for, over a connection that is open meanwhile."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        yield lambda: dict(connection.execute("SELECT request_id, decision_id FROM decisions"))


def test_a_service_that_spools_answers_while_its_store_is_locked(start_small, connect, until):
    """Without a receipt, and saying that it will be recorded late; and so it is."""
    service = start_small(on_store_failure="spool")
    stubs = connect(service)
    with locked(file_of(service)):
        late = score(stubs, "elephant tusk")
        repeat = score(stubs, "elephant tusk", request_id=late.request_id)
    until(lambda: is_replayed(service), "the replay")
    after = score(stubs)
    assert (late.action, late.HasField("receipt"), late.degraded) == (types_pb2.ACTION_BLOCK, False, True)
    assert "recorded_late" in late.degraded_reasons
    assert (repeat.decision_id, repeat.degraded_reasons) == (late.decision_id, late.degraded_reasons)
    assert (after.receipt.position, "recorded_late" in after.degraded_reasons) == (2, False)
    assert requests_of(file_of(service)) == {late.request_id: late.decision_id, after.request_id: after.decision_id}


def test_a_service_that_refuses_says_that_the_store_is_unavailable(start_small, connect, error_of):
    """The default: no answer that the store does not hold."""
    service = start_small()
    stubs = connect(service)
    with locked(file_of(service)):
        error = error_of(lambda request: stubs.scoring.ScoreListing(request, timeout=20), _request())
        again = error_of(lambda request: stubs.scoring.ScoreListing(request, timeout=20), _request())
    assert [error, again] == [(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", {})] * 2
    assert not spool_of(service).exists()


def _request():
    return scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(listing_id="1", title="a plain lamp"))


@pytest.mark.slow
@pytest.mark.parametrize("durability", ["process", "disk"])
def test_kills_under_load_lose_and_double_nothing(start_small, until, durability):
    """Worker, writer, compiler; then writer and workers while the store is locked and while the spool is replayed."""
    service = start_small(workers=2, durability=durability, on_store_failure="spool", store_patience=0.3)
    answered, ending = {}, threading.Event()
    senders = [threading.Thread(target=_send, args=(service, answered, ending)) for _ in range(4)]
    for sender in senders:
        sender.start()

    def more(count=40):
        wanted = len(answered) + count
        until(lambda: len(answered) >= wanted, "answers")

    def kill(name):
        births = len(service.events("process_started", name=name))
        service.kill(name)
        service.wait_for("process_started", births + 1, name=name)

    for name in ("worker-0", "writer", "compiler", "worker-1", "writer"):
        more()
        kill(name)
    with locked(file_of(service)):
        more()
        kill("writer")
        more()
        kill("worker-0")
        more()
    kill("writer")
    more()
    ending.set()
    for sender in senders:
        sender.join()
    until(lambda: is_replayed(service), "the replay")
    recorded = requests_of(file_of(service))
    assert {request: recorded.get(request) for request in answered} == answered


def _send(service, answered, ending):
    with Client(service.target, insecure=True, on_unavailable="raise", timeout=2) as client:
        while not ending.is_set():
            try:
                decision = client.score(Listing(id="1", title="a plain lamp"))
            except WildgateError:
                continue
            answered[decision.request_id] = decision.decision_id


def test_no_child_has_the_supervisors_connection(start_small, connect):
    """Neither the first nor their successors: SQLite loses what is written beside a connection that was carried over a fork."""
    service = start_small(workers=1, durability="process")
    score(connect(service))
    for name in ("worker-0", "compiler"):
        service.kill(name)
        service.wait_for("process_started", 2, name=name)
        assert not _open_files(service.pid(name), file_of(service).name)


def test_store_that_is_put_back_gets_what_was_spooled(start_small, connect, until):
    """Moved away with its WAL and back, without the index, as a restored snapshot is: everybody reads what the writer brings in."""
    service = start_small(workers=1, on_store_failure="spool")
    stubs, files = connect(service), [file_of(service).with_name(f"wildgate.db{end}") for end in ("", "-wal")]
    answered = [score(stubs)]
    for file in files:
        file.rename(f"{file}.away")
    answered.append(score(stubs))
    file_of(service).with_name("wildgate.db-shm").unlink()
    for file in reversed(files):
        Path(f"{file}.away").rename(file)
    with reading(file_of(service)) as requests:
        assert requests() == {answered[0].request_id: answered[0].decision_id}
        until(lambda: is_replayed(service), "the replay")
        answered.append(score(stubs))
        assert requests() == {each.request_id: each.decision_id for each in answered}


def _open_files(pid, beginning):
    """Names of the files with this beginning that a process has open."""
    links = [link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir() if link.exists()]
    return [link.name for link in links if link.name.startswith(beginning)]


@pytest.mark.slow
def test_what_was_spooled_survives_the_end_of_the_whole_service(start_small, connect, tmp_path):
    """All processes killed at once with the store locked; the next service on the same store brings it in."""
    file = tmp_path / "wildgate.db"
    settings = {"on_store_failure": "spool", "store": f"sqlite:///{file}"}
    first = start_small(**settings)
    stubs = connect(first)
    with locked(file):
        late = [score(stubs) for _ in range(3)]
        os.killpg(first.process.pid, signal.SIGKILL)
    start_small(**settings).wait_for("spool_replayed")
    assert requests_of(file) == {each.request_id: each.decision_id for each in late}
