"""The process tree: it starts as one, survives what is killed, and ends in order."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from wildgate.v1 import scoring_pb2, scoring_pb2_grpc, types_pb2
from wildgate_service.port import Address, resolve

OFFER = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title="elephant tusk"))

UNCAUGHT = """
import asyncio
from wildgate_service import log

async def fail():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log.unhandled)
    loop.call_soon(int, "tusk for sale")
    await asyncio.sleep(0)

log.configure("info")
asyncio.run(fail())
"""


class Load:
    """Calls from several connections, one after the other on each, until it is stopped."""

    def __init__(self, *connections):
        self.answered = []
        self._stop = Event()
        self._pool = ThreadPoolExecutor(len(connections))
        self._calls = [self._pool.submit(self._run, stubs) for stubs in connections]

    def _run(self, stubs):
        while not self._stop.is_set():
            try:
                decision = stubs.scoring.ScoreListing(OFFER, timeout=30).decision
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            else:
                self.answered.append(decision.decision_id)

    def has_grown(self, until):
        """Wait for answers from now on."""
        before = len(self.answered)
        until(lambda: len(self.answered) > before + 20, "more answers")

    def stop(self):
        """End it; raises what was no refusal. Returns the ids of the decisions answered."""
        self._stop.set()
        for call in self._calls:
            call.result()
        self._pool.shutdown()
        return set(self.answered)


def stored_ids(service):
    path = service.store.removeprefix("sqlite:///")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        return {row[0] for row in store.execute("SELECT decision_id FROM decisions")}


def alive(pid):
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_supervisor_does_not_import_grpc():
    """Only a worker may load gRPC, which must not be forked."""
    program = "import sys, wildgate_service.supervisor as s; print('grpc' in sys.modules or 'uvloop' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_ready_line_has_the_real_port(start_small):
    """`port = 0` takes a free one, and the line says which."""
    host, _, port = start_small().target.rpartition(":")
    assert (host, int(port) > 0) == ("127.0.0.1", True)


def test_ready_line_comes_when_every_worker_serves(start_small):
    """Not before."""
    service = start_small(workers=2)
    ready = {event["name"] for event in service.events("worker_ready")}
    assert ready == {"worker-0", "worker-1"}


@pytest.mark.parametrize("occupant", ["plain", "wildgate"])
def test_port_in_use_is_one_clear_line(start_small, run_wildgate, occupant):
    """Also when who has it would share it, as another Wildgate would."""
    if occupant == "plain":
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            done = run_wildgate("serve", "--port", address.rpartition(":")[2])
    else:
        address = start_small().target
        done = run_wildgate("serve", "--port", address.rpartition(":")[2])
    expected = f"wildgate: cannot listen on {address}: Address already in use. Free the port or set another\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_open_network_without_keys_is_refused(run_wildgate, lexicons):
    """Nobody opens a service to the network by forgetting something."""
    open_to_all = {"WILDGATE_LEXICONS": str(lexicons), "WILDGATE_PLAINTEXT": "anywhere"}
    done = run_wildgate("serve", "--host", "0.0.0.0", "--port", "0", **open_to_all)  # noqa: S104
    said = "refusing to listen on 0.0.0.0:" in done.stderr and "wildgate keys create" in done.stderr
    assert (done.returncode, said, done.stdout) == (2, True, "")


def test_broken_lexicon_at_the_start_is_refused(run_wildgate, lexicons, break_lexicon):
    """With its place, and without a traceback."""
    break_lexicon()
    done = run_wildgate("serve", "--port", "0", WILDGATE_LEXICONS=str(lexicons))
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, last.startswith("wildgate: rules/en/broken.yml:1: ")) == (2, True)


def test_store_that_cannot_be_opened_is_refused(run_wildgate, lexicons):
    """Before any worker starts."""
    done = run_wildgate("serve", "--port", "0", "--store", "mongo://x", WILDGATE_LEXICONS=str(lexicons))
    assert (done.returncode, "mongo://x" in done.stderr) == (2, True)


def test_every_answered_decision_is_stored_when_workers_are_killed(start_small, connect, until):
    """By kill -9 of both workers under load: what was answered was recorded."""
    service = start_small(workers=2)
    load = Load(*(connect(service) for _ in range(4)))
    for name in ("worker-0", "worker-1"):
        load.has_grown(until)
        service.kill(name)
        service.wait_for("worker_ready", 2, name=name)
    load.has_grown(until)
    assert load.stop() - stored_ids(service) == set()


def test_every_answered_decision_is_stored_when_the_writer_is_killed(start_small, connect, until):
    """The workers wait for its successor and record what was not answered."""
    service = start_small()
    load = Load(*(connect(service) for _ in range(4)))
    load.has_grown(until)
    service.kill("writer")
    service.wait_for("process_started", 2, name="writer")
    load.has_grown(until)
    assert load.stop() - stored_ids(service) == set()


def test_nothing_is_lost_when_the_whole_service_is_killed(start_small, connect, until):
    """By kill -9 of every process at once, under load: the file that stays has every answer."""
    service = start_small(workers=2)
    load = Load(*(connect(service) for _ in range(4)))
    load.has_grown(until)
    os.killpg(service.process.pid, signal.SIGKILL)
    service.process.wait()
    assert load.stop() - stored_ids(service) == set()


def test_call_in_flight_is_answered_by_a_service_that_ends(start_small, connect, until):
    """SIGTERM while the writer stands still: the call waits for it, and is answered and stored."""
    service = start_small(drain_seconds=60)
    stubs = connect(service)
    stubs.scoring.ScoreListing(OFFER)
    service.kill("writer", signal.SIGSTOP)
    waiting = stubs.scoring.ScoreListing.future(OFFER)
    other = connect(service)
    until(lambda: refused_after(other), "the call to be in flight")
    service.process.terminate()
    service.wait_for("draining")
    service.kill("writer", signal.SIGCONT)
    decision_id = waiting.result().decision.decision_id
    assert (service.process.wait(60), decision_id in stored_ids(service)) == (0, True)


def refused_after(stubs):
    """Whether a call runs out of time, which shows that calls before it wait for the writer too."""
    try:
        stubs.scoring.ScoreListing(OFFER, timeout=0.2)
    except grpc.RpcError as error:
        return error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    return False


def test_call_that_outlasts_the_drain_is_given_up(start_small, connect, until):
    """A writer that never comes back must not keep the service from ending."""
    service = start_small(drain_seconds=0.2)
    stubs = connect(service)
    stubs.scoring.ScoreListing(OFFER)
    service.kill("writer", signal.SIGSTOP)
    waiting = stubs.scoring.ScoreListing.future(OFFER)
    until(lambda: refused_after(connect(service)), "the call to be in flight")
    service.process.terminate()
    code = waiting.exception().code()
    service.kill("writer", signal.SIGCONT)
    assert code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_service_ends_with_status_0_and_leaves_nobody_behind(start_small, number):
    """Also by ^C, which a terminal sends to all processes of the group."""
    service = start_small(workers=2)
    pids = [event["pid"] for event in service.events("process_started")]
    os.killpg(service.process.pid, number)
    assert (service.process.wait(60), [pid for pid in pids if alive(pid)]) == (0, [])


def test_children_end_with_a_supervisor_that_was_killed(start_small, until):
    """By kill -9: neither workers nor writer nor compiler stay."""
    service = start_small(workers=2)
    pids = [event["pid"] for event in service.events("process_started")]
    service.process.kill()
    until(lambda: not any(map(alive, pids)), "the children to end")
    assert len(pids) == 4


def test_port_is_free_when_the_service_has_ended(start_small):
    """The next one can start at once."""
    first = start_small()
    port = int(first.target.rpartition(":")[2])
    first.process.terminate()
    first.process.wait(60)
    assert start_small(port=port).target == first.target


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("192.0.2.1", False)],  # noqa: S104
)
def test_loopback_is_known(host, loopback):
    """Only there may a service without keys listen."""
    assert resolve(host, 1).loopback is loopback


def test_address_of_version_6_is_in_brackets():
    """As URLs and gRPC write it."""
    assert str(Address("::1", 50051)) == "[::1]:50051"


def test_service_listens_on_version_6(start_small, connect):
    """And writes its address as gRPC reads it."""
    service = start_small(host="::1")
    assert service.target.startswith("[::1]:")
    assert connect(service).scoring.ScoreListing(OFFER).decision.decision_id


def test_watcher_of_health_hears_that_the_service_ends(start_small, connect):
    """A load balancer that watches sends no more calls, and does not hold up the end."""
    service = start_small()
    watch = health_pb2_grpc.HealthStub(connect(service).channel).Watch(health_pb2.HealthCheckRequest())
    first = next(watch).status
    service.process.terminate()
    second = next(watch).status
    expected = (health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING, 0)
    assert (first, second, service.process.wait(60)) == expected


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path):
    """Certificate and key of 127.0.0.1, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    pem, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=wildgate -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*made.split(), "-out", pem, "-keyout", key], check=True, capture_output=True)
    return pem, key


