"""Figures of servers as ratios to the echoes of the same round, and their table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

SERVICES, ECHOES = ("bare", "default"), ("echo", "echo with stubs")
COMPARED = ("listings_per_second", "p50_ms", "p99_ms", "cpu_us_per_listing")
HEADS = (
    "scenario",
    "server",
    "listings/s",
    "p50 ms",
    "p99 ms",
    "CPU µs",
    "of the writer",
    "÷ echo: rps, p99",
    "÷ echo with stubs: rps, p99",
)

Figures = dict[str, float]
Summary = dict[str, float]


def ratios(figures: Mapping[str, Sequence[Figures]]) -> dict[str, dict[str, Summary]]:
    """Each service to each echo, round by round: median, least and greatest of the ratios of requests/s, p50, p99 and CPU."""
    pairs = [(service, echo) for service in SERVICES for echo in ECHOES if echo in figures]
    return {f"{one} / {other}": {name: summary_of_ratios(figures[one], figures[other], name) for name in COMPARED} for one, other in pairs}


def batch_ratios(batches: Mapping[str, Sequence[Figures]], unary: Mapping[str, Sequence[Figures]]) -> dict[str, Summary]:
    """Listings/s in batches to the unary echo's requests/s."""
    return {
        f"{one} / {other}": summary_of_ratios(batches[one], unary[other], "listings_per_second") for one in SERVICES for other in ECHOES
    }


def summary_of_ratios(ones: Sequence[Figures], others: Sequence[Figures], name: str) -> Summary:
    """Of one figure, round by round."""
    values = [one[name] / other[name] for one, other in zip(ones, others, strict=True)]
    return {"median": round(statistics.median(values), 3), "least": round(min(values), 3), "greatest": round(max(values), 3)}


def medians(rows: Sequence[Figures]) -> Figures:
    """Of every figure, over the rounds."""
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def print_table(result: dict[str, Any]) -> None:
    """Print medians, and ratios to the echo of bytes and to the one with stubs."""
    print(f"\n| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for scenario, servers in result["rows"].items():
        for name, rows in servers.items():
            middle = medians(rows)
            cells = [f"{middle['listings_per_second']:,.0f}", f"{middle['p50_ms']:.2f}", f"{middle['p99_ms']:.2f}"]
            cells += [f"{middle['cpu_us_per_listing']:.0f}", f"{middle['writer_cpu_us_per_listing']:.0f}"]
            cells += [_shown(result["ratios"][scenario].get(f"{name} / {echo}")) for echo in ECHOES]
            print(f"| {scenario} | {name} | {' | '.join(cells)} |")
    print("\nlistings/s in batches ÷ requests/s of the unary echo at 32 in flight:")
    for pair, ratio in result["batch_over_unary_echo"].items():
        print(f"  {pair}: {of_rounds(ratio)}")
    print(f"recorded: {result['recorded']}; refused: {result['refused']}; new words: {result['words']}")


def _shown(ratio: Mapping[str, Summary] | None) -> str:
    return f"{of_rounds(ratio['listings_per_second'])}, {of_rounds(ratio['p99_ms'])}" if ratio else ""


def of_rounds(ratio: Summary) -> str:
    """Median [least, greatest]."""
    return f"{ratio['median']:.2f} [{ratio['least']:.2f}, {ratio['greatest']:.2f}]"
