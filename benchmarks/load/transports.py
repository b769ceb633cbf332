"""Transports beside the empty echo of grpc.aio: requests/s, p50, p99, CPU of an echo and of the service without recording on each.

The adopted one and the candidates in benchmarks/transports (docs/transports.md says which contract tests each passes). All servers run all
the while, each in one process on one core, and are asked in turn in every round (order shuffled); h2load has the other core. A gRPC client
checks contents before and after each round's load.

Usage: python benchmarks/load/transports.py [--rounds N] [--seconds S] [--transports NAME …] [--output FILE]
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import grpc
from contents import BATCHED, CALL_SECONDS, UNARY, check_answers
from h2load import GRPC_PREFIX, Burst, LoadError, Shot, check_installed, fire
from machine import write
from ratios import Figures, medians, of_rounds, summary_of_ratios
from running import Server, Service
from serving import BATCHES, CAPACITY, Round, Scenario
from traffic import make_requests, write_body
from wildgate_service.local import local_engine

SEED = 11
TRANSPORTS = HERE.parent / "transports"
ADOPTED = "grpc_aio"
# What each stands on.
PACKAGES = {
    ADOPTED: ("grpcio", "uvloop"),
    "connectrpc": ("connectrpc", "h2corn", "uvloop"),
    "grpc_sync": ("grpcio",),
    "grpclib": ("grpclib", "h2", "uvloop"),
    "h2corn": ("h2corn", "uvloop"),
    "hypercorn": ("hypercorn", "h2", "uvloop"),
    "pygrpc_native": ("pygrpc-native", "uvloop"),
}
REFERENCE = "empty echo"
SCENARIOS = (
    CAPACITY,
    Scenario("unary, 1 in flight", 1, 1),
    Scenario("unary, 8 in flight", 8, 1),
    Scenario("unary, 128 in flight", 16, 8),
    BATCHES,
)
COMPARED = ("listings_per_second", "p50_ms", "p99_ms", "cpu_us_per_listing")
BETWEEN_SECONDS = 0.1
WARM_UP_SECONDS = 1.0
LONGER = 4


def main() -> int:
    """Measure, print, write; returns the exit status."""
    chosen = arguments()
    try:
        check_installed()
        with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder, ExitStack() as stack:
            result = Bench(Path(folder), stack, chosen).run()
    except LoadError as error:
        print(f"transports: {error}", file=sys.stderr)
        return 2
    print_table(result)
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="each with bodies of its own (default 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of load on each server in each scenario of a round (default 2)")
    parser.add_argument("--transports", nargs="+", choices=PACKAGES, default=installed(), help="default: those that are installed")
    parser.add_argument("--beside", default="", help="what else ran on the machine, to be told with the figures")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "transports.json")
    return parser.parse_args()


def installed() -> list[str]:
    """Transports all of whose packages are there."""
    return [name for name, packages in PACKAGES.items() if None not in map(_version, packages)]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


class ServiceOn(Service):
    """The service, without recording, on one transport."""

    def __init__(self, transport: str, folder: Path, core: int | None) -> None:
        if transport != ADOPTED:
            self.command = (sys.executable, str(TRANSPORTS / "serve_on.py"), transport, "serve")
        super().__init__(f"scored on {transport}", folder, core, store="none", lexicon_watch=False)


class Bench:
    """Servers, bodies and rounds."""

    def __init__(self, folder: Path, stack: ExitStack, chosen: argparse.Namespace) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self._server_core, self._load_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
        self._folder = folder
        self._chosen = chosen
        self._rng = random.Random(SEED)
        self._engine = local_engine()
        services = [ServiceOn(name, folder, self._server_core) for name in chosen.transports]
        self._services = {service.name: stack.enter_context(service) for service in services}
        self._rounds = [self._make_round(number) for number in range(chosen.rounds)]
        self._echoes = {echo.name: stack.enter_context(echo) for echo in self._make_echoes()}
        self._servers: dict[str, Server] = {**self._echoes, **self._services}
        self._refused: dict[str, Counter[str]] = {name: Counter() for name in self._servers}

    def _make_round(self, number: int) -> Round:
        """Bodies, and what the service answers to them, on every transport the same. Raises LoadError if an answer is not right."""
        requests = make_requests(self._rng, number)
        bodies = {kind: write_body(self._folder / f"{kind}-{number}.body", getattr(requests, kind)) for kind in ("ordinary", "batch")}
        answers = [check_answers(service, requests, self._engine, recorded=False) for service in self._services.values()]
        return Round(number, requests, bodies, answers[0], answers[0])

    def _make_echoes(self) -> list[Server]:
        folder = self._folder / "answers"
        folder.mkdir()
        for each in self._rounds:
            for kind in each.bodies:
                (folder / f"{kind}-{each.number}.{'batch' if kind == 'batch' else 'unary'}").write_bytes(each.answers[kind])
        made = [(REFERENCE, (sys.executable, str(HERE / "echo.py"), str(folder)))]
        made += [
            (f"echo on {name}", (sys.executable, str(TRANSPORTS / "echo_on.py"), name, str(folder))) for name in self._chosen.transports
        ]
        return [Server(name, command, self._folder, self._server_core) for name, command in made]

    def run(self) -> dict[str, Any]:
        """All rounds, each written as it ends; per scenario and server the figures of each."""
        rows: dict[str, dict[str, list[Figures]]] = {each.name: {name: [] for name in self._servers} for each in SCENARIOS}
        self._warm_up()
        for each in self._rounds:
            self._check_contents(each)
            for scenario in SCENARIOS:
                for name in self._rng.sample(list(self._servers), len(self._servers)):
                    rows[scenario.name][name].append(self._measure(name, scenario, each))
                got = ", ".join(f"{name} {of[-1]['listings_per_second']:,.0f}/s" for name, of in rows[scenario.name].items())
                print(f"round {each.number + 1} ({each.requests.script}), {scenario.name}: {got}", flush=True)
            self._check_contents(each)
            write(self._chosen.output, self._result(rows, each.number + 1))  # a long run that is cut short leaves what it has
        return self._result(rows, len(self._rounds))

    def _result(self, rows: Mapping[str, Mapping[str, Sequence[Figures]]], rounds: int) -> dict[str, Any]:
        return {
            "seed": SEED,
            "rounds": rounds,
            "seconds": self._chosen.seconds,
            "pinned": self._server_core is not None,
            "beside": self._chosen.beside,
            "load_average_after": os.getloadavg()[0],
            "transports": {name: {package: _version(package) for package in PACKAGES[name]} for name in self._chosen.transports},
            "refused": {name: dict(counted) for name, counted in self._refused.items()},
            "ratios": {name: ratios_to_reference(figures) for name, figures in rows.items()},
            "batch_over_unary_echo": batch_ratios(rows),
            "rows": rows,
        }

    def _check_contents(self, each: Round) -> None:
        for service in self._services.values():
            check_answers(service, each.requests, self._engine, recorded=False)
        for name, echo in self._echoes.items():
            with grpc.insecure_channel(echo.target) as channel:
                for kind, body in each.bodies.items():
                    got = channel.unary_unary(f"/echo.bytes/{kind}-{each.number}")(body.read_bytes()[GRPC_PREFIX:], timeout=CALL_SECONDS)
                    if got != each.answers[kind]:
                        raise LoadError(f"{name} answers something else to {kind}")

    def _warm_up(self) -> None:
        for scenario in (CAPACITY, BATCHES):
            for name in self._servers:
                self._fire(name, scenario, self._rounds[0], min(WARM_UP_SECONDS, self._chosen.seconds))

    def _measure(self, name: str, scenario: Scenario, each: Round) -> Figures:
        time.sleep(BETWEEN_SECONDS)
        server = self._servers[name]
        before = server.cpu_seconds()
        try:
            burst = self._fire(name, scenario, each, self._chosen.seconds)
        except LoadError:  # too few answers of a slow one, on a busy machine
            before = server.cpu_seconds()
            burst = self._fire(name, scenario, each, LONGER * self._chosen.seconds)
        self._refused[name] += Counter(burst.refused)
        return {
            "listings_per_second": round(burst.requests_per_second * scenario.listings, 1),
            "p50_ms": round(burst.p50, 4),
            "p99_ms": round(burst.p99, 4),
            "cpu_us_per_listing": round((server.cpu_seconds() - before) * 1e6 / (burst.answered * scenario.listings), 1),
        }

    def _fire(self, name: str, scenario: Scenario, each: Round, seconds: float) -> Burst:
        path = BATCHED if scenario.kind == "batch" else UNARY
        if name in self._echoes:
            path = f"/echo.bytes/{scenario.kind}-{each.number}"
        answer = len(each.answers[scenario.kind])
        shot = Shot(self._servers[name].target, path, each.bodies[scenario.kind], answer, scenario.connections, scenario.streams)
        return fire((shot,), seconds, self._folder, self._load_core)


def ratios_to_reference(figures: Mapping[str, Sequence[Figures]]) -> dict[str, dict[str, dict[str, float]]]:
    """Each server to the empty echo of grpc.aio, round by round."""
    reference = figures[REFERENCE]
    return {name: {key: summary_of_ratios(of, reference, key) for key in COMPARED} for name, of in figures.items() if name != REFERENCE}


def batch_ratios(rows: Mapping[str, Mapping[str, Sequence[Figures]]]) -> dict[str, dict[str, float]]:
    """Listings/s in batches to the requests/s of the empty echo at 32 in flight."""
    reference = rows[CAPACITY.name][REFERENCE]
    return {name: summary_of_ratios(of, reference, "listings_per_second") for name, of in rows[BATCHES.name].items()}


def print_table(result: Mapping[str, Any]) -> None:
    """Print medians and the ratios to the empty echo."""
    print("\n| scenario | server | listings/s | p50 ms | p99 ms | CPU µs | ÷ empty echo: rps | p99 |\n|---|---|---|---|---|---|---|---|")
    for scenario, servers in result["rows"].items():
        for name, rows in servers.items():
            middle, ratio = medians(rows), result["ratios"][scenario].get(name)
            cells = [f"{middle['listings_per_second']:,.0f}", f"{middle['p50_ms']:.2f}", f"{middle['p99_ms']:.2f}"]
            cells += [f"{middle['cpu_us_per_listing']:.0f}"]
            cells += [of_rounds(ratio["listings_per_second"]), of_rounds(ratio["p99_ms"])] if ratio else ["1", "1"]
            print(f"| {scenario} | {name} | {' | '.join(cells)} |")
    print("\nlistings/s in batches ÷ requests/s of the empty echo at 32 in flight:")
    for name, ratio in result["batch_over_unary_echo"].items():
        print(f"  {name}: {of_rounds(ratio)}")
    print(f"refused: {result['refused']}")


if __name__ == "__main__":
    sys.exit(main())
