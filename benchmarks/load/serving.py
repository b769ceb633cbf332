"""The service over the wire as a ratio to an empty echo: requests/s, p50, p99, CPU; unary, with 2 % offers, in batches of 32.

Closed loops keep so many calls in flight (each answer brings the next call). Open loops send at random times at a fixed rate, a share of
what the same server answered with 32 in flight in the same round, whether it answers or not: that is how latency under load is known.

Usage: python benchmarks/load/serving.py [--rounds N] [--seconds S] [--output FILE]

What is served, each in one process on one core, all the while, asked in turn in every round (order shuffled): the echo, which takes and
answers bytes; the echo written with generated stubs; the service bare (`--store none`); the service as it comes (SQLite, its writer on the
same core). h2load has the other core. All servers of a round get the same bodies, the next round others; the echoes answer what the
service as it comes answered. h2load repeats one body, so the text is not unique within a run: `words` says what new words cost.
A gRPC client checks contents before and after each round's load, and every answer that holds an error is counted by its grpc-status.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from contents import BATCHED, UNARY, check_answers, check_echo
from h2load import Burst, LoadError, Shot, check_installed, fire
from machine import write
from ratios import Figures, batch_ratios, print_table, ratios
from running import Server, Service
from traffic import BATCH, Requests, make_requests, new_texts, write_body
from wildgate_service.local import local_engine
from wildgate_service.pipeline import Engine, score_listing
from wildgate_service.types import Listing

SEED = 11
SERVERS = ("echo", "echo with stubs", "bare", "default")
OPEN_SERVERS = ("echo", "bare", "default")
OPEN_CONNECTIONS = 16
OFFER_SHARE = 0.02
MEMO_CALLS = 2_000
BETWEEN_SECONDS = 0.1  # for the writer to finish what the run before left it


@dataclass(frozen=True)
class Scenario:
    """How load is given: `streams` at a time on each of `connections`, or at `load`, a share of the capacity; `listings` in a request."""

    name: str
    connections: int
    streams: int = 1
    kind: str = "ordinary"
    listings: int = 1
    with_offers: bool = False
    load: float = 0

    @property
    def servers(self) -> tuple[str, ...]:
        """Which are asked."""
        return OPEN_SERVERS if self.load else SERVERS


CAPACITY = Scenario("unary, 32 in flight", 16, 2)
BATCHES = Scenario("batch of 32, 4 in flight", 4, 1, kind="batch", listings=BATCH)
SCENARIOS = (
    CAPACITY,  # the first, for what follows goes by it
    Scenario("unary, 1 in flight", 1, 1),
    Scenario("unary, 8 in flight", 8, 1),
    Scenario("unary, 128 in flight", 16, 8),
    Scenario("2 % offers, 32 in flight", 16, 2, with_offers=True),
    BATCHES,
    *(Scenario(f"open loop, {load:.0%} of capacity", OPEN_CONNECTIONS, load=load) for load in (0.25, 0.5, 0.75, 0.9)),
)


@dataclass(frozen=True)
class Round:
    """Bodies and the answers that the service gave to them, by kind: ordinary, offer, batch. Bare, it has no id and receipt to answer."""

    number: int
    requests: Requests
    bodies: dict[str, Path]
    answers: dict[str, bytes]
    bare_answers: dict[str, bytes]


def main() -> int:
    """Measure, print, write; returns the exit status."""
    chosen = arguments()
    try:
        check_installed()
        with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder, ExitStack() as stack:
            bench = Bench(Path(folder), stack, chosen.seconds, chosen.rounds)
            result = bench.run()
    except LoadError as error:
        print(f"serving: {error}", file=sys.stderr)
        return 2
    print_table(result)
    write(chosen.output, result)
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="each with bodies of its own (default 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of load on each server in each scenario of a round (default 2)")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "serving.json")
    return parser.parse_args()


class Bench:
    """Servers, bodies and rounds."""

    def __init__(self, folder: Path, stack: ExitStack, seconds: float, rounds: int) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self._server_core, self._load_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
        self._folder = folder
        self._seconds = seconds
        self._rng = random.Random(SEED)
        self._engine = local_engine()
        services = {
            "bare": Service("bare", folder, self._server_core, store="none"),
            "default": Service("default", folder, self._server_core),
        }
        self._default = services["default"]
        self._servers: dict[str, Server] = {name: stack.enter_context(service) for name, service in services.items()}
        self._rounds = [self._make_round(number) for number in range(rounds)]
        echo = stack.enter_context(self._echo())
        self._servers |= {"echo": echo, "echo with stubs": echo}
        self._answered = 0
        self._refused: dict[str, Counter[str]] = {name: Counter() for name in SERVERS}
        self._capacity = dict.fromkeys(SERVERS, 0.0)  # requests/s of each server when it was last asked for all that it can

    def _make_round(self, number: int) -> Round:
        """Bodies, and what each service answers to them. Raises LoadError if an answer is not what it should be."""
        requests = make_requests(self._rng, number)
        bodies = {
            kind: write_body(self._folder / f"{kind}-{number}.body", getattr(requests, kind)) for kind in ("ordinary", "offer", "batch")
        }
        bare = check_answers(self._servers["bare"], requests, self._engine, recorded=False)
        answers = check_answers(self._servers["default"], requests, self._engine, recorded=True)
        return Round(number, requests, bodies, answers, bare)

    def _echo(self) -> Server:
        folder = self._folder / "answers"
        folder.mkdir()
        for each in self._rounds:
            for kind, answer in each.answers.items():
                (folder / f"{kind}-{each.number}.{'batch' if kind == 'batch' else 'unary'}").write_bytes(answer)
        return Server("echo", (sys.executable, str(HERE / "echo.py"), str(folder)), self._folder, self._server_core)

    def run(self) -> dict[str, Any]:
        """All rounds; per scenario and server the figures of each."""
        self._check_echo(self._rounds[0])
        self._warm_up()
        rows: dict[str, dict[str, list[Figures]]] = {scenario.name: {name: [] for name in scenario.servers} for scenario in SCENARIOS}
        for each in self._rounds:
            for scenario in SCENARIOS:
                for name in self._rng.sample(scenario.servers, len(scenario.servers)):
                    rows[scenario.name][name].append(self._measure(name, scenario, each))
                got = ", ".join(f"{name} {rows[scenario.name][name][-1]['listings_per_second']:,.0f}/s" for name in scenario.servers)
                print(f"round {each.number + 1} ({each.requests.script}), {scenario.name}: {got}", flush=True)
            self._check_contents(each)
        return {
            "seed": SEED,
            "rounds": len(self._rounds),
            "seconds": self._seconds,
            "pinned": self._server_core is not None,
            "request_bytes": {
                kind: [path.stat().st_size - 5 for path in self._of("bodies", kind)] for kind in ("ordinary", "offer", "batch")
            },
            "answer_bytes": {kind: [len(answer) for answer in self._of("answers", kind)] for kind in ("ordinary", "offer", "batch")},
            "load_average_after": os.getloadavg()[0],
            "words": cost_of_new_words(self._engine, self._rng),
            "recorded": self._recorded(),
            "refused": {name: dict(counted) for name, counted in self._refused.items()},
            "ratios": {name: ratios(figures) for name, figures in rows.items()},
            "batch_over_unary_echo": batch_ratios(rows[BATCHES.name], rows[CAPACITY.name]),
            "rows": rows,
        }

    def _of(self, field: str, kind: str) -> Iterator[Any]:
        return (getattr(each, field)[kind] for each in self._rounds)

    def _check_contents(self, each: Round) -> None:
        check_answers(self._servers["bare"], each.requests, self._engine, recorded=False)
        check_answers(self._servers["default"], each.requests, self._engine, recorded=True)
        self._check_echo(each)

    def _check_echo(self, each: Round) -> None:
        check_echo(self._servers["echo"], each.number, each.bodies, each.answers)

    def _warm_up(self) -> None:
        for scenario in (CAPACITY, BATCHES):
            for name in SERVERS:
                self._fire(name, scenario, self._rounds[0], min(1.0, self._seconds))

    def _measure(self, name: str, scenario: Scenario, each: Round) -> Figures:
        time.sleep(BETWEEN_SECONDS)
        server = self._servers[name]
        before, writer_before = server.cpu_seconds(), self._writer_seconds(name)
        burst = self._fire(name, scenario, each, self._seconds)
        spent, writer_spent = server.cpu_seconds() - before, self._writer_seconds(name) - writer_before
        return {
            "listings_per_second": round(burst.requests_per_second * scenario.listings, 1),
            "p50_ms": round(burst.p50, 4),
            "p99_ms": round(burst.p99, 4),
            "cpu_us_per_listing": round(spent * 1e6 / (burst.answered * scenario.listings), 1),
            "writer_cpu_us_per_listing": round(writer_spent * 1e6 / (burst.answered * scenario.listings), 1),
            "offer_share": round(burst.shares[1], 4) if scenario.with_offers else 0.0,
            "asked_per_second": round(self._capacity[name] * scenario.load, 1),
            "refused_share": round(sum(burst.refused.values()) / burst.answered, 5),
        }

    def _writer_seconds(self, name: str) -> float:
        return self._default.cpu_seconds("writer") if name == "default" else 0.0

    def _fire(self, name: str, scenario: Scenario, each: Round, seconds: float) -> Burst:
        burst = fire(self._shots(name, scenario, each), seconds, self._folder, self._load_core)
        if scenario is CAPACITY:
            self._capacity[name] = burst.requests_per_second
        self._refused[name] += Counter(burst.refused)
        if name == "default":
            self._answered += (burst.answered - sum(burst.refused.values())) * scenario.listings
        return burst

    def _shots(self, name: str, scenario: Scenario, each: Round) -> tuple[Shot, ...]:
        if scenario.load:
            rate = self._capacity[name] * scenario.load / scenario.connections
            return tuple(self._shot(name, scenario.kind, each, rate=rate) for _ in range(scenario.connections))
        shot = self._shot(name, scenario.kind, each, scenario.connections, scenario.streams)
        offers = (self._shot(name, "offer", each, rate=self._capacity[name] * OFFER_SHARE),)
        return (shot, *offers) if scenario.with_offers else (shot,)

    def _shot(self, name: str, kind: str, each: Round, connections: int = 1, streams: int = 1, rate: float = 0) -> Shot:
        path = BATCHED if kind == "batch" else UNARY
        if name.startswith("echo"):
            path = f"/echo.{'stubs' if 'stubs' in name else 'bytes'}/{kind}-{each.number}"
        answer = (each.bare_answers if name == "bare" else each.answers)[kind]
        return Shot(self._servers[name].target, path, each.bodies[kind], len(answer), connections, streams, rate)

    def _recorded(self) -> dict[str, int]:
        """Decisions that h2load was answered, and all rows in the store (with the answers to checks and those cut off at a run's end)."""
        with sqlite3.connect(f"file:{self._default.database}?mode=ro", uri=True) as store:
            rows = store.execute("SELECT count(*) FROM decisions").fetchone()[0]
        if rows < self._answered:
            raise LoadError(f"{self._answered} decisions were answered but only {rows} recorded")
        return {"answered_to_h2load": self._answered, "rows_in_store": rows}


def cost_of_new_words(engine: Engine, rng: random.Random) -> dict[str, float]:
    """Median microseconds in process for one text over and over, and for texts of which each has new words."""
    texts = new_texts(rng, MEMO_CALLS)
    return {
        "repeated_us": _median_us(lambda _: score_listing(engine, Listing(description=texts[0]))),
        "new_words_us": _median_us(lambda number: score_listing(engine, Listing(description=texts[number]))),
    }


def _median_us(call: Callable[[int], object]) -> float:
    taken = []
    for number in range(MEMO_CALLS):
        start = time.perf_counter_ns()
        call(number)
        taken.append(time.perf_counter_ns() - start)
    return round(statistics.median(taken) / 1e3, 1)


if __name__ == "__main__":
    sys.exit(main())
