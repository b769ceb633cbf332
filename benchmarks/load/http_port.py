"""What HTTP costs beside gRPC: requests/s, latency and CPU of the same calls over both ports of one service.

Usage: python benchmarks/load/http_port.py [--rounds N] [--seconds S] [--output FILE]

One service in one process on one core with its writer, all the while; h2load on the other core. Each round asks it in every way with the
same listings (order shuffled): over gRPC, over HTTP with JSON, and over HTTP with protobuf's bytes, one call and 32 calls in flight on as
many connections, and batches of 32 listings. Ratios are to gRPC's of the same round. h2load repeats one body; contents are checked once a
round: what JSON answers must be what gRPC does.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import grpc
from contents import BATCHED, CALL_SECONDS, UNARY
from google.protobuf.json_format import MessageToJson, Parse
from google.protobuf.message import Message
from h2load import LoadError, Shot, check_installed, fire
from machine import write
from running import Service
from traffic import BATCH, make_requests, write_body
from wildgate.v1 import scoring_pb2

SEED = 23
PATIENT = {"longest_wait": 5.0, "max_waiting": 256}  # what is measured is cost: no call is to be refused for overload
TYPES = {"HTTP, JSON": "application/json", "HTTP, protobuf": "application/proto"}
PROTOCOLS = ("gRPC", *TYPES)


@dataclass(frozen=True)
class Scenario:
    """How load is given: one call at a time on each of `connections`."""

    name: str
    path: str
    connections: int
    listings: int = 1


SCENARIOS = (
    Scenario("1 in flight", UNARY, 1),
    Scenario("32 in flight", UNARY, 32),
    Scenario("batches of 32, 4 in flight", BATCHED, 4, BATCH),
)
ANSWERS = {UNARY: scoring_pb2.ScoreListingResponse, BATCHED: scoring_pb2.BatchScoreListingsResponse}


def main() -> int:
    """Measure, print, write; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--seconds", type=float, default=2.0, help="of load in each way of a round (default 2)")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "http_port.json")
    chosen = parser.parse_args()
    try:
        check_installed()
        with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder, ExitStack() as stack:
            result = Bench(Path(folder), stack, chosen.seconds).run(chosen.rounds)
    except LoadError as error:
        print(f"http_port: {error}", file=sys.stderr)
        return 2
    for name, rows in result["scenarios"].items():
        for protocol, row in rows.items():
            print(f"{name}, {protocol}: {row}")
    write(chosen.output, result)
    return 0


class Bench:
    """The service and the rounds."""

    def __init__(self, folder: Path, stack: ExitStack, seconds: float) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self._server_core, self._load_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
        self._folder = folder
        self._seconds = seconds
        self._rng = random.Random(SEED)
        self._service = stack.enter_context(Service("service", folder, self._server_core, http_port=0, **PATIENT))
        self._http = self._service.event("http_serving")["address"]

    def run(self, rounds: int) -> dict[str, Any]:
        """All rounds; of each way the median, and of its ratio to gRPC's."""
        rows: dict[str, dict[str, list[dict[str, float]]]] = {each.name: {name: [] for name in PROTOCOLS} for each in SCENARIOS}
        for number in range(rounds):
            made = make_requests(self._rng, number)
            for scenario in SCENARIOS:
                request = made.ordinary if scenario.path == UNARY else made.batch
                sizes = self._check(scenario.path, request)
                for protocol in self._rng.sample(PROTOCOLS, len(PROTOCOLS)):
                    rows[scenario.name][protocol].append(self._measure(scenario, protocol, request, sizes[protocol]))
                print(scenario.name, {name: each[-1] for name, each in rows[scenario.name].items()}, flush=True)
        return {
            "seed": SEED,
            "rounds": rounds,
            "seconds": self._seconds,
            "pinned": self._server_core is not None,
            "load_average_after": os.getloadavg()[0],
            "scenarios": {name: {protocol: summary(own[protocol], own["gRPC"]) for protocol in PROTOCOLS} for name, own in rows.items()},
            "rows": rows,
        }

    def _check(self, path: str, request: Message) -> dict[str, int]:
        """Ask once by each protocol; the sizes of the answers. Raises LoadError if they decide differently."""
        with grpc.insecure_channel(self._service.target) as channel:
            answers = {"gRPC": channel.unary_unary(path)(request.SerializeToString(), timeout=CALL_SECONDS)}
        for protocol, content_type in TYPES.items():
            asked = urllib.request.Request(f"http://{self._http}{path}", _body(request, protocol), {"content-type": content_type})
            with urllib.request.urlopen(asked, timeout=CALL_SECONDS) as answer:  # noqa: S310  (our own service)
                answers[protocol] = answer.read()
        decided = {protocol: _decided(path, protocol, answer) for protocol, answer in answers.items()}
        if len(set(decided.values())) != 1:
            raise LoadError(f"{path}: the answers differ: {decided}")
        return {protocol: len(answer) for protocol, answer in answers.items()}

    def _measure(self, scenario: Scenario, protocol: str, request: Message, size: int) -> dict[str, float]:
        body = self._folder / "body"
        if protocol == "gRPC":
            write_body(body, request)
        else:
            body.write_bytes(_body(request, protocol))
        target = self._service.target if protocol == "gRPC" else self._http
        shot = Shot(target, scenario.path, body, size, scenario.connections, content_type=TYPES.get(protocol, ""))
        before = self._service.cpu_seconds()
        burst = fire((shot,), self._seconds, self._folder, self._load_core)
        return {
            "listings_per_second": round(burst.requests_per_second * scenario.listings, 1),
            "p50_ms": round(burst.p50, 3),
            "p99_ms": round(burst.p99, 3),
            "cpu_us_per_listing": round((self._service.cpu_seconds() - before) * 1e6 / burst.answered / scenario.listings, 1),
        }


def _body(request: Message, protocol: str) -> bytes:
    return request.SerializeToString() if protocol == "HTTP, protobuf" else MessageToJson(request, indent=None, ensure_ascii=False).encode()


def _decided(path: str, protocol: str, answer: bytes) -> tuple[tuple[int, float], ...]:
    """Actions and scores in an answer."""
    kind = ANSWERS[path]
    message = Parse(answer, kind()) if protocol == "HTTP, JSON" else kind.FromString(answer)
    decisions = [message.decision] if path == UNARY else [result.decision for result in message.results]
    return tuple((decision.action, round(decision.score, 9)) for decision in decisions)


def summary(rows: list[dict[str, float]], grpc_rows: list[dict[str, float]]) -> dict[str, float]:
    """Medians over the rounds, and of the ratios to gRPC's of the same round."""
    medians = {name: round(statistics.median(row[name] for row in rows), 3) for name in rows[0]}
    ratios = {
        f"{name}_to_grpc": round(statistics.median(row[name] / other[name] for row, other in zip(rows, grpc_rows, strict=True)), 3)
        for name in rows[0]
    }
    return medians | ratios


if __name__ == "__main__":
    sys.exit(main())
