"""Whether a rolling restart is noticed: two services behind one client target, each ended by SIGTERM and started anew under load, in turn.

Every call goes through the SDK, from threads that share a `Client` and from tasks of an `AsyncClient`, with the policy "review": a call
that the service did not answer is counted as degraded, with its reason.

Usage: python benchmarks/load/rolling_restart.py [--rounds N] [--seconds S] [--output FILE]   exit status 1 if one call was not answered
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from threading import Event, Thread
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from machine import write
from running import WAIT_SECONDS, Server, Service
from wildgate import AsyncClient, Client, Decision, Listing, WildgateError

THREADS = 4
TASKS = 8
PAUSE_SECONDS = 0.002  # of each sender after each call: a platform's load, not a flood
CALL_SECONDS = 2.0  # what is looked for is a lost call, not a slow one


class Load:
    """Counts what became of the calls of all senders, and how long the slowest took."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.slowest = 0.0
        self.ending = Event()

    def count(self, outcome: Decision | WildgateError, started: float) -> None:
        """Take the end of one call."""
        self.slowest = max(self.slowest, time.perf_counter() - started)
        self.outcomes[name_of(outcome)] += 1

    def call_in_turn(self, client: Client) -> None:
        """Be one thread."""
        while not self.ending.is_set():
            started = time.perf_counter()
            try:
                self.count(client.score(Listing(title="Vintage table lamp, brass")), started)
            except WildgateError as error:
                self.count(error, started)
            time.sleep(PAUSE_SECONDS)

    def run_tasks(self, target: str) -> None:
        """Be the event loop with its tasks."""
        asyncio.run(self._tasks(target))

    async def _tasks(self, target: str) -> None:
        async with AsyncClient(target, insecure=True, on_unavailable="review", timeout=CALL_SECONDS) as client:
            await asyncio.gather(*(self._await_in_turn(client) for _ in range(TASKS)))

    async def _await_in_turn(self, client: AsyncClient) -> None:
        while not self.ending.is_set():
            started = time.perf_counter()
            try:
                self.count(await client.score(Listing(title="Vintage table lamp, brass")), started)
            except WildgateError as error:
                self.count(error, started)
            await asyncio.sleep(PAUSE_SECONDS)


def name_of(outcome: Decision | WildgateError) -> str:
    """`answered`, `degraded REASON` or `failed REASON`."""
    if isinstance(outcome, WildgateError):
        return f"failed {outcome.reason}"
    return "answered" if outcome.answered else f"degraded {' '.join(outcome.degraded_reasons)}"


def main() -> int:
    """Measure, print, write; returns the exit status."""
    chosen = arguments()
    with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder:
        result = measure(Path(folder), chosen)
    print(f"{result['restarts']} restarts: {result['calls']}, slowest call {result['slowest_call_ms']} ms")
    write(chosen.output, result)
    return 0 if set(result["calls"]) == {"answered"} else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="restarts of each of the two services (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of load between two restarts (default 3)")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "rolling_restart.json")
    return parser.parse_args()


def measure(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Restart one service after the other while the senders send."""
    services = [start(folder, name) for name in ("first", "second")]
    target = "ipv4:" + ",".join(service.target for service in services)
    load = Load()
    with Client(target, insecure=True, on_unavailable="review", timeout=CALL_SECONDS) as client:
        senders = [Thread(target=load.call_in_turn, args=(client,)) for _ in range(THREADS)]
        senders.append(Thread(target=load.run_tasks, args=(target,)))
        client.wait_ready()
        for sender in senders:
            sender.start()
        try:
            for number in range(2 * chosen.rounds):
                time.sleep(chosen.seconds)
                services[number % 2] = restarted(folder, services[number % 2])
            time.sleep(chosen.seconds)
        finally:
            load.ending.set()
            for sender in senders:
                sender.join()
            for service in services:
                service.__exit__(None)
    return {
        "restarts": 2 * chosen.rounds,
        "threads": THREADS,
        "tasks": TASKS,
        "calls": dict(load.outcomes),
        "slowest_call_ms": round(load.slowest * 1000, 1),
    }


def start(folder: Path, name: str, port: int = 0) -> Service:
    """A service of one worker with a store of its own; it is ended by whoever asked for it."""
    service = Service(name, folder, port=port)
    Server.__enter__(service)  # that of Service waits until it is idle, and under load it is not
    return service


def restarted(folder: Path, service: Service) -> Service:
    """End it as an orchestrator would, and start it anew on its port."""
    port = int(service.target.rpartition(":")[2])
    os.kill(service.process.pid, signal.SIGTERM)
    service.process.wait(WAIT_SECONDS)
    return start(folder, service.name, port)


if __name__ == "__main__":
    sys.exit(main())
