"""Measures the checkout that is on PYTHONPATH, case by case as it is asked on standard input; run by compare.py, two at a time in turn.

A line with `round` and `case` is answered by a line of JSON: `microseconds` of processor time, the median of unique listings, and
`actions`, a letter for each.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from machine import pss
from speed.stages import DISGUISED, OFFERS, WORDS, text
from wildgate_service.local import local_engine
from wildgate_service.pipeline import Engine, score_listing
from wildgate_service.types import Listing

PLANTED = {"no hit": dict.fromkeys(WORDS, ""), "offer": OFFERS, "disguised": DISGUISED}
TEXTS = {"no hit": 60, "offer": 12, "disguised": 12}  # of a case in a round
CASES = (
    *(f"{script}/{length}/no hit" for script in WORDS for length in (60, 300, 1_500)),
    *(f"{script}/300/{kind}" for script in WORDS for kind in ("offer", "disguised")),
)


def listings_of(number: int, case: str) -> list[Listing]:
    """The listings of a round: the same for every checkout, others in every round."""
    script, length, kind = case.split("/")
    rng = random.Random(f"{number}/{case}")
    planted = PLANTED[kind][script]
    return [Listing(description=text(rng, script, int(length), planted, number * 1_000 + item)) for item in range(TEXTS[kind])]


def measured(engine: Engine, listings: list[Listing]) -> dict[str, object]:
    """Processor time, which counts no time in which others had the core."""
    taken, actions = [], []
    for listing in listings:
        start = time.process_time_ns()
        decision = score_listing(engine, listing)
        taken.append(time.process_time_ns() - start)
        actions.append(str(decision.action)[:1])
    return {"microseconds": statistics.median(taken) / 1e3, "actions": "".join(actions)}


def main() -> None:
    """Say what is measured and what it holds in memory, then answer until the input ends."""
    engine = local_engine()
    for case in CASES:
        measured(engine, listings_of(-1, case))
    print(json.dumps({"service": sys.modules[Engine.__module__].__file__, "pss_mib": pss(os.getpid()) / 1024}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(measured(engine, listings_of(asked["round"], asked["case"]))), flush=True)


if __name__ == "__main__":
    main()
