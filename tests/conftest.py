"""The real service, started as its users start it: a process, a port, a store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import Self

import grpc
import pytest
from wildgate_service.settings import load_settings

READY = "wildgate: serving on "
START_SECONDS = 120
EVENT_SECONDS = 60
OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)
TRANSPORT = os.environ.get("TEST_TRANSPORT")  # a candidate, on which everything then runs: docs/transports.md
SERVE_ON = Path(__file__).parents[1] / "benchmarks" / "transports" / "serve_on.py"
RUN = (sys.executable, str(SERVE_ON), TRANSPORT) if TRANSPORT else (sys.executable, "-c", "from wildgate_service.cli import main; main()")


class Service:
    """A running `wildgate serve`, in a folder of its own and with all settings from a file there."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.config = folder / "wildgate.toml"
        self.store = f"sqlite:///{folder}/wildgate.db"
        chosen = {"port": 0, "workers": 1, "store": self.store, "cache": f"{folder}/cache"}
        lines = (f"{name} = {json.dumps(value)}\n" for name, value in (chosen | settings).items())
        self.config.write_text("".join(lines), encoding="utf-8")
        self.target = ""

    def __enter__(self) -> Self:
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*RUN, "serve", "--config", str(self.config)],
                cwd=self.folder,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line.startswith(READY):
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            pytest.fail(f"the service did not start:\n{self.log}")
        self.target = line.removeprefix(READY).strip()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(EVENT_SECONDS)
        assert self.process.stdout
        self.process.stdout.close()

    @property
    def log(self) -> str:
        """All it logged."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def events(self, event: str, **fields: object) -> list[dict[str, object]]:
        """The log's events of that name and these fields."""
        logged = (json.loads(line) for line in self.log.splitlines() if line.startswith("{"))
        return [each for each in logged if each["event"] == event and fields.items() <= each.items()]

    def wait_for(self, event: str, count: int = 1, **fields: object) -> dict[str, object]:
        """Wait until the log has so many of the event; returns the last."""
        wait_until(lambda: len(self.events(event, **fields)) >= count, f"{event} {fields}")
        return self.events(event, **fields)[-1]

    def pid(self, name: str) -> int:
        """Process id of the youngest child of that name, such as worker-0 or writer."""
        pid = self.events("process_started", name=name)[-1]["pid"]
        assert isinstance(pid, int)
        return pid

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a child."""
        os.kill(self.pid(name), number)

    @property
    def http(self) -> str:
        """Address of its HTTP port, as "HOST:PORT"."""
        return str(self.wait_for("http_serving")["address"])

    def channel(self) -> grpc.Channel:
        """A connection of its own, so that the kernel may choose another worker for each."""
        return grpc.insecure_channel(self.target, OWN_CONNECTION)


def environment() -> dict[str, str]:
    """Ours without settings that somebody may have set for a service of their own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WILDGATE_")}


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait until it holds; how long it takes is not what is tested."""
    deadline = monotonic() + EVENT_SECONDS
    while not condition():
        if monotonic() > deadline:
            pytest.fail(f"waited in vain for {what}")
        sleep(0.02)


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Start services with the settings given; all are ended after the test."""
    with ExitStack() as services:

        def start(**settings: object) -> Service:
            folder = tmp_path / f"service-{len(list(tmp_path.glob('service-*')))}"
            folder.mkdir()
            return services.enter_context(Service(folder, **settings))

        yield start


@pytest.fixture(scope="session")
def make_service() -> type[Service]:
    """The class itself, for fixtures that live longer than a test."""
    return Service


@pytest.fixture
def until():
    """Wait until a condition holds: `until(condition, "what it is")`."""
    return wait_until


@pytest.fixture(scope="session")
def cache_beside(tmp_path_factory):
    """A cache for small lexicons, since a few of them push the shipped ones out of the user's; its encoders are the user's."""
    cache = tmp_path_factory.mktemp("cache")
    (cache / "encoders").symlink_to(load_settings().settings.cache / "encoders", target_is_directory=True)
    return {"WILDGATE_CACHE": str(cache)}


@pytest.fixture
def run_wildgate(tmp_path, cache_beside):
    """Run a command to its end in a folder of its own; returns the completed process."""

    def run(*arguments: str, **variables: str):
        has_own = "--lexicons" in arguments or "WILDGATE_LEXICONS" in variables
        return subprocess.run(
            [*RUN, *arguments],
            cwd=tmp_path,
            env=environment() | (cache_beside if has_own else {}) | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def real_server_target(tmp_path_factory: pytest.TempPathFactory, make_cache: Callable[[Path], Path]) -> Iterator[str]:
    """Address, as "127.0.0.1:PORT", of a real service with the real lexicons and a store of its own."""
    folder = tmp_path_factory.mktemp("real-server")
    with Service(folder, workers=2, cache=str(make_cache(folder / "cache"))) as service:
        yield service.target
