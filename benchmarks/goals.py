"""The goals of speed beside what was measured, in benchmarks/README.md, made from the results; what has no result has no row.

python benchmarks/goals.py            # write
python benchmarks/goals.py --check    # fail if the committed table is not what the results say
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "load")]

from page import keep, read_results
from ratios import medians, of_rounds

PAGE = HERE / "README.md"
BEGIN, END = "<!-- goals, made by benchmarks/goals.py: begin -->", "<!-- goals: end -->"
AT_ONCE = "unary, 32 in flight"
ALONE = "unary, 1 in flight"
WORKERS = ("1", "4")

Result = Mapping[str, Any]


class Goal(NamedTuple):
    """A goal, what was measured, how far that is from it (measured by goal), and whether it is met."""

    what: str
    goal: str
    measured: str
    ratio: float
    met: bool
    part: str


def at_most(what: str, goal: float, unit: str, measured: float, part: str, shown: str = "") -> Goal:
    """A goal that is met by what is not greater."""
    return Goal(what, f"≤ {goal:g}{unit}", shown or f"{measured:,.4g}{unit}", measured / goal, measured <= goal, part)


def at_least(what: str, goal: float, unit: str, measured: float, part: str, shown: str = "") -> Goal:
    """A goal that is met by what is not less."""
    return Goal(what, f"≥ {goal:,g}{unit}", shown or f"{measured:,.4g}{unit}", measured / goal, measured >= goal, part)


def stages(result: Result) -> Iterator[Goal]:
    """In process, a listing of 300 characters in which nothing is found, its words known; the median over scripts."""
    rows = [row for row in result["rows"] if (row["characters"], row["text"], row.get("memo")) == (300, "no hit", "warm")]

    def middle(*names: str) -> float:
        return statistics.median([sum(row[name] for name in names) for row in rows])

    yield at_most("in process, 300 characters, nothing found", 50, " µs", middle("total"), "stages")
    yield at_most("of that, normalize and match", 25, " µs", middle("normalize", "match"), "stages")
    yield at_most("of that, language and screen", 18, " µs", middle("classify"), "stages")
    yield at_most("of that, fuse and decide", 7, " µs", middle("fuse", "decide"), "stages")


def tiers(result: Result) -> Iterator[Goal]:
    """The encoder on one window."""
    most = max(row.get("tokens", 0) for row in result["rows"])
    windows = [row["p99"] / 1e3 for row in result["rows"] if row.get("tokens") == most]
    yield at_most(f"encoder, one window of {most} tokens, p99", 1.5, " ms", statistics.median(windows), "tiers")


def serving(result: Result) -> Iterator[Goal]:
    """Over the wire, beside the echo."""
    ratios, ordinary = result["ratios"][AT_ONCE], result["ratios"]["2 % offers, 32 in flight"]
    for name, of, said, rate, tail in (
        ("bare", ratios, "without recording", 0.8, 1.3),
        ("default", ordinary, "recording, 2 % offers", 0.7, 1.6),
    ):
        figures = of[f"{name} / echo"]
        for goal, key, kind, what in ((rate, "listings_per_second", at_least, "requests/s"), (tail, "p99_ms", at_most, "p99")):
            shown = of_rounds(figures[key])
            yield kind(f"unary, 32 in flight, {said}, {what} ÷ the echo's", goal, "", figures[key]["median"], "serving", shown)
    for name, said, goal in (("bare", "without recording", 3.75), ("default", "recording", 2.5)):
        figures = result["batch_over_unary_echo"][f"{name} / echo"]
        shown = of_rounds(figures)
        yield at_least(f"batches of 32, {said}, listings/s ÷ the unary echo's requests/s", goal, "", figures["median"], "serving", shown)
    writer = medians(result["rows"][AT_ONCE]["default"])["writer_cpu_us_per_listing"]
    yield at_most("CPU of the writer a decision, 32 in flight", 5, " µs", writer, "serving")
    bare, recorded = (medians(result["rows"][ALONE][name])["p50_ms"] for name in ("bare", "default"))
    yield at_most("what recording adds to p50, one call in flight", 200, " µs", 1e3 * (recorded - bare), "serving")


def transports(result: Result) -> Iterator[Goal]:
    """Scoring on the fastest transport, beside the empty echo of grpc.aio."""
    scored = {name: row for name, row in result["ratios"][AT_ONCE].items() if name.startswith("scored on ")}
    best = max(scored, key=lambda name: scored[name]["listings_per_second"]["median"])
    figures = scored[best]["listings_per_second"]
    yield at_least(
        f"the fastest transport ({best.removeprefix('scored on ')}; none passes every contract test), requests/s ÷ the empty echo's",
        2,
        "",
        figures["median"],
        "transports",
        of_rounds(figures),
    )


def bulk(result: Result) -> Iterator[Goal]:
    """From a file."""
    yield at_most("ten million listings from a file, projected", 6, " minutes", result["seconds_for_10_million"] / 60, "bulk")
    yield at_most("what the engine adds to scoring", 0.15, "", result["engine_overhead"][0], "bulk")


def start(result: Result) -> Iterator[Goal]:
    """From the start of a service."""
    one = result["workers"][WORKERS[0]]
    yield at_most("start to first answer", 2, " s", one["seconds"]["answered"], "start")
    yield at_most("memory of a service with one worker, all processes", 400, " MiB", one["pss_mib"]["used"]["all"], "start")
    yield at_most("memory of each further worker", 60, " MiB", result["another_worker_mib"], "start")


def engines(result: Result) -> Iterator[Goal]:
    """Into the store."""
    rows = [row["rows_a_second"] for row in result["groups"] if row["engine"] == "sqlite"]
    yield at_least("rows written in groups, SQLite", 200_000, "/s", max(rows), "engines")


PARTS: dict[str, Callable[[Result], Iterator[Goal]]] = {
    each.__name__: each for each in (stages, tiers, serving, transports, bulk, start, engines)
}


def table(results: Mapping[str, Result]) -> str:
    """One row a goal."""
    goals = [goal for name, part in PARTS.items() if name in results for goal in part(results[name])]
    lines = ["| what | goal | measured | measured ÷ goal | met | `make bench PART=` |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {goal.what} | {goal.goal} | {goal.measured} | {goal.ratio:.2f} | {'yes' if goal.met else 'no'} | `{goal.part}` |"
        for goal in goals
    ]
    return "\n".join(lines)


def main() -> None:
    """Write or check."""
    keep(PAGE, BEGIN, END, table(read_results(PARTS)))


if __name__ == "__main__":
    main()