def call_with(service, credentials):
    with grpc.secure_channel(service.target, credentials) as channel:
        return scoring_pb2_grpc.ScoringServiceStub(channel).ScoreListing(OFFER).decision.decision_id


def test_certificate_makes_the_service_speak_tls(start_small, certificate, connect):
    """And plaintext finds no answer."""
    pem, key = certificate
    service = start_small(tls_certificate=str(pem), tls_private_key=str(key))
    answered = call_with(service, grpc.ssl_channel_credentials(pem.read_bytes()))
    with pytest.raises(grpc.RpcError) as caught:
        connect(service).scoring.ScoreListing(OFFER)
    assert (bool(answered), caught.value.code()) == (True, grpc.StatusCode.UNAVAILABLE)


def test_client_needs_a_certificate_where_authorities_are_set(start_small, certificate):
    """Mutual TLS: who has none, or one of another authority, is not let in."""
    pem, key = certificate
    service = start_small(tls_certificate=str(pem), tls_private_key=str(key), tls_client_ca=str(pem))
    ours = grpc.ssl_channel_credentials(pem.read_bytes(), key.read_bytes(), pem.read_bytes())
    with pytest.raises(grpc.RpcError) as caught:
        call_with(service, grpc.ssl_channel_credentials(pem.read_bytes()))
    assert (caught.value.code(), bool(call_with(service, ours))) == (grpc.StatusCode.UNAVAILABLE, True)


