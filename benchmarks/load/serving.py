"""The service over the wire as a ratio to an empty echo: requests/s, p50, p99, CPU; unary, with 2 % offers, in batches of 32.

Usage: python benchmarks/load/serving.py [--rounds N] [--seconds S] [--output FILE]

What is served, each in one process on one core, all the while, asked in turn in every round (order shuffled): the echo, which takes and
answers bytes; the echo written with generated stubs; the service bare (`--store none`); the service as it comes (SQLite, its writer on the
same core). h2load has the other core. All servers of a round get the same bodies, the next round others; the echoes answer what the
service as it comes answered. h2load repeats one body, so the text is not unique within a run: `words` says what new words cost.
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
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import grpc
from h2load import Burst, LoadError, Shot, check_installed, fire
from machine import write
from running import Server, Service
from traffic import BATCH, Requests, make_requests, new_texts, write_body
from wildgate.v1 import scoring_pb2, types_pb2
from wildgate_service.local import local_engine
from wildgate_service.pipeline import score_listing
from wildgate_service.types import Listing

SEED = 11
SERVERS = ("echo", "echo with stubs", "bare", "default")
OFFER_SHARE = 0.02
UNARY = "/wildgate.v1.ScoringService/ScoreListing"
BATCHED = "/wildgate.v1.ScoringService/BatchScoreListings"
CALL_SECONDS = 30
MEMO_CALLS = 2_000
BETWEEN_SECONDS = 0.1  # for the writer to finish what the run before left it

Figures = dict[str, float]


@dataclass(frozen=True)
class Scenario:
    """How load is given: `streams` at a time on each of `connections`; `listings` in a request."""

    name: str
    connections: int
    streams: int
    kind: str = "ordinary"
    listings: int = 1
    with_offers: bool = False


SCENARIOS = (
    Scenario("unary, 32 in flight", 16, 2),
    Scenario("unary, 1 in flight", 1, 1),
    Scenario("2 % offers, 32 in flight", 16, 2, with_offers=True),
    Scenario("batch of 32, 4 in flight", 4, 1, kind="batch", listings=BATCH),
)


@dataclass(frozen=True)
class Round:
    """Bodies and the answers that the service gave to them, by kind: ordinary, offer, batch. Bare, it has no id and receipt to answer."""

    number: int
    script: str
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
    parser.add_argument("--rounds", type=int, default=8, help="each with bodies of its own (default 8)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of load on each server in each scenario of a round (default 3)")
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
        self._unary_rates: dict[str, float] = {}  # requests/s of each server when it was last asked for ordinary listings alone

    def _make_round(self, number: int) -> Round:
        """Bodies, and what each service answers to them. Raises LoadError if an answer is not what it should be."""
        requests = make_requests(self._rng, number)
        bodies = {
            kind: write_body(self._folder / f"{kind}-{number}.body", getattr(requests, kind)) for kind in ("ordinary", "offer", "batch")
        }
        bare = check_answers(self._servers["bare"], requests, recorded=False)
        answers = check_answers(self._servers["default"], requests, recorded=True)
        return Round(number, requests.script, bodies, answers, bare)

    def _echo(self) -> Server:
        folder = self._folder / "answers"
        folder.mkdir()
        for each in self._rounds:
            for kind, answer in each.answers.items():
                (folder / f"{kind}-{each.number}.{'batch' if kind == 'batch' else 'unary'}").write_bytes(answer)
        return Server("echo", (sys.executable, str(HERE / "echo.py"), str(folder)), self._folder, self._server_core)

    def run(self) -> dict[str, Any]:
        """All rounds; per scenario and server the figures of each."""
        for each in self._rounds:
            check_echo(self._servers["echo"], each)
        self._warm_up()
        rows: dict[str, dict[str, list[Figures]]] = {scenario.name: {name: [] for name in SERVERS} for scenario in SCENARIOS}
        for each in self._rounds:
            for scenario in SCENARIOS:
                for name in self._rng.sample(SERVERS, len(SERVERS)):
                    rows[scenario.name][name].append(self._measure(name, scenario, each))
                best = ", ".join(f"{name} {rows[scenario.name][name][-1]['listings_per_second']:,.0f}/s" for name in SERVERS)
                print(f"round {each.number + 1} ({each.script}), {scenario.name}: {best}", flush=True)
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
            "words": cost_of_new_words(self._rng),
            "recorded": self._recorded(),
            "ratios": {name: ratios(figures) for name, figures in rows.items()},
            "batch_over_unary_echo": batch_ratios(rows),
            "rows": rows,
        }

    def _of(self, field: str, kind: str) -> Iterator[Any]:
        return (getattr(each, field)[kind] for each in self._rounds)

    def _warm_up(self) -> None:
        for name in SERVERS:
            for scenario in SCENARIOS:
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
        }

    def _writer_seconds(self, name: str) -> float:
        return self._default.cpu_seconds("writer") if name == "default" else 0.0

    def _fire(self, name: str, scenario: Scenario, each: Round, seconds: float) -> Burst:
        shot = self._shot(name, scenario.kind, each, scenario.connections, scenario.streams)
        shots: tuple[Shot, ...] = (shot,)
        if scenario.with_offers:
            rate = self._unary_rates[name] * OFFER_SHARE
            shots = (shot, self._shot(name, "offer", each, 1, 1, rate))
        burst = fire(shots, seconds, self._folder, self._load_core)
        if scenario is SCENARIOS[0]:
            self._unary_rates[name] = burst.requests_per_second
        self._count(name, burst, scenario.listings)
        return burst

    def _shot(self, name: str, kind: str, each: Round, connections: int, streams: int, rate: float = 0) -> Shot:
        path = BATCHED if kind == "batch" else UNARY
        if name.startswith("echo"):
            path = f"/echo.{'stubs' if 'stubs' in name else 'bytes'}/{kind}-{each.number}"
        answer = (each.bare_answers if name == "bare" else each.answers)[kind]
        return Shot(self._servers[name].target, path, each.bodies[kind], len(answer), connections, streams, rate)

    def _count(self, name: str, burst: Burst, listings: int) -> None:
        if name == "default":
            self._answered += burst.answered * listings

    def _recorded(self) -> dict[str, int]:
        """Decisions that h2load was answered, and all rows in the store (with the answers to checks and those cut off at a run's end)."""
        with sqlite3.connect(f"file:{self._default.database}?mode=ro", uri=True) as store:
            rows = store.execute("SELECT count(*) FROM decisions").fetchone()[0]
        if rows < self._answered:
            raise LoadError(f"{self._answered} decisions were answered but only {rows} recorded")
        return {"answered_to_h2load": self._answered, "rows_in_store": rows}


def check_answers(server: Server, requests: Requests, *, recorded: bool) -> dict[str, bytes]:
    """The answers to all requests, over a plain gRPC client, which sees grpc-status. Raises LoadError if one is wrong."""
    with grpc.insecure_channel(server.target) as channel:
        unary, batched = channel.unary_unary(UNARY), channel.unary_unary(BATCHED)
        answers = {
            "ordinary": unary(requests.ordinary.SerializeToString(), timeout=CALL_SECONDS),
            "offer": unary(requests.offer.SerializeToString(), timeout=CALL_SECONDS),
            "batch": batched(requests.batch.SerializeToString(), timeout=CALL_SECONDS),
        }
    ordinary = scoring_pb2.ScoreListingResponse.FromString(answers["ordinary"]).decision
    offer = scoring_pb2.ScoreListingResponse.FromString(answers["offer"]).decision
    batch = scoring_pb2.BatchScoreListingsResponse.FromString(answers["batch"]).results
    allowed = [ordinary, *(result.decision for result in batch)]
    _check(server, f"{requests.script}: an ordinary listing is not allowed", all(each.action == types_pb2.ACTION_ALLOW for each in allowed))
    _check(server, f"{requests.script}: an offer is allowed", offer.action != types_pb2.ACTION_ALLOW)
    _check(server, "the encoder is missing; run `wildgate model build`", "encoder_missing" not in offer.degraded_reasons)
    _check(server, "a batch is not answered whole", len(batch) == BATCH)
    _check(server, "decisions are not recorded as they should be", all(bool(each.decision_id) == recorded for each in (*allowed, offer)))
    return answers


def check_echo(server: Server, each: Round) -> None:
    """Raise LoadError if an echo does not answer what it was given."""
    with grpc.insecure_channel(server.target) as channel:
        for kind, answer in each.answers.items():
            body = each.bodies[kind].read_bytes()[5:]
            for echo in ("bytes", "stubs"):
                got = channel.unary_unary(f"/echo.{echo}/{kind}-{each.number}")(body, timeout=CALL_SECONDS)
                _check(server, f"{echo} answers something else to {kind}", len(got) == len(answer))


def _check(server: Server, what: str, holds: bool) -> None:  # noqa: FBT001  (what is checked)
    if not holds:
        raise LoadError(f"{server.name}: {what}")


def ratios(figures: dict[str, list[Figures]]) -> dict[str, dict[str, dict[str, float]]]:
    """Each service to each echo, round by round: median, least and greatest of the ratios of requests/s, p50 and p99."""
    pairs = [(service, echo) for service in ("bare", "default") for echo in ("echo", "echo with stubs")]
    names = ("listings_per_second", "p50_ms", "p99_ms", "cpu_us_per_listing")
    return {f"{one} / {other}": {name: _summary(_ratios(figures[one], figures[other], name)) for name in names} for one, other in pairs}


def batch_ratios(rows: dict[str, dict[str, list[Figures]]]) -> dict[str, dict[str, float]]:
    """Listings/s in batches to the unary echo's requests/s at 32 in flight."""
    batches, unary = rows[SCENARIOS[3].name], rows[SCENARIOS[0].name]
    pairs = [(service, echo) for service in ("bare", "default") for echo in ("echo", "echo with stubs")]
    return {f"{one} / {other}": _summary(_ratios(batches[one], unary[other], "listings_per_second")) for one, other in pairs}


def _ratios(ones: list[Figures], others: list[Figures], name: str) -> list[float]:
    return [one[name] / other[name] for one, other in zip(ones, others, strict=True)]


def _summary(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 3), "least": round(min(values), 3), "greatest": round(max(values), 3)}


