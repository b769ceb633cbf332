"""The table of speed in README.md, made from the results in benchmarks/results; what has no result has no row.

python benchmarks/tables.py            # write
python benchmarks/tables.py --check    # fail if the committed table is not what the results say
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "load")]

from page import keep, read_results
from ratios import medians, of_rounds

README = HERE.parent / "README.md"
PICTURE = HERE.parent / "docs" / "latency.svg"
BEGIN, END = "<!-- speed, made by benchmarks/tables.py: begin -->", "<!-- speed: end -->"
SCRIPTS = {"latin": "Latin", "han": "Chinese", "cyrillic": "Cyrillic", "thai": "Thai"}
IN_FLIGHT = ("1", "8", "32", "128")
LOADS = ("25%", "50%", "75%", "90%")
SERVICES = {"bare": "without recording", "default": "recording"}

Result = Mapping[str, Any]
Rows = Iterator[tuple[str, str]]


def stages(result: Result) -> Rows:
    """In process, by script, length and what is in a text."""
    found = {(row["script"], row["characters"], row["text"], row.get("memo")): row["total"] for row in result["rows"]}

    def shown(script: str, lengths: Sequence[int], kind: str, memo: str) -> str:
        return " / ".join(f"{found[script, length, kind, memo]:,.0f}" for length in lengths)

    if ("latin", 300, "no hit", "warm") not in found:
        return
    lengths = (60, 300, 1_500)
    for memo, said in (("warm", ""), ("cold", ", every word new")):
        yield (
            f"in process, 60 / 300 / 1,500 characters, nothing found{said}",
            "; ".join(f"{name} {shown(script, lengths, 'no hit', memo)} µs" for script, name in SCRIPTS.items()),
        )
    for kind, said in (("offer", "an offer, which the encoder reads"), ("disguised", "a disguised offer")):
        yield (
            f"the same, 300 characters, {said}",
            "; ".join(f"{name} {found[script, 300, kind, 'warm'] / 1e3:.1f} ms" for script, name in SCRIPTS.items()),
        )


def serving(result: Result) -> Rows:
    """Over the wire, beside the echo."""
    rows = {scenario: {name: medians(rounds) for name, rounds in servers.items()} for scenario, servers in result["rows"].items()}
    closed = [number for number in IN_FLIGHT if f"unary, {number} in flight" in rows]
    for name, said in SERVICES.items():
        figures = [rows[f"unary, {number} in flight"][name] for number in closed]
        rates = " / ".join(f"{each['listings_per_second']:,.0f}" for each in figures)
        tails = " / ".join(f"{each['p99_ms']:.1f}" for each in figures)
        yield f"one worker, {said}, {' / '.join(closed)} in flight", f"{rates} requests/s, p99 {tails} ms"
    ratios = result["ratios"]["unary, 32 in flight"]
    yield (
        "÷ an empty grpc.aio echo in the same run, 32 in flight",
        "; ".join(
            f"{said} {of_rounds(ratios[f'{name} / echo']['listings_per_second'])} of its requests/s, "
            f"{of_rounds(ratios[f'{name} / echo']['p99_ms'])} × its p99"
            for name, said in SERVICES.items()
        ),
    )
    yield from open_loops(rows)
    batches = rows["batch of 32, 4 in flight"]
    yield "batches of 32", "; ".join(f"{said} {batches[name]['listings_per_second']:,.0f} listings/s" for name, said in SERVICES.items())


def open_loops(rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Rows:
    """Latency at shares of the capacity."""
    loads = [load for load in LOADS if f"open loop, {load} of capacity" in rows]
    for name, said in SERVICES.items() if loads else ():
        figures = [rows[f"open loop, {load} of capacity"][name] for load in loads]
        shown = [f"{each['p50_ms']:.1f}, {each['p99_ms']:.1f} ms" for each in figures]
        yield f"p50, p99 at {' / '.join(loads)} of capacity, arrivals at random, {said}", " / ".join(shown)


def peers(result: Result) -> Rows:
    """Beside word filters with the same forms."""
    most = max(row["forms"] for row in result["rows"])
    rows = [row for row in result["rows"] if row["forms"] == most and row["text"] == "no hit"]
    filters = sorted(rows, key=lambda row: row["median_us"])
    yield (
        f"beside word filters given the same {most:,} forms, 300 characters, nothing found",
        "; ".join(f"{row['peer']} {row['median_us']:,.0f} µs" for row in filters),
    )


def growth(result: Result) -> Rows:
    """With forms, length and connections."""
    parts = {name: [row for row in result["rows"] if row["grows"] == name] for name in ("forms", "length", "connections")}
    latin = {name: [row for row in parts[name] if row["script"] == "latin"] for name in ("forms", "length")}
    if rows := latin["forms"]:
        yield (
            f"{_slashed(rows, 'forms')} forms (synthetic), Latin, 300 characters, nothing found",
            f"{_slashed(rows, 'total_us')} µs, {_slashed(rows, 'loaded_mib')} MiB",
        )
    if rows := latin["length"]:
        yield f"{_slashed(rows, 'characters')} characters, Latin, nothing found", f"{_slashed(rows, 'total_us')} µs"
    if rows := [{**row, "rate": medians(row["rounds"])["listings_per_second"]} for row in parts["connections"]]:
        yield f"{_slashed(rows, 'connections')} connections, one call each in flight, one worker", f"{_slashed(rows, 'rate')} requests/s"


def _slashed(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    return " / ".join(f"{row[name]:,.0f}" for row in rows)


def mixed(result: Result) -> Rows:
    """Through the SDK."""
    whole = next(row for row in result["rows"] if row["call"] == "all")
    yield (
        f"mixed kinds, languages and sizes through the SDK in Python, {whole['per_second']:,.0f} calls/s",
        f"p50 {whole['p50_ms']:.0f} ms, p99 {whole['p99_ms']:.0f} ms, {whole['failures']} of {whole['count']:,} failed",
    )


def soak(result: Result) -> Rows:
    """Over time."""
    shared, whole = ([figures for name, figures in result[size].items() if name.startswith("worker")] for size in ("growth", "growth_rss"))
    errors = sum(result["errors"].values())
    calls = f"{result['answered']:,} answered, {errors} errors, {result['wrong']} wrong, {result['missing']} not in the store"
    memory = " → ".join(f"{whole[0][when]:.0f}" for when in ("begin", "middle", "end"))
    share = " → ".join(f"{shared[0][when]:.0f}" for when in ("begin", "middle", "end"))
    what = f"{len(result['minutes'])} minutes at {result['rate_asked']:.0f} listings/s, two workers"
    yield what, f"{calls}; a worker {memory} MiB resident, its share {share}"


PARTS: dict[str, Callable[[Result], Rows]] = {
    "stages": stages,
    "serving": serving,
    "peers": peers,
    "growth": growth,
    "mixed": mixed,
    "soak": soak,
}


def table(results: Mapping[str, Result]) -> str:
    """The table, what each part was measured on, and the picture if there is one."""
    parts = {name: list(part(results[name])) for name, part in PARTS.items() if name in results}
    lines = ["| speed | |", "|---|---|", *(f"| {what} | {figure} |" for rows in parts.values() for what, figure in rows)]
    measured = [f"`{name}.json` {measured_on(results[name]['machine'])}" for name, rows in parts.items() if rows]
    picture = ["", "![Latency against load](docs/latency.svg)"] if PICTURE.exists() else []
    return "\n".join([*lines, "", f"Measured: {'; '.join(measured)}.", *picture])


def measured_on(machine: Mapping[str, Any]) -> str:
    """Day, cores and load of a result."""
    return f"{machine['measured'][:10]} ({machine['processor']}, {machine['cores']} cores, load {machine['load_average']:.1f})"


def main() -> None:
    """Write or check."""
    keep(README, BEGIN, END, table(read_results(PARTS)))


if __name__ == "__main__":
    main()
