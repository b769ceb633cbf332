"""The port: when it opens, what certificates it shows, how it ends, and what a connection may cost."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from uuid import uuid4

import pytest
from wildgate_service.admission import Admission
from wildgate_service.errors import SettingsError
from wildgate_service.http import body, check_http, connection
from wildgate_service.http.listener import HttpServer
from wildgate_service.lexicon import compile_lexicons
from wildgate_service.pipeline import load_engine
from wildgate_service.port import resolve
from wildgate_service.rpc import SCORE, Rpc, Serving
from wildgate_service.rpc.scoring import Scoring
from wildgate_service.settings import Settings, load_settings

PATH = "/wildgate.v1.ScoringService/ScoreListing"
OFFER = b'{"listing":{"title":"elephant tusk"}}'
HEAD = f"POST {PATH} HTTP/1.1\r\nhost: w\r\ncontent-type: application/json\r\n".encode()
CALL = HEAD + b"content-length: %d\r\n\r\n" % len(OFFER) + OFFER


def test_there_is_no_port_unless_it_is_asked_for(start_small):
    """A new surface opens by a decision."""
    assert start_small().events("http_serving") == []


def test_missing_packages_are_named_before_anything_starts(monkeypatch):
    """Only who asks for the port needs them."""
    monkeypatch.setattr("wildgate_service.http.find_spec", lambda name: None if name == "connectrpc" else name)
    check_http(Settings())
    with pytest.raises(SettingsError, match=r"pip install 'wildgate-service\[http\]'"):
        check_http(Settings(http_port=0))


def test_port_that_is_taken_ends_the_start_with_one_line(run_wildgate, lexicons):
    """Before anything else begins."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_wildgate("serve", "--port", "0", WILDGATE_HTTP_PORT=str(port), WILDGATE_LEXICONS=str(lexicons))
    expected = f"wildgate: cannot listen on 127.0.0.1:{port}: Address already in use. Free the port or set another\n"
    assert (done.returncode, done.stderr) == (2, expected)


@pytest.mark.slow
def test_open_network_without_tls_is_refused(run_wildgate, lexicons):
    """The HTTP port listens where gRPC's does, under the same rule."""
    done = run_wildgate("serve", "--host", "0.0.0.0", "--port", "0", WILDGATE_HTTP_PORT="0", WILDGATE_LEXICONS=str(lexicons))  # noqa: S104
    assert (done.returncode, "without TLS" in done.stderr) == (2, True)


# --- the end -------------------------------------------------------------------------------------


def test_calls_in_flight_are_answered_when_the_service_ends(start_small, browse, until):
    """SIGTERM while the writer stands still: the answer comes, and says that the connection ends."""
    service = start_small(http_port=0)
    browser = browse(service)
    browser.score()
    service.kill("writer", signal.SIGSTOP)
    browser.connection.request("POST", PATH, OFFER, {"content-type": "application/json"})
    until(lambda: in_flight(service), "the call")
    service.process.send_signal(signal.SIGTERM)
    service.wait_for("draining")
    service.kill("writer", signal.SIGCONT)
    answer = browser.connection.getresponse()
    assert (answer.status, answer.headers["connection"]) == (200, "close")


def in_flight(service):
    """Whether a connection to the port has been read: nothing waits in its queue."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    port = f"{int(service.http.rpartition(':')[2]):04X}"
    return any(line[1].endswith(f":{port}") and line[3] == "01" and line[4] == "00000000:00000000" for line in lines)


@pytest.mark.slow
def test_idle_connections_do_not_hold_up_the_end(start_small, browse):
    """They are closed, and the service ends at once."""
    service = start_small(http_port=0, drain_seconds=60)
    browser = browse(service)
    browser.score()
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(30)
    with pytest.raises(ConnectionError):
        browser.score()


@pytest.mark.slow
def test_replaced_workers_serve_the_port(start_small, browse):
    """The port is the service's: a worker that is killed leaves it to the others, and its successor joins."""
    service = start_small(http_port=0, workers=2)
    service.kill("worker-0")
    service.wait_for("worker_ready", 2, name="worker-0")
    assert [browse(service).score().status for _ in range(8)] == [200] * 8


class Calls(Thread):
    """Calls in turn over a connection that it keeps until that ends, each again with its requestId, and counts how each ended."""

    def __init__(self, browse, service):
        super().__init__()
        self.ends = Counter()
        self.ending = Event()
        self._browse = lambda: browse(service)

    def run(self):
        """Be the thread."""
        browser = self._browse()
        while not self.ending.wait(0.002):
            wanted = {"requestId": str(uuid4()), "listing": {"title": "brass lamp"}}
            for attempt in ("first", "again", "lost"):  # noqa: B007  (how it ended is counted below)
                try:
                    status = browser.score(wanted).status
                except (ConnectionError, HTTPException):
                    status = "cut off"
                if status == 200:
                    break
                browser = self._browse()
            self.ends[attempt] += 1


