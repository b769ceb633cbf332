"""The service under more than it can do: its capacity first (a closed loop), then once, twice and three times that by the clock.

Usage: python benchmarks/load/overload.py [--rounds N] [--seconds S] [--output FILE]

One worker and its writer on one core, the load on the other. Every request is another listing, 2 % of them offers, and has the SDK's
deadline of 50 ms. Said of each load: what share was accepted, how quickly those were answered and the others refused, and memory.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import uvloop
from machine import pss, write
from open_loop import GIVEN_UP, OK, Answer, Load, fire
from running import Service
from traffic import make_requests

SEED = 13
PATH = "/wildgate.v1.ScoringService/ScoreListing"
BODIES, OFFER_EVERY = 3_000, 50
CONNECTIONS, IN_FLIGHT = 16, 2
DEADLINE, PATIENCE = 0.05, 5.0  # seconds: the SDK's, and that of the closed loop
FACTORS = (1, 2, 3)
WARM_UP = 0.2  # share of a run that is not counted


def main() -> int:
    """Measure, print, write; returns the exit status."""
    chosen = arguments()
    cores = sorted(os.sched_getaffinity(0))
    rng = random.Random(SEED)
    bodies = make_bodies(rng)
    settings = {} if chosen.max_waiting is None else {"max_waiting": chosen.max_waiting}
    with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder:
        pinned = len(cores) > 1
        with Service("overload", Path(folder), cores[0] if pinned else None, **settings) as service:
            if pinned:
                os.sched_setaffinity(0, {cores[1]})
            measure(service, bodies, chosen.seconds)  # words and code become warm
            rows = [row for number in range(chosen.rounds) for row in one_round(service, bodies, chosen.seconds, number, rng)]
    result = {"seed": SEED, "seconds": chosen.seconds, "deadline_ms": DEADLINE * 1e3, "pinned": pinned, "rows": rows}
    print_table(rows)
    write(chosen.output, result)
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="each finds the capacity anew (default 5)")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each load (default 6)")
    parser.add_argument("--max-waiting", type=int, help="the setting (default: its default)")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "overload.json")
    return parser.parse_args()


def make_bodies(rng: random.Random) -> list[bytes]:
    """Requests of which none has another's listing."""
    requests = [make_requests(rng, number) for number in range(BODIES // 32)]
    ordinary = [item.listing for each in requests for item in each.batch.items]
    made = [type(requests[0].ordinary)(listing=listing).SerializeToString() for listing in ordinary]
    made[::OFFER_EVERY] = [requests[number % len(requests)].offer.SerializeToString() for number in range(len(made[::OFFER_EVERY]))]
    rng.shuffle(made)
    return made


def one_round(service: Service, bodies: Sequence[bytes], seconds: float, number: int, rng: random.Random) -> list[dict[str, Any]]:
    """Capacity, then the loads in shuffled order."""
    capacity = measure(service, bodies, seconds)["accepted_per_second"]
    rows = []
    for factor in rng.sample(FACTORS, len(FACTORS)):
        row = {"round": number, "factor": factor, "capacity": capacity} | measure(service, bodies, seconds, factor * capacity)
        print(
            f"round {number + 1}, {factor} × {capacity:,.0f}/s: {row['accepted_share']:.0%} accepted, p99 {row['accepted_p99_ms']} ms",
            flush=True,
        )
        rows.append(row)
    return sorted(rows, key=lambda row: row["factor"])


def measure(service: Service, bodies: Sequence[bytes], seconds: float, rate: float = 0.0) -> dict[str, Any]:
    """One load; rate 0 is the closed loop, whose callers are patient."""
    target = service.target
    if rate:
        load = Load(target, PATH, bodies, rate, seconds, CONNECTIONS, DEADLINE)
    else:
        load = Load(target, PATH, bodies, 1e5, seconds, CONNECTIONS, PATIENCE, IN_FLIGHT)
    before = pss(service.pid("worker-0"))
    gc.collect()
    gc.disable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answers = runner.run(fire(load))
    gc.enable()
    first = min(each.due for each in answers)
    counted = [each for each in answers if each.due >= first + WARM_UP * seconds]
    return figures(counted, seconds * (1 - WARM_UP)) | {"pss_mib": [round(each / 1024) for each in (before, pss(service.pid("worker-0")))]}


def figures(answers: Sequence[Answer], seconds: float) -> dict[str, Any]:
    """Shares and latencies of those accepted and of those refused; who gave up is in neither."""
    accepted = [each.seconds for each in answers if each.outcome == OK]
    refused = [each.seconds for each in answers if each.outcome not in {OK, GIVEN_UP}]
    outcomes = Counter("answered" if each.outcome == OK else name_of(each) for each in answers)
    return {
        "offered_per_second": round(len(answers) / seconds, 1),
        "accepted_per_second": round(len(accepted) / seconds, 1),
        "accepted_share": round(len(accepted) / len(answers), 4),
        "in_time_share_of_accepted": round(sum(each <= DEADLINE for each in accepted) / max(1, len(accepted)), 4),
        "accepted_p50_ms": quantile_ms(accepted, 0.5),
        "accepted_p99_ms": quantile_ms(accepted, 0.99),
        "refused_p50_ms": quantile_ms(refused, 0.5),
        "refused_p99_ms": quantile_ms(refused, 0.99),
        "shares": {name: round(count / len(answers), 4) for name, count in sorted(outcomes.items())},
    }


def name_of(answer: Answer) -> str:
    """What became of a request that was not answered."""
    names = {"1": "dropped by gRPC (CANCELLED)", "4": "too late (DEADLINE_EXCEEDED)", "8": "refused (RESOURCE_EXHAUSTED)"}
    return names.get(answer.outcome, answer.outcome) + (", pushed back" if answer.pushed_back else "")


def quantile_ms(seconds: Sequence[float], share: float) -> float | None:
    """A quantile in milliseconds, None of nothing."""
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3, 2) if ordered else None


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """Medians over the rounds."""
    names = (
        "offered_per_second",
        "accepted_per_second",
        "accepted_share",
        "accepted_p50_ms",
        "accepted_p99_ms",
        "refused_p50_ms",
        "refused_p99_ms",
    )
    print(f"\n| load | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
    for factor in FACTORS:
        own = [row for row in rows if row["factor"] == factor]
        cells = [_median([row[name] for row in own if row[name] is not None]) for name in names]
        print(f"| {factor} × capacity | {' | '.join(cells)} |")
    print(f"memory of the worker, MiB: first {rows[0]['pss_mib'][0]}, greatest {max(max(row['pss_mib']) for row in rows)}")


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):,.2f}" if values else "–"


if __name__ == "__main__":
    sys.exit(main())