def cost_of_new_words(rng: random.Random) -> dict[str, float]:
    """Median microseconds in process for one text over and over, and for texts of which each has new words."""
    engine = local_engine()
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


def print_table(result: dict[str, Any]) -> None:
    """Print medians, and ratios to the echo of bytes and to the one with stubs."""
    heads = (
        "scenario",
        "server",
        "listings/s",
        "p50 ms",
        "p99 ms",
        "CPU µs",
        "of the writer",
        "÷ echo: rps, p99",
        "÷ echo with stubs: rps, p99",
    )
    print(f"\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for scenario, servers in result["rows"].items():
        for name, rows in servers.items():
            medians = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
            cells = [f"{medians['listings_per_second']:,.0f}", f"{medians['p50_ms']:.2f}", f"{medians['p99_ms']:.2f}"]
            cells += [f"{medians['cpu_us_per_listing']:.0f}", f"{medians['writer_cpu_us_per_listing']:.0f}"]
            cells += [_shown(result["ratios"][scenario].get(f"{name} / {echo}")) for echo in ("echo", "echo with stubs")]
            print(f"| {scenario} | {name} | {' | '.join(cells)} |")
    print("\nlistings/s in batches ÷ requests/s of the unary echo at 32 in flight:")
    for pair, ratio in result["batch_over_unary_echo"].items():
        print(f"  {pair}: {_of_rounds(ratio)}")
    print(f"recorded: {result['recorded']}; new words: {result['words']}")


def _shown(ratio: dict[str, dict[str, float]] | None) -> str:
    return f"{_of_rounds(ratio['listings_per_second'])}, {_of_rounds(ratio['p99_ms'])}" if ratio else ""


def _of_rounds(ratio: dict[str, float]) -> str:
    return f"{ratio['median']:.2f} [{ratio['least']:.2f}, {ratio['greatest']:.2f}]"


if __name__ == "__main__":
    sys.exit(main())