@pytest.mark.slow
def test_worker_that_is_replaced_costs_no_call_more_than_a_second_attempt(start_small, browse, until):
    """SIGTERM to a worker while others call: a connection that ends at the wrong moment is what a client tries again for."""
    service = start_small(http_port=0, workers=2)
    threads = [Calls(browse, service) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: sum(thread.ends.total() for thread in threads) > 100, "calls")
    service.kill("worker-0", signal.SIGTERM)
    service.wait_for("worker_ready", 2, name="worker-0")
    before = sum(thread.ends.total() for thread in threads)
    until(lambda: sum(thread.ends.total() for thread in threads) > before + 100, "calls after it")
    for thread in threads:
        thread.ending.set()
        thread.join()
    ends = sum((thread.ends for thread in threads), Counter())
    assert (ends["lost"], ends["again"] <= len(threads)) == (0, True), ends


# --- what a connection may cost, in this process --------------------------------------------------


@pytest.fixture
async def port(lexicons, tmp_path):
    """A server in this process, with bounds that a test can wait for: (what it serves with, a function that opens a connection)."""
    settings = load_settings(environment={}, options={"store": "none", "http_connections": 4, "max_message_bytes": 262_144}).settings
    serving = Serving(
        settings=settings,
        engine=load_engine(compile_lexicons(lexicons, tmp_path)),
        writer=None,
        secrets=None,
        admission=Admission(settings.longest_wait, settings.max_in_flight),
    )
    rpc = Rpc("wildgate.v1.ScoringService", "ScoreListing", SCORE, Scoring(serving).score_listing, scores=True, charged=1)
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as reserved:
        address = resolve("127.0.0.1", reserved.getsockname()[1])
        reserved.close()
        server = HttpServer(serving, [rpc], address)
    await server.start()
    opened = []

    async def connect():
        reader, writer = await asyncio.open_connection(address.host, address.port)
        opened.append(writer)
        return SimpleNamespace(read=reader.read, line=reader.readline, send=writer.write)

    yield SimpleNamespace(serving=serving, connect=connect)
    for writer in opened:
        writer.close()
    await server.drain(5)


async def ended(client):
    """Wait for the end of a connection; what came before."""
    try:
        return await asyncio.wait_for(client.read(), 30)
    except ConnectionError:
        return b""


async def test_connection_that_says_nothing_is_ended(port, monkeypatch):
    """After the time that a head may take."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.1)
    assert await ended(await port.connect()) == b""


async def test_head_that_drips_is_ended(port, monkeypatch):
    """However busy it looks; so is the second one of a connection."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    first, second = await port.connect(), await port.connect()
    second.send(CALL)
    assert (await second.line())[:12] == b"HTTP/1.1 200"

    async def drip(client):
        client.send(b"GET / HTTP/1.1\r\nx: ")
        while True:
            client.send(b"y")
            await asyncio.sleep(0.05)

    drips = [asyncio.create_task(drip(client)) for client in (first, second)]
    ends = [await ended(client) for client in (first, second)]
    for each in drips:
        each.cancel()
    assert (ends[0], b"HTTP/1.1" in ends[1]) == (b"", False)


async def test_body_that_drips_is_refused_and_ended(port, monkeypatch):
    """With a clear error, since the head said who calls."""
    monkeypatch.setattr(body, "SECONDS", 0.2)
    client = await port.connect()
    client.send(HEAD + b"content-length: 100\r\n\r\n{")
    received = await ended(client)
    assert (received[:12], b"the body did not come in time" in received, b"connection: close" in received) == (b"HTTP/1.1 504", True, True)


async def test_connections_beyond_the_most_are_closed(port):
    """Those that are open are served."""
    clients = [await port.connect() for _ in range(4)]
    await asyncio.sleep(0.1)
    beyond = await port.connect()
    assert await ended(beyond) == b""
    clients[0].send(CALL)
    assert (await clients[0].line())[:12] == b"HTTP/1.1 200"


async def test_bodies_together_have_a_bound(port, monkeypatch):
    """What waits for the rest of many bodies is as bounded as one body."""
    monkeypatch.setattr(body, "MOST_MESSAGES", 1)
    part = HEAD + b"content-length: 200000\r\n\r\n" + b"x" * 150_000
    clients = [await port.connect() for _ in range(2)]
    for client in clients:
        client.send(part)
    await asyncio.sleep(0.3)
    clients[1].send(b"x" * 50_000)
    assert (await asyncio.wait_for(clients[1].line(), 10))[:12] == b"HTTP/1.1 429"


async def test_draining_service_refuses_and_ends_the_connection(port):
    """503, as UNAVAILABLE over gRPC: a client goes elsewhere."""
    client = await port.connect()
    client.send(CALL)
    await client.line()
    port.serving.draining = True
    client.send(CALL)
    received = await ended(client)
    assert (b"HTTP/1.1 503" in received, b"DRAINING" in received, b"connection: close" in received) == (True, True, True)
