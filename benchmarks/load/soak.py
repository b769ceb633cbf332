"""Twenty minutes of mixed traffic at a fixed rate: memory of every process over time, latencies by the minute, contents all the while.

A service of two workers that records, on 127.0.0.1 and a store of its own; unique listings through the SDK over several connections. Every
answer must be one to its listing; in between, listings that were also sent at the start must be decided as they were then. Exit status 1 if
a call failed, an answer was wrong, a process died, or a decision that was answered is not in the store.

Usage: python benchmarks/load/soak.py [--minutes M] [--rate R] [--output FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from clock import due_times, percentile
from kill_worker import missing_from
from machine import pss, rss, write
from mix import Mix, is_whole
from running import Service
from wildgate import AsyncClient, Listing, WildgateError

SEED = 41
WORKERS = 2
CONNECTIONS = 12  # with two workers, all on one of them once in two thousand runs
CALL_SECONDS = 5.0
SAMPLE_SECONDS = 10.0
KNOWN = 40  # listings that are sent again and again
KNOWN_EACH = 10  # of so many calls one is one of them
KEPT_IDS = 20_000  # decisions that are looked up at the end, the last ones
MINUTE = 60.0

Decided = tuple[str, float | None]
Sample = dict[str, Any]


@dataclass
class Soak:
    """What was sent and answered so far."""

    clients: list[AsyncClient]
    known: dict[str, tuple[Listing, Decided]] = field(default_factory=dict)
    taken: list[tuple[float, float]] = field(default_factory=list)  # when, by time.perf_counter, and milliseconds
    errors: Counter[str] = field(default_factory=Counter)
    degraded: Counter[str] = field(default_factory=Counter)  # answers, by why they are not what they could be
    wrong: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def learn(self, mix: Mix) -> None:
        """Send the listings that will come again."""
        for number in range(KNOWN):
            listing = mix.listing()[1]
            decision = await self.clients[number % len(self.clients)].score(listing)
            self.known[listing.id] = listing, (decision.action, decision.score)

    async def send(self, mix: Mix, rate: float) -> None:
        """Send until canceled."""
        known = list(self.known.values())
        number = 0
        async for due in due_times(rate):
            again = number % KNOWN_EACH == 0
            listing, expected = known[number // KNOWN_EACH % KNOWN] if again else (mix.listing()[1], None)
            task = asyncio.create_task(self._call(self.clients[number % CONNECTIONS], listing, expected, due))
            self.under_way.add(task)
            task.add_done_callback(self.under_way.discard)
            number += 1

    async def _call(self, client: AsyncClient, listing: Listing, expected: Decided | None, due: float) -> None:
        try:
            decision = await client.score(listing)
        except WildgateError as error:
            self.errors[f"{type(error).__name__} {error.reason}"] += 1
            return
        self.taken.append((due, (time.perf_counter() - due) * 1e3))
        self.decisions.append(decision.decision_id or "")
        if decision.degraded_reasons:  # the encoder was skipped for load, say: another answer than before, and one that says so
            self.degraded.update(decision.degraded_reasons)
            expected = None
        if not is_whole(listing, decision.listing_id, decision.score) or (expected and expected != (decision.action, decision.score)):
            self.wrong.append(f"{listing.id}: {decision.action} {decision.score}, expected {expected}")


def main() -> int:
    """Soak, print, write; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0, help="default 20")
    parser.add_argument("--rate", type=float, default=150.0, help="listings a second (default 150)")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "soak.json")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wildgate-soak-") as folder, Service("service", Path(folder), workers=WORKERS) as service:
        result = asyncio.run(soak(service, chosen.minutes, chosen.rate))
        result["died"] = service.log.count('"process_died"')
    for minute in result["minutes"]:
        print(minute)
    for name in ("answered", "errors", "degraded", "wrong", "missing", "died", "growth", "growth_rss"):
        print(f"{name}: {result[name]}")
    write(chosen.output, result)
    return 1 if result["errors"] or result["wrong"] or result["missing"] or result["died"] or not result["answered"] else 0


async def soak(service: Service, minutes: float, rate: float) -> dict[str, Any]:
    """The whole run; the store is read while the service still runs."""
    mix = Mix(SEED)
    state = Soak([AsyncClient(service.target, insecure=True, on_unavailable="raise", timeout=CALL_SECONDS) for _ in range(CONNECTIONS)])
    await state.learn(mix)
    began = time.perf_counter()
    sending = asyncio.create_task(state.send(mix, rate))
    samples = await sample(service, began, minutes * MINUTE)
    sending.cancel()
    await asyncio.gather(*state.under_way)
    await asyncio.gather(*(client.close() for client in state.clients))
    kept = state.decisions[-KEPT_IDS:]
    return {
        "seed": SEED,
        "workers": WORKERS,
        "rate_asked": rate,
        "answered": len(state.taken),
        "errors": dict(state.errors),
        "degraded": dict(state.degraded),
        "wrong": len(state.wrong),
        "wrong_first": state.wrong[:5],
        "looked_up": len(kept),
        "missing": len(missing_from(service.database, kept)),
        "minutes": by_minute(state.taken, began),
        "growth": growth(samples, "pss"),
        "growth_rss": growth(samples, "rss"),
        "memory_mib": samples,
    }


async def sample(service: Service, began: float, seconds: float) -> list[Sample]:
    """Memory of every process, by name, every ten seconds, until the time is over: its share of what is shared, and all it has in use."""
    samples: list[Sample] = []
    while (elapsed := time.perf_counter() - began) < seconds:
        store = service.database.stat().st_size / 2**20
        sizes = {name: await asyncio.to_thread(service.memory_mib, size) for name, size in (("pss", pss), ("rss", rss))}
        samples.append({"seconds": round(elapsed, 1), "store": round(store, 1), **sizes})
        print(samples[-1], file=sys.stderr)
        await asyncio.sleep(min(SAMPLE_SECONDS, max(0.0, seconds - elapsed)))
    return samples


def by_minute(taken: list[tuple[float, float]], began: float) -> list[dict[str, float]]:
    """Answers, p50, p99 and the slowest of each minute, in milliseconds."""
    minutes: dict[int, list[float]] = {}
    for when, milliseconds in taken:
        minutes.setdefault(int((when - began) // MINUTE), []).append(milliseconds)
    return [
        {
            "minute": minute,
            "answered": len(each),
            **{f"p{name}_ms": round(percentile(sorted(each), share), 2) for name, share in (("50", 0.5), ("99", 0.99))},
            "max_ms": round(max(each), 1),
        }
        for minute, each in sorted(minutes.items())
    ]


def growth(samples: list[Sample], size: str) -> dict[str, dict[str, float]]:
    """Of each process: MiB at the begin, in the middle, at the end, and per hour over the second half (least squares).

    A process whose resident size stays while its share grows has not grown: pages that a fork shared are its own since it wrote to them.
    """
    half = samples[len(samples) // 2 :]
    return {
        name: {
            "begin": samples[0][size][name],
            "middle": half[0][size][name],
            "end": samples[-1][size][name],
            "per_hour": round(slope([(each["seconds"] / 3600, each[size][name]) for each in half]), 1),
        }
        for name in samples[0][size]
        if all(name in each[size] for each in samples)
    }


def slope(points: list[tuple[float, float]]) -> float:
    """Of the straight line nearest to the points; 0 if they all stand at one place."""
    x_mean, y_mean = (sum(each[axis] for each in points) / len(points) for axis in (0, 1))
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / spread if spread else 0.0


if __name__ == "__main__":
    sys.exit(main())
