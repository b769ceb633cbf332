"""How soon a changed rule is served by every worker, and what a reload costs those who are served meanwhile.

Starts a service of two workers on a copy of the lexicons, sends listings at a fixed rate over several connections, and changes a rule file
again and again: asked to reload by RPC, then found by the service itself. A change is in force when every worker has answered with the new
lexicon's version. Requests are sent by the clock, so that one that waits does not hide the others, and count as during a swap if they were
under way between a change and all workers serving it.

Usage: python benchmarks/load/reload.py [--reloads N] [--rate R] [--output FILE]   exit status 1 if one took over a second or a call failed
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import grpc
from machine import write
from running import Service
from wildgate.v1 import lexicon_pb2, lexicon_pb2_grpc, scoring_pb2, scoring_pb2_grpc, types_pb2
from wildgate_service.lexicon import default_lexicons

SEED = 17
WORKERS = 2
CONNECTIONS = 12  # with two workers, all on one of them once in two thousand runs
CALL_SECONDS = 5.0
LIMIT_SECONDS = 1.0
BETWEEN_SECONDS = (1.0, 2.0)
SETTLE_SECONDS = 5.0
VERSION = re.compile(r"form: (\w+)")
FILES = ("en/ivory.yml", "en/benign.yml", "zh-Hans/benign.yml", "la/scientific_names.yml", "ru/benign.yml")
TITLES = (
    "Vintage table lamp, brass, works",
    "Carved elephant ivory bangle, whatsapp me",
    "Wool scarf, hand knitted, blue",
    "象牙手镯 微信联系",
)
OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


@dataclass
class Call:
    """When a request should have been sent and was answered, and by what version; "" if it failed."""

    sent: float
    answered: float
    version: str

    @property
    def milliseconds(self) -> float:
        """From when it should have been sent."""
        return (self.answered - self.sent) * 1e3


@dataclass
class Load:
    """Requests at a fixed rate over several connections."""

    target: str
    rate: float
    calls: list[Call] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.channels = [grpc.aio.insecure_channel(self.target, OWN_CONNECTION) for _ in range(CONNECTIONS)]
        self._stubs = [scoring_pb2_grpc.ScoringServiceStub(channel) for channel in self.channels]
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send until canceled."""
        rng = random.Random(SEED)
        start, number = time.perf_counter(), 0
        while True:
            due = start + number / self.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            title = f"{rng.choice(TITLES)} {rng.randrange(10**6)}"
            task = asyncio.create_task(self._send(number % CONNECTIONS, title, max(due, time.perf_counter() - 0.001)))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            number += 1

    async def _send(self, connection: int, title: str, due: float) -> None:
        request = scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(title=title))
        try:
            version = (await self._stubs[connection].ScoreListing(request, timeout=CALL_SECONDS)).decision.lexicon_version
        except grpc.aio.AioRpcError as error:
            self.errors[str(error.code())] += 1
            version = ""
        self.calls.append(Call(due, time.perf_counter(), version))

    async def versions(self) -> set[str]:
        """The versions served now over all connections."""
        stubs = [lexicon_pb2_grpc.LexiconServiceStub(channel) for channel in self.channels]
        answers = await asyncio.gather(*(stub.GetLexicon(lexicon_pb2.GetLexiconRequest(), timeout=CALL_SECONDS) for stub in stubs))
        return {answer.lexicon_version for answer in answers}

    async def close(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way)
        await asyncio.gather(*(channel.close() for channel in self.channels))


def main() -> int:
    """Measure, print, write; returns the exit status."""
    chosen = arguments()
    with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as name:
        folder = Path(name)
        lexicons = folder / "lexicons"
        shutil.copytree(default_lexicons(), lexicons)
        with Service("service", folder, workers=WORKERS, lexicons=str(lexicons), cache=str(prepared_cache(folder))) as service:
            result = asyncio.run(measure(service, lexicons, chosen))
            result["workers_that_died"] = service.log.count('"process_died"')
    for name in ("by_rpc", "by_watch"):
        print(f"{name}: {result[name]}")
    print(f"requests: {result['requests']}\nmemory (MiB): {result['memory_mib']}\nerrors: {result['errors']}")
    write(chosen.output, result)
    return 0 if holds(result) else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reloads", type=int, default=20, help="by RPC, and as many again found by the service (default 20)")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second (default 200)")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "reload.json")
    return parser.parse_args()


def prepared_cache(folder: Path) -> Path:
    """A cache of our own with the encoder of the user's, if it was built."""
    cache = folder / "cache"
    cache.mkdir()
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wildgate" / "encoders"
    if base.exists():
        (cache / "encoders").symlink_to(base)
    return cache


