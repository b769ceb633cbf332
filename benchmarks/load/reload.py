"""How soon a changed rule is served by every worker, and what a reload costs those who are served meanwhile.

Starts a service of two workers on a copy of the lexicons, sends listings at a fixed rate over several connections, and changes one rule of
a file again and again: asked to reload by RPC, then found by the service itself. A change is in force when every worker has answered with
the new lexicon's version. Then the ordinary words change, which touches everything: that lexicon is compiled whole and loaded whole by
every worker (`whole`; its calls are counted apart). Requests are sent by the clock, so that one that waits does not hide the others, and
count as during a swap if they were under way between a change and all workers serving it.

Before that, `files` says what compiled files cost: compiling them with nothing kept, with the objects of an earlier process, loading one.

Usage: python benchmarks/load/reload.py [--reloads N] [--whole N] [--rate R] [--output FILE]
Exit status 1 if a changed rule took over a second or a call failed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
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
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import grpc
from clock import due_times, percentile
from machine import pss, write
from running import Service
from wildgate.v1 import lexicon_pb2, lexicon_pb2_grpc, scoring_pb2, scoring_pb2_grpc, types_pb2
from wildgate_service.lexicon import compile_lexicons, default_lexicons, load_compiled

SEED = 17
WORKERS = 2
CONNECTIONS = 12  # with two workers, all on one of them once in two thousand runs
CALL_SECONDS = 5.0
LIMIT_SECONDS = 1.0
MIB = 1 << 20
BETWEEN_SECONDS = (1.0, 2.0)
SETTLE_SECONDS = 5.0
FORM = re.compile(r"""form: (['"]?\w+)""")
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
        rng, number = random.Random(SEED), 0
        async for due in due_times(self.rate):
            title = f"{rng.choice(TITLES)} {rng.randrange(10**6)}"
            task = asyncio.create_task(self._send(number % CONNECTIONS, title, due))
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
        files = compiled_files(lexicons, folder / "compiled")
        with Service("service", folder, workers=WORKERS, lexicons=str(lexicons), cache=str(prepared_cache(folder))) as service:
            result = asyncio.run(measure(service, lexicons, chosen))
            result["files"] = files
            result["workers_that_died"] = service.log.count('"process_died"')
    for name in ("files", "by_rpc", "by_watch", "whole", "requests", "memory_mib", "load_average", "errors"):
        print(f"{name}: {result[name]}")
    write(chosen.output, result)
    return 0 if holds(result) else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reloads", type=int, default=20, help="by RPC, and as many again found by the service (default 20)")
    parser.add_argument("--whole", type=int, default=2, help="reloads after a change that touches everything (default 2)")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second (default 100)")
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


def compiled_files(lexicons: Path, folder: Path) -> dict[str, float]:
    """Seconds to compile and to load, each in a process of its own, and sizes in MiB."""
    seconds = {"cold_compile_seconds": in_process(seconds_to_compile, lexicons, folder)}
    whole = next(folder.glob("lexicon-*.bin"))
    objects = next(folder.glob("objects-*.bin"))
    sizes = {"compiled_mib": whole.stat().st_size / MIB, "objects_mib": objects.stat().st_size / MIB}
    whole.unlink()
    seconds["compile_from_objects_seconds"] = in_process(seconds_to_compile, lexicons, folder)
    seconds["load_seconds"], sizes["loaded_mib"] = in_process(cost_of_loading, whole)
    return {name: round(value, 2) for name, value in (seconds | sizes).items()}


def in_process(measured: Callable[..., Any], *given: Path) -> Any:  # noqa: ANN401  (whatever is measured)
    """What a function returns in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measured, *given).result()


def seconds_to_compile(lexicons: Path, folder: Path) -> float:
    """From files to a compiled file."""
    start = time.perf_counter()
    compile_lexicons(lexicons, folder)
    return time.perf_counter() - start


def cost_of_loading(path: Path) -> tuple[float, float]:
    """Seconds from a compiled file to a lexicon that can be searched, and how many MiB the process grew by."""
    before = pss(os.getpid())
    gc.disable()
    start = time.perf_counter()
    lexicon = load_compiled(path)
    taken, grown = time.perf_counter() - start, pss(os.getpid()) - before
    del lexicon
    return taken, grown / 1024


async def measure(service: Service, lexicons: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Load all the while; reload after reload; then what it was like for the requests."""
    load = Load(service.target, chosen.rate)
    sending = asyncio.create_task(load.run())
    await asyncio.sleep(SETTLE_SECONDS)
    rng = random.Random(SEED)
    memory = {"before": service.memory_mib()}
    averages = {"before": os.getloadavg()[0]}
    swaps: dict[str, list[Swap]] = {}
    calls: dict[str, list[Call]] = {}
    steps = (("by_rpc", by_rpc, change_rule, chosen.reloads), ("by_watch", by_watch, change_rule, chosen.reloads))
    for name, wait, change, times_over in (*steps, ("whole", by_rpc, change_everything, chosen.whole)):
        first = len(load.calls)
        swaps[name] = [await timed(change, lexicons, number, load, wait, rng) for number in range(times_over)]
        await asyncio.sleep(SETTLE_SECONDS)
        memory[f"after_{name}"] = service.memory_mib()
        averages[f"after_{name}"] = os.getloadavg()[0]
        calls[name] = load.calls[first:]
    sending.cancel()
    await load.close()
    return {
        "seed": SEED,
        "workers": WORKERS,
        "connections": CONNECTIONS,
        "requests_per_second": chosen.rate,
        **{name: times(swaps[name]) for name in swaps},
        "requests": requests([*calls["by_rpc"], *calls["by_watch"]], [*swaps["by_rpc"], *swaps["by_watch"]]),
        "requests_whole": requests(calls["whole"], swaps["whole"]),
        "errors": dict(load.errors),
        "memory_mib": memory,
        "load_average": averages,
    }


Swap = tuple[float, float]
Change = Callable[[Path, int], None]
Wait = Callable[[Load, set[str]], Awaitable[None]]


async def timed(change: Change, lexicons: Path, number: int, load: Load, wait: Wait, rng: random.Random) -> Swap:
    """Change a file, wait until it is served everywhere; returns when it was changed and when it was served."""
    await asyncio.sleep(rng.uniform(*BETWEEN_SECONDS))
    before = await load.versions()
    change(lexicons, number)
    start = time.perf_counter()
    await wait(load, before)
    return start, time.perf_counter()


def change_rule(lexicons: Path, number: int) -> None:
    """Change a gloss or a form of a rule; files take turns."""
    file = lexicons / "rules" / FILES[number % len(FILES)]
    text = file.read_text(encoding="utf-8")
    changed = with_form(text, number) if number % 2 else text.replace("gloss: ", f"gloss: {number} ", 1)
    file.write_text(changed, encoding="utf-8")


def change_everything(lexicons: Path, number: int) -> None:
    """Add an ordinary word."""
    with (lexicons / "ordinary_words.tsv").open("a", encoding="utf-8") as file:
        file.write(f"zq{'abcdefghij'[number % 10]}zq\ten\n")


def with_form(text: str, number: int) -> str:
    """The text with another first form, so that the automata change."""
    return FORM.sub(lambda found: f"form: {found[1]}{'abcdefghij'[number % 10]}", text, count=1)


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


def times(swaps: list[Swap]) -> dict[str, float]:
    """From change to service, in seconds."""
    taken = sorted(end - start for start, end in swaps)
    return {
        "reloads": len(taken),
        "median_seconds": round(statistics.median(taken), 3),
        "p95_seconds": round(percentile(taken, 0.95), 3),
        "max_seconds": round(taken[-1], 3),
    }


def requests(calls: list[Call], swaps: list[Swap]) -> dict[str, dict[str, float]]:
    """Latencies of those under way during a swap, and of the others."""
    during = [call for call in calls if any(call.sent < end and call.answered > start for start, end in swaps)]
    outside = [call for call in calls if not any(call.sent < end and call.answered > start for start, end in swaps)]
    return {"during_swaps": latencies(during), "outside": latencies(outside)}


def latencies(calls: list[Call]) -> dict[str, float]:
    """In milliseconds."""
    taken = sorted(call.milliseconds for call in calls)
    figures = {f"p{name}_ms": round(percentile(taken, share), 2) for name, share in (("50", 0.5), ("99", 0.99), ("99.9", 0.999))}
    return {"count": len(taken), **figures, "max_ms": round(taken[-1], 2), "failures": sum(not call.version for call in calls)}


def holds(result: dict[str, Any]) -> bool:
    """Whether each change was served within the limit and every call answered."""
    slowest = max(result[name]["max_seconds"] for name in ("by_rpc", "by_watch"))
    return slowest <= LIMIT_SECONDS and not result["errors"] and not result["workers_that_died"]


if __name__ == "__main__":
    sys.exit(main())