def test_certificate_that_cannot_be_read_is_one_clear_line(run_wildgate):
    """Before anything starts."""
    done = run_wildgate("serve", "--port", "0", WILDGATE_TLS_CERTIFICATE="a.pem", WILDGATE_TLS_PRIVATE_KEY="b.pem")
    expected = "wildgate: setting tls_certificate: cannot read a.pem; name a PEM file that this user may read\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_lost_secrets_are_not_replaced_in_silence(start_small, run_wildgate, connect):
    """Once the store holds a decision, a service without them does not start, and says what to do."""
    service = start_small()
    connect(service).scoring.ScoreListing(OFFER)
    service.process.terminate()
    service.process.wait(60)
    (service.folder / "wildgate.secrets").unlink()
    done = run_wildgate("serve", "--config", str(service.config))
    said = "wildgate.secrets is missing" in done.stderr and "restore it from a backup" in done.stderr
    assert (done.returncode, said, "Traceback" in done.stderr) == (2, True, False)


def test_long_folder_of_temporary_files_is_one_clear_line(run_wildgate, lexicons, tmp_path):
    """A Unix socket's path may have some hundred bytes."""
    folder = tmp_path / ("a" * 100)
    folder.mkdir()
    done = run_wildgate("serve", "--port", "0", WILDGATE_LEXICONS=str(lexicons), TMPDIR=str(folder))
    said = "Set TMPDIR to a folder with a short path" in done.stderr.splitlines()[-1]
    assert (done.returncode, said, "Traceback" in done.stderr) == (2, True, False)


def test_store_deleted_in_use_is_said_to_callers(start_small, connect):
    """No decision is answered that nobody will find; nor does the service end."""
    service = start_small()
    stubs = connect(service)
    stubs.scoring.ScoreListing(OFFER)
    for file in service.folder.glob("wildgate.db*"):
        file.unlink()
    codes = []
    for _ in range(2):
        with pytest.raises(grpc.RpcError) as caught:
            stubs.scoring.ScoreListing(OFFER)
        codes.append(caught.value.code())
    assert (codes, service.process.poll()) == ([grpc.StatusCode.UNAVAILABLE] * 2, None)


def test_exception_that_nobody_caught_is_logged_without_its_text():
    """It could quote a listing; so could the arguments of a callback, which a loop prints."""
    done = subprocess.run([sys.executable, "-c", UNCAUGHT], capture_output=True, text=True, check=True)
    assert ('"error": "ValueError"' in done.stderr, "tusk" in done.stderr) == (True, False)