async def measure(service: Service, lexicons: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Load all the while; reload after reload; then what it was like for the requests."""
    load = Load(service.target, chosen.rate)
    sending = asyncio.create_task(load.run())
    await asyncio.sleep(SETTLE_SECONDS)
    rng = random.Random(SEED)
    memory = {"before": memory_of(service)}
    swaps: dict[str, list[tuple[float, float]]] = {}
    for name, wait in (("by_rpc", by_rpc), ("by_watch", by_watch)):
        swaps[name] = [await change(lexicons, number, load, wait, rng) for number in range(chosen.reloads)]
        await asyncio.sleep(SETTLE_SECONDS)
        memory[f"after_{name}"] = memory_of(service)
    sending.cancel()
    await load.close()
    return {
        "seed": SEED,
        "workers": WORKERS,
        "connections": CONNECTIONS,
        "requests_per_second": chosen.rate,
        **{name: times(swaps[name]) for name in swaps},
        "requests": requests(load.calls, [swap for each in swaps.values() for swap in each]),
        "errors": dict(load.errors),
        "memory_mib": memory,
    }


Wait = Callable[[Load, set[str]], Awaitable[None]]


async def change(lexicons: Path, number: int, load: Load, wait: Wait, rng: random.Random) -> tuple[float, float]:
    """Change a file, wait until it is served everywhere; returns when it was changed and when it was served."""
    await asyncio.sleep(rng.uniform(*BETWEEN_SECONDS))
    before = await load.versions()
    file = lexicons / "rules" / FILES[number % len(FILES)]
    text = file.read_text(encoding="utf-8")
    form = VERSION.search(text)
    changed = text.replace("gloss: ", f"gloss: {number} ", 1) if form is None or number % 2 else with_form(text, number)
    file.write_text(changed, encoding="utf-8")
    start = time.perf_counter()
    await wait(load, before)
    return start, time.perf_counter()


def with_form(text: str, number: int) -> str:
    """The text with another first form, so that the automata change."""
    return VERSION.sub(lambda found: f"form: {found[1]}{'abcdefghij'[number % 10]}", text, count=1)


async def by_rpc(load: Load, before: set[str]) -> None:
    """Ask for it; the answer comes when every worker serves it."""
    stub = lexicon_pb2_grpc.LexiconServiceStub(load.channels[0])
    answer = await stub.ReloadLexicon(lexicon_pb2.ReloadLexiconRequest(), timeout=CALL_SECONDS * 4)
    if answer.workers_serving != WORKERS or await load.versions() != {answer.lexicon_version} or {answer.lexicon_version} == before:
        raise SystemExit(f"not all workers serve {answer.lexicon_version}: {answer}")


async def by_watch(load: Load, before: set[str]) -> None:
    """Ask nobody; look what is served."""
    while (await load.versions()) & before:  # noqa: ASYNC110  (it is another process that changes)
        await asyncio.sleep(0.05)


def times(swaps: list[tuple[float, float]]) -> dict[str, float]:
    """From change to service, in seconds."""
    taken = sorted(end - start for start, end in swaps)
    return {
        "reloads": len(taken),
        "median_seconds": round(statistics.median(taken), 3),
        "p95_seconds": round(percentile(taken, 0.95), 3),
        "max_seconds": round(taken[-1], 3),
    }


def requests(calls: list[Call], swaps: list[tuple[float, float]]) -> dict[str, dict[str, float]]:
    """Latencies of those under way during a swap, and of the others."""
    during = [call for call in calls if any(call.sent < end and call.answered > start for start, end in swaps)]
    outside = [call for call in calls if not any(call.sent < end and call.answered > start for start, end in swaps)]
    return {"during_swaps": latencies(during), "outside": latencies(outside)}


def latencies(calls: list[Call]) -> dict[str, float]:
    """In milliseconds."""
    taken = sorted(call.milliseconds for call in calls)
    figures = {f"p{name}_ms": round(percentile(taken, share), 2) for name, share in (("50", 0.5), ("99", 0.99), ("99.9", 0.999))}
    return {"count": len(taken), **figures, "max_ms": round(taken[-1], 2), "failures": sum(not call.version for call in calls)}


def percentile(ordered: list[float], share: float) -> float:
    """The value that so large a share does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def memory_of(service: Service) -> dict[str, float]:
    """Proportional set size of each process, in MiB: what it shares is counted by shares."""
    pids = {"supervisor": service.process.pid, **{name: service.pid(name) for name in ("compiler", "worker-0", "worker-1")}}
    return {name: round(pss(pid) / 1024, 1) for name, pid in pids.items()}


def pss(pid: int) -> int:
    """In KiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1])


def holds(result: dict[str, Any]) -> bool:
    """Whether each change was served within the limit and every call answered."""
    slowest = max(result[name]["max_seconds"] for name in ("by_rpc", "by_watch"))
    return slowest <= LIMIT_SECONDS and not result["errors"] and not result["workers_that_died"]


if __name__ == "__main__":
    sys.exit(main())
