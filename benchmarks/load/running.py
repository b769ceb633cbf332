"""Servers of our own, started as their users start them, on 127.0.0.1 and in folders of their own; only they are ever ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).parents[1]))

from machine import pss

READY = "serving on "
WAIT_SECONDS = 60
IDLE_SHARE = 0.05  # of a core
SERVICE = (sys.executable, "-c", "from wildgate_service.cli import main; main()", "serve")


class NotStartedError(Exception):
    """A server ended before it was ready; the message holds the end of its log."""


class Server:
    """A process that prints "… serving on H:P" when it is ready; its errors go to `log`. `path` is the PYTHONPATH of another checkout."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, core: int | None = None, path: str = "") -> None:
        self.name = name
        self.target = ""
        self._command = (*pinned(core), *command)
        self._environment = _environment() | ({"PYTHONPATH": path} if path else {})
        self._folder = folder
        self._log = folder / f"{name}.log"

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command, cwd=self._folder, env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout  # noqa: S101  (it was asked for)
        line = self.process.stdout.readline()
        if READY not in line:
            self.process.kill()
            self.process.wait()
            raise NotStartedError(f"{self.name} did not start:\n{self.log[-2_000:]}")
        self.target = line.partition(READY)[2].strip()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> str:
        """All that it wrote to standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def cpu_seconds(self) -> float:
        """User and system time of the process and all below it."""
        return _seconds(_tree(self.process.pid))


class Service(Server):
    """`wildgate serve` with settings in a file; what it records is in `database`.

    A subclass may start it by another command, or not wait until it is idle.
    """

    command: Sequence[str] = SERVICE
    waits = True

    def __init__(self, name: str, folder: Path, core: int | None = None, path: str = "", **settings: Any) -> None:  # noqa: ANN401  (as TOML has them)
        self.database = folder / f"{name}.db"
        config = folder / f"{name}.toml"
        chosen = {"port": 0, "workers": 1, "store": f"sqlite:///{self.database}"} | settings
        config.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in chosen.items()), encoding="utf-8")
        super().__init__(name, (*self.command, "--config", str(config)), folder, core, path)

    def __enter__(self) -> Self:
        """Start it, and wait until what it does beside serving after a start (the compiler gets ready for a reload) is done."""
        super().__enter__()
        if self.waits:
            self.wait_until_idle()
        return self

    def wait_until_idle(self) -> None:
        """Return when a second passes in which it does next to nothing."""
        deadline = monotonic() + WAIT_SECONDS
        spent, idle = self.cpu_seconds(), False
        while not idle and monotonic() < deadline:
            sleep(1)
            before, spent = spent, self.cpu_seconds()
            idle = spent - before < IDLE_SHARE

    def pid(self, process: str) -> int:
        """Process id of the youngest child of that name, such as worker-0."""
        return int(self._births(process)[-1]["pid"])

    def cpu_seconds(self, process: str = "") -> float:
        """User and system time of all, or of one child by its name."""
        return _seconds([self.pid(process)]) if process else super().cpu_seconds()

    def memory_mib(self, size: Callable[[int], int] = pss) -> dict[str, float]:
        """Proportional set size (or another) of the supervisor and of each child that lives, by name: what they share counts by shares."""
        names = dict.fromkeys(event["name"] for event in self._births())
        pids = {"supervisor": self.process.pid, **{name: self.pid(name) for name in names}}
        return {name: round(size(pid) / 1024, 1) for name, pid in pids.items() if Path(f"/proc/{pid}").exists()}

    def kill(self, process: str) -> None:
        """Send SIGKILL to a child and wait until another has taken its place."""
        births = len(self._births(process))
        os.kill(self.pid(process), signal.SIGKILL)
        deadline = monotonic() + WAIT_SECONDS
        while len(self._births(process)) == births:
            if monotonic() > deadline:
                raise NotStartedError(f"no other {process} in {WAIT_SECONDS} s:\n{self.log[-2_000:]}")
            sleep(0.02)

    def event(self, name: str) -> dict[str, Any]:
        """The last of the log's events of that name."""
        return self._events(name)[-1]

    def _births(self, process: str = "") -> list[dict[str, Any]]:
        return [event for event in self._events("process_started") if process in {"", event["name"]}]

    def _events(self, name: str) -> list[dict[str, Any]]:
        events = (json.loads(line) for line in self.log.split("\n") if line.startswith("{") and line.endswith("}"))
        return [event for event in events if event["event"] == name]


def pinned(core: int | None) -> tuple[str, ...]:
    """The beginning of a command that may run on one core alone; empty for None."""
    return () if core is None else ("taskset", "-c", str(core))


def _environment() -> dict[str, str]:
    """Ours without settings that somebody may have made for a service of their own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WILDGATE_")}


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except FileNotFoundError:
        return []
    return [pid, *(below for child in children for below in _tree(int(child)))]


def _seconds(pids: Sequence[int]) -> float:
    return sum(map(_ticks, pids)) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return int(fields[11]) + int(fields[12])
