"""How often the intervals of measured error hold the truth, over many simulated years with known truth.

Each scenario is many small years: listings are drawn as in `wildgate_service.simulation`, some of the allowed ones drawn for a look by the
policy's rates and some of these looked at, and the estimates are made from what a store would count. An interval is right if it holds what
is true of *this* year. Two scenarios break what the estimates take for granted, to show what then happens.

Usage: python benchmarks/reporting/coverage.py [--years 300] [--processes 2] [--only NAME,NAME] [--output FILE]
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
from msgspec import structs

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from machine import write
from wildgate_service.intervals import wilson
from wildgate_service.measured_error import Counted, ErrorFacts, Judged, measure_error
from wildgate_service.record import Facets
from wildgate_service.sampling import Sampling
from wildgate_service.simulation import Plan, Truth, World, load_world
from wildgate_service.simulation.drawing import ACTIONS, ALLOW, BLOCK, NO_GROUP, Column, Drawn, draw, generator
from wildgate_service.types import ErrorEstimate

FEWEST = 20  # fewer than what ships, so that the intervals are tried where they are weakest
BASE = Plan(decisions=100_000, chunk=100_000)
SCENARIOS = {
    "as in the plan": BASE,
    "offers five times as frequent": structs.replace(BASE, offers=0.02),
    "offers rare (1 in 2,500)": structs.replace(BASE, offers=0.0004),
    "few offers missed (found 97 %)": structs.replace(BASE, found=0.97),
    "half of the offers missed": structs.replace(BASE, found=0.5),
    "one rate for all, 1 %": structs.replace(BASE, sampling=Sampling(rate=0.01)),
    "a third of all is looked at": structs.replace(BASE, decisions=50_000, chunk=50_000, sampling=Sampling(rate=0.33), response=1.0),
    "half of what is drawn is never looked at": structs.replace(BASE, response=0.5),
    "broken: missed offers are looked at half as often": structs.replace(BASE, offers=0.02, response=0.9, response_to_offers=0.45),
    "broken: moderators are wrong once in 200": structs.replace(BASE, offers=0.02, moderator_error=0.005),
}

Told = dict[tuple[str, str], list[tuple[ErrorEstimate, float]]]


def main() -> None:
    """Simulate, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=300)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "report_coverage.json")
    given = parser.parse_args()
    chosen = given.only.split(",") if given.only else list(SCENARIOS)
    rows = []
    with ProcessPoolExecutor(given.processes) as pool:
        for name in chosen:
            plans = (structs.replace(SCENARIOS[name], seed=seed) for seed in range(given.years))
            years = list(pool.map(one_year, plans, chunksize=10))
            rows += list(summary(name, years))
            for row in rows[-8:]:
                print(row, flush=True)
    write(given.output, {"years": given.years, "fewest": FEWEST, "scenarios": rows})


def one_year(plan: Plan) -> Told:
    """The estimates of a year, each with what is true, by measure and dimension."""
    facts, truth = facts_of(plan, load_world())
    told: Told = defaultdict(list)
    for each in measure_error(facts, FEWEST).estimates:
        told[each.measure, each.dimension].append((each, true_of(truth, each)))
    return told


def true_of(truth: Truth, estimate: ErrorEstimate) -> float:
    """What the estimate is of."""
    if estimate.measure == "accuracy":
        return truth.accuracy(language=estimate.value or None)
    share = truth.precision if estimate.measure == "precision" else truth.recall
    if estimate.dimension == "taxon_group":
        return share(group=estimate.value)
    return share(language=estimate.value or None)


