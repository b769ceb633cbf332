"""What grows with what: cost with the number of forms, with the length of a text, and with the number of connections.

Forms: a few shipped rule files and synthetic forms up to 2,000, 20,000, 67,000 and 200,000; seconds to compile and to load, MiB in memory,
and microseconds of listings in which nothing is found. Length: texts of 60 to 20,000 code points, nothing found, with the lexicons as they
ship. Connections: 1 to 64, each with one call in flight, to one worker that records nothing.

Usage: python benchmarks/speed/growth.py [--only forms,length,connections] [--sizes 2000,20000] [--seconds S] [--output FILE]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "load"), str(HERE)]

from contents import UNARY, check_answers
from h2load import Shot, check_installed, fire
from machine import pss, write
from running import Service
from stages import WORDS, measured, text
from synthetic import make_lexicons
from traffic import make_requests, write_body
from wildgate_service.lexicon import compile_lexicons, load_compiled
from wildgate_service.local import local_engine
from wildgate_service.pipeline import Engine, load_engine
from wildgate_service.settings import load_settings
from wildgate_service.types import Listing

SEED = 31
SIZES = (2_000, 20_000, 67_000, 200_000)
LENGTHS = (60, 300, 1_500, 5_000, 20_000)  # code points; the last is the most that a description may have
CONNECTIONS = (1, 2, 4, 8, 16, 32, 64)
LENGTH = 300
CALLS = 400
CHARACTERS = 600_000  # of all texts of a length, about
SIZE_SECONDS = 1_800  # for one size, after which it is given up
ROUNDS = 3  # of connections
WARM_SECONDS = 1.0

Row = dict[str, Any]
Result = TypeVar("Result")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="forms,length,connections", help="parts, with commas between")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="of lexicons, in forms")
    parser.add_argument("--seconds", type=float, default=2.0, help="of load for each number of connections in each round (default 2)")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "growth.json")
    chosen = parser.parse_args()
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "forms": lambda: with_forms([int(size) for size in chosen.sizes.split(",")]),
        "length": with_length,
        "connections": lambda: with_connections(chosen.seconds),
    }
    rows = []
    for name in chosen.only.split(","):
        for row in parts[name]():
            print({"grows": name, **row}, flush=True)
            rows.append({"grows": name, **row})
    write(chosen.output, {"seed": SEED, "unit": "microseconds, median", "rows": rows})


def with_forms(sizes: list[int]) -> Iterator[Row]:
    """A row for each script and size; each size in a process of its own, so that its memory is its own."""
    for size in sizes:
        yield from alone(cost_of_forms, size)


def alone(call: Callable[..., Result], *given: object) -> Result:
    """What a call returns in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(call, *given).result(timeout=SIZE_SECONDS)


def cost_of_forms(size: int) -> list[Row]:
    """One size: made, compiled, loaded, searched."""
    settings = load_settings().settings
    with tempfile.TemporaryDirectory(prefix="wildgate-growth-") as name:
        folder = Path(name)
        forms = make_lexicons(folder / "lexicons", size, SEED)
        began = time.perf_counter()
        compiled = alone(compile_lexicons, folder / "lexicons", folder / "compiled")  # so that its memory is not in what is counted below
        compile_seconds = round(time.perf_counter() - began, 1)
        before, began = pss(os.getpid()), time.perf_counter()
        lexicon = load_compiled(compiled)
        load_seconds, grown = round(time.perf_counter() - began, 2), round((pss(os.getpid()) - before) / 1024, 1)
        del lexicon
        engine = load_engine(compiled, None, settings.encoder_path)
        made = {"forms": forms, "compile_seconds": compile_seconds, "load_seconds": load_seconds, "loaded_mib": grown}
        made["compiled_mib"] = round(compiled.stat().st_size / 2**20, 1)
    rng = random.Random(SEED)
    return [{**made, "script": script, **cost(engine, rng, script, LENGTH)} for script in WORDS]


def with_length() -> Iterator[Row]:
    """A row for each script and length."""
    engine, rng = local_engine(), random.Random(SEED)
    for script in WORDS:
        for length in LENGTHS:
            yield {"script": script, "characters": length, **cost(engine, rng, script, length)}


def cost(engine: Engine, rng: random.Random, script: str, length: int) -> Row:
    """Microseconds of unique texts in which nothing is found: to normalize and match, in all, and of the slowest in a hundred."""
    calls = min(CALLS, CHARACTERS // length + 5)
    listings = [Listing(description=text(rng, script, length, "", number)) for number in range(calls)]
    said = measured(engine, listings, "warm")
    return {"found_us": said["found"], "total_us": said["total"], "p99_us": said["p99"]}


def with_connections(seconds: float) -> Iterator[Row]:
    """A row for each number of connections: the rounds' requests/s, latencies, processor time, and the worker's memory with them open."""
    check_installed()
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    with tempfile.TemporaryDirectory(prefix="wildgate-growth-") as name:
        folder = Path(name)
        with Service("bare", folder, server_core, store="none") as service:
            requests = make_requests(random.Random(SEED), 0)
            answer = check_answers(service, requests, local_engine(), recorded=False)["ordinary"]
            body = write_body(folder / "ordinary.body", requests.ordinary)
            fire((Shot(service.target, UNARY, body, len(answer), 16, 2),), WARM_SECONDS, folder, load_core)
            for number in CONNECTIONS:
                shot = Shot(service.target, UNARY, body, len(answer), number)
                yield {"connections": number, "rounds": [burst_of(service, shot, seconds, folder, load_core) for _ in range(ROUNDS)]}
            check_answers(service, requests, local_engine(), recorded=False)


def burst_of(service: Service, shot: Shot, seconds: float, folder: Path, core: int | None) -> Row:
    """One round."""
    before = service.cpu_seconds()
    burst = fire((shot,), seconds, folder, core)
    spent = service.cpu_seconds() - before
    return {
        "listings_per_second": round(burst.requests_per_second, 1),
        "p50_ms": round(burst.p50, 3),
        "p99_ms": round(burst.p99, 3),
        "cpu_us_per_listing": round(spent * 1e6 / burst.answered, 1),
        "worker_mib": round(pss(service.pid("worker-0")) / 1024, 1),
    }


if __name__ == "__main__":
    main()
