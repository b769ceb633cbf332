"""How long a service takes from its start to its first answer, and how much memory its processes have then and after some listings.

Each round starts a service with one worker and one with four, in turn, as a user starts them; the first round, in which the lexicons may
have to be compiled, is thrown away. `seconds` are by the clock, from the process to the first answer; `pss_mib` counts a page that several
processes share by shares, `rss_mib` whole. `another_worker_mib` is what a worker more adds: all of four less all of one, by three.

Usage: python benchmarks/load/start.py [--rounds N] [--listings N] [--output FILE]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from machine import rss, write
from mix import Mix
from running import Service
from wildgate import Client, Listing

SEED = 20_261_123
OFFER = Listing(title="Raw elephant ivory tusk for sale, no papers, DM me")
WORKERS = (1, 4)
BATCH = 32


class Started(Service):
    """A service as soon as it listens."""

    waits = False


def round_of(folder: Path, workers: int, count: int) -> dict[str, Any]:
    """Start, ask, look, end."""
    mix = Mix(SEED)
    sent = [mix.listing()[1] for _ in range(count)]
    begun = time.perf_counter()
    with Started("service", folder, workers=workers) as service:
        listening = time.perf_counter() - begun
        with Client(service.target, insecure=True, on_unavailable="raise", timeout=10.0) as client:
            client.score(OFFER)
            answered = time.perf_counter() - begun
            service.wait_until_idle()
            fresh = service.memory_mib()
            for at in range(0, count, BATCH):
                client.score_batch(sent[at : at + BATCH])
        return {
            "listening": listening,
            "answered": answered,
            "fresh": fresh,
            "used": service.memory_mib(),
            "used_rss": service.memory_mib(rss),
        }


def measured(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over rounds, of all processes together too."""
    seconds = {name: round(statistics.median([each[name] for each in rounds]), 2) for name in ("listening", "answered")}
    sizes = {name: _sizes([each[name] for each in rounds]) for name in ("fresh", "used", "used_rss")}
    return {"seconds": seconds, "pss_mib": {"fresh": sizes["fresh"], "used": sizes["used"]}, "rss_mib": sizes["used_rss"]}


def _sizes(rounds: list[dict[str, float]]) -> dict[str, float]:
    whole = [{**each, "all": sum(each.values())} for each in rounds]
    return {process: round(statistics.median([each[process] for each in whole]), 1) for process in whole[0]}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--listings", type=int, default=3_200)
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "start.json")
    chosen = parser.parse_args()
    rounds: dict[int, list[dict[str, Any]]] = {workers: [] for workers in WORKERS}
    for number in range(chosen.rounds + 1):
        for workers in WORKERS:
            with tempfile.TemporaryDirectory() as folder:
                one = round_of(Path(folder), workers, chosen.listings)
            print(f"round {number}, {workers} workers: first answer after {one['answered']:.2f} s, {sum(one['used'].values()):.0f} MiB")
            if number:
                rounds[workers].append(one)
    rows = {str(workers): measured(of) for workers, of in rounds.items()}
    one, four = (rows[str(workers)]["pss_mib"]["used"]["all"] for workers in WORKERS)
    another = round((four - one) / (WORKERS[1] - WORKERS[0]), 1)
    result = {"rounds": chosen.rounds, "listings": chosen.listings, "seed": SEED, "another_worker_mib": another, "workers": rows}
    print(f"first answer after {rows['1']['seconds']['answered']} s; one worker {one:.0f} MiB in all, another {another}")
    write(chosen.output, result)


if __name__ == "__main__":
    main()
