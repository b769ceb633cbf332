"""What being seen costs: requests/s, latency and CPU of services that count, trace and log their calls, beside one that does none of it.

All are the service as it comes (SQLite, its writer on the same core), one worker, all on one core, asked in turn in every round (order
shuffled) with 32 calls in flight and with 1; h2load has the other core, and so has a receiver of traces that reads nothing of what it gets.
Metrics are scraped once a second. Ratios are to `off` in the same round.

Usage: python benchmarks/load/observability.py [--rounds N] [--seconds S] [--output FILE]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, redirect_stderr
from pathlib import Path
from threading import Event, Thread
from typing import Any

import grpc

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from contents import UNARY, check_answers
from h2load import LoadError, Shot, check_installed, fire
from machine import write
from running import Service
from traffic import make_requests, write_body
from wildgate_service import log as logs
from wildgate_service.local import local_engine
from wildgate_service.monitoring.board import Place
from wildgate_service.monitoring.calls import OK, Observer
from wildgate_service.monitoring.tally import Tally
from wildgate_service.monitoring.traces import start_tracing
from wildgate_service.pipeline import score_listing
from wildgate_service.settings import Settings
from wildgate_service.types import Listing

SEED = 23
IN_FLIGHT = {"32 in flight": (16, 2), "1 in flight": (1, 1)}
OFF = "off"
METRICS = {"metrics_port": 0}
SCRAPE_SECONDS = 1.0
BETWEEN_SECONDS = 0.2
COUNTED_CALLS = 4_000
EXPORT = "opentelemetry.proto.collector.trace.v1.TraceService"


def services(endpoint: str) -> dict[str, dict[str, Any]]:
    """Settings by name."""
    traced = METRICS | {"otel_endpoint": endpoint}
    return {
        OFF: {},
        "metrics": METRICS,
        "metrics, log of all calls": METRICS | {"log_calls": "all"},
        "metrics, 1 % of calls traced": traced | {"otel_sample_ratio": 0.01},
        "metrics, all calls traced": traced | {"otel_sample_ratio": 1.0},
    }


def main() -> int:
    """Measure, print, write; returns the exit status."""
    chosen = arguments()
    try:
        check_installed()
        with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder, ExitStack() as stack:
            result = measure(Path(folder), stack, chosen.rounds, chosen.seconds)
    except LoadError as error:
        print(f"observability: {error}", file=sys.stderr)
        return 2
    for load, ratios in result["ratios"].items():
        for name, ratio in ratios.items():
            print(f"{load}, {name}: {ratio}")
    write(chosen.output, result)
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="each with a body of its own (default 7)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of load on each service in each round (default 2)")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "observability.json")
    return parser.parse_args()


def measure(folder: Path, stack: ExitStack, rounds: int, seconds: float) -> dict[str, Any]:
    """All rounds; rows by load and service, and their ratios."""
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    endpoint = stack.enter_context(receiver())
    started = {
        name: stack.enter_context(Service(f"service-{number}", folder, server_core, **settings))
        for number, (name, settings) in enumerate(services(endpoint).items())
    }
    for service in started.values():
        if '"metrics_serving"' in service.log:
            stack.enter_context(scraped(service))
    rng, engine = random.Random(SEED), local_engine()
    rows: dict[str, dict[str, list[dict[str, float]]]] = {load: {name: [] for name in started} for load in IN_FLIGHT}
    for number in range(rounds):
        requests = make_requests(rng, number)
        body = write_body(folder / f"{number}.body", requests.ordinary)
        answers = {name: check_answers(service, requests, engine, recorded=True)["ordinary"] for name, service in started.items()}
        for load, (connections, streams) in IN_FLIGHT.items():
            for name in rng.sample(list(started), len(started)):
                shot = Shot(started[name].target, UNARY, body, len(answers[name]), connections, streams)
                rows[load][name].append(_fired(started[name], shot, seconds, folder, load_core))
            got = "; ".join(f"{name} {each[-1]['per_second']:,.0f}/s" for name, each in rows[load].items())
            print(f"round {number + 1}, {load}: {got}", flush=True)
    return {
        "seed": SEED,
        "rounds": rounds,
        "seconds": seconds,
        "pinned": server_core is not None,
        "load_average_after": os.getloadavg()[0],
        "in_process": cost_in_process(),
        "ratios": {load: {name: _ratios(each[name], each[OFF]) for name in each} for load, each in rows.items()},
        "rows": rows,
    }


def _fired(service: Service, shot: Shot, seconds: float, folder: Path, core: int | None) -> dict[str, float]:
    time.sleep(BETWEEN_SECONDS)
    before = service.cpu_seconds()
    burst = fire((shot,), seconds, folder, core)
    spent = service.cpu_seconds() - before
    return {
        "per_second": round(burst.requests_per_second, 1),
        "p50_ms": round(burst.p50, 4),
        "p99_ms": round(burst.p99, 4),
        "cpu_us_per_call": round(spent * 1e6 / burst.answered, 1),
    }


def _ratios(rows: list[dict[str, float]], off: list[dict[str, float]]) -> dict[str, float]:
    """Medians over the rounds of what each is to `off`."""
    return {name: round(statistics.median(one[name] / other[name] for one, other in zip(rows, off, strict=True)), 3) for name in rows[0]}


def cost_in_process() -> dict[str, float]:
    """Microseconds of CPU for what is seen of a call, each by itself, and for showing all numbers once (a second)."""
    tally, engine = Tally("worker-0", Place()), local_engine()
    timings: list[tuple[str, int]] = []
    decision = score_listing(engine, Listing(title="a chair", description="of oak, for sale"), timings=timings)
    timings.append(("record", 200_000))

    def cost(observer: Observer) -> float:
        def call() -> None:
            seen = observer.begin("ScoreListing", UNARY, tuple)
            timed = observer.times_this(seen)
            observer.answered(seen, decision, timings, timed=timed, repeated=False)
            if seen.span:
                seen.span.add_stages(timings)
            observer.end(seen, OK, None)

        return _cost(call, COUNTED_CALLS)

    with receiver() as endpoint, Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        logs.configure("info")
        of_all, of_none = (start_tracing(Settings(otel_endpoint=endpoint, otel_sample_ratio=ratio), "worker-0") for ratio in (1.0, 0.0))
        return {
            "counting_us": cost(Observer(tally, None, "off")),
            "logging_us": cost(Observer(None, None, "all")),
            "tracing_us": cost(Observer(None, of_all, "off")),
            "tracing_what_is_not_sampled_us": cost(Observer(None, of_none, "off")),
            "showing_all_numbers_us": _cost(tally.publish, COUNTED_CALLS // 20),
        }


def _cost(act: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(7):
        start = time.process_time()
        for _ in range(times):
            act()
        taken.append((time.process_time() - start) / times)
    return round(statistics.median(taken) * 1e6, 2)


@contextmanager
def receiver() -> Iterator[str]:
    """A receiver of traces that does not look at them; its endpoint."""
    server = grpc.server(ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(lambda _, __: b"")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(EXPORT, {"Export": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(0)


@contextmanager
def scraped(service: Service) -> Iterator[None]:
    """Scrape it once a second meanwhile."""
    address = service.log.partition('"metrics_serving"')[0].rpartition('"address": "')[2].partition('"')[0]
    ended = Event()

    def scrape() -> None:
        while not ended.wait(SCRAPE_SECONDS):
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as page:
                page.read()

    thread = Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