def facts_of(plan: Plan, world: World) -> tuple[ErrorFacts, Truth]:
    """What a store would count of a year, without the store."""
    random = generator(plan, 9)
    listings = draw(plan, world, 0, plan.decisions)
    groups = tuple(world.groups)
    rates = np.array([plan.sampling.rate_of((), "", [name]) for name in groups] + [plan.sampling.rate_of((), "", [])])[listings.named]
    allowed, offers = listings.asked == ALLOW, listings.offers
    sampled = allowed & (random.random(plan.decisions) < rates)
    response = np.where(offers, plan.response if plan.response_to_offers is None else plan.response_to_offers, plan.response)
    looked = sampled & (random.random(plan.decisions) < response)
    judged = ~allowed & (random.random(plan.decisions) < np.where(listings.asked == BLOCK, plan.audited, plan.reviewed))
    said = offers ^ (random.random(plan.decisions) < plan.moderator_error)
    facets = _Facets(world, listings, sampled, rates)
    facts = ErrorFacts(
        decisions=tuple(Counted(*each) for each in facets.counted(np.ones(plan.decisions, dtype=bool))),
        stopped=tuple(Judged(of, bool(said_of), "", number) for of, said_of, _, number in facets.judged(judged, said, listings.group)),
        looks=tuple(
            Judged(of, bool(said_of), groups[group] if said_of and group != NO_GROUP else "", number)
            for of, said_of, group, number in facets.judged(looked, said, listings.group)
        ),
    )
    truth = Truth(tuple(world.languages), groups, listings.language, listings.group, listings.named, listings.asked, sampled, rates)
    return facts, truth


class _Facets:
    """Counts listings by what the estimates know of them."""

    def __init__(self, world: World, listings: Drawn, sampled: Column, rates: Column) -> None:
        self._languages, self._groups = tuple(world.languages), tuple(world.groups)
        self._rates, rate = np.unique(rates, return_inverse=True)
        self._shape = (len(self._languages), len(ACTIONS), len(self._groups) + 1, 2, len(self._rates))
        columns = (listings.language, listings.asked, listings.named + 1, sampled.astype(int), rate)
        self._codes = np.ravel_multi_index(columns, self._shape)  # type: ignore[call-overload]

    def counted(self, chosen: Column) -> list[tuple[Facets, int]]:
        codes, numbers = np.unique(self._codes[chosen], return_counts=True)
        return [(self._made(code), number) for code, number in zip(codes.tolist(), numbers.tolist(), strict=True)]

    def judged(self, chosen: Column, said: Column, group: Column) -> list[tuple[Facets, int, int, int]]:
        wide = len(self._groups) + 1
        inner = (self._codes[chosen] * 2 + said[chosen]) * wide + group[chosen] + 1
        codes, numbers = np.unique(inner, return_counts=True)
        return [
            (self._made(code // wide // 2), code // wide % 2, code % wide - 1, number)
            for code, number in zip(codes.tolist(), numbers.tolist(), strict=True)
        ]

    def _made(self, code: int) -> Facets:
        language, asked, named, sampled, rate = map(int, np.unravel_index(code, self._shape))
        action, taxa = ACTIONS[asked], (self._groups[named - 1],) if named else ()
        name, rate_of = self._languages[language], float(self._rates[rate])
        return Facets("listing", "", name, action, action, False, taxa, (), "", "", "", (), bool(sampled), rate_of)


def summary(scenario: str, years: list[Told]) -> list[dict[str, Any]]:
    """Of each measure and dimension: how often the interval held the truth, how often it was told at all, and how wide it was."""
    rows = []
    for measure, dimension in sorted({key for year in years for key in year}):
        told = [each for year in years for each in year.get((measure, dimension), ())]
        stated = [(each, true) for each, true in told if each.lower is not None and each.upper is not None and true == true]  # noqa: PLR0124
        held = sum(each.lower <= true <= each.upper for each, true in stated)  # type: ignore[operator]
        low, high = wilson(held, len(stated))
        rows.append(
            {
                "scenario": scenario,
                "measure": measure,
                "dimension": dimension,
                "stated": len(stated),
                "too_few_to_say": len(told) - len(stated),
                "coverage": round(held / len(stated), 4) if stated else None,
                "coverage_interval": [round(low, 4), round(high, 4)],
                "truth_below": sum(true < each.lower for each, true in stated),  # type: ignore[operator]
                "truth_above": sum(true > each.upper for each, true in stated),  # type: ignore[operator]
                "median_width": round(median(each.upper - each.lower for each, _ in stated), 4) if stated else None,  # type: ignore[operator]
                "mean_error": round(fmean(each.estimate - true for each, true in stated), 4) if stated else None,  # type: ignore[operator]
                "median_offers_judged": median(each.offers for each, _ in stated) if stated else None,
            }
        )
    return rows


if __name__ == "__main__":
    main()
