"""Latency against load as a picture, docs/latency.svg, from the open loops of a result of serving.py.

Usage: python benchmarks/picture.py [--result FILE] [--output FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "load"))

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt
from ratios import Figures, medians

SERVERS = {"echo": ("empty echo", "tab:gray"), "bare": ("without recording", "tab:blue"), "default": ("recording", "tab:orange")}
PERCENTILES = {"p50_ms": ("p50", "-"), "p99_ms": ("p99", "--")}
OPEN = "open loop"


def curves(result: Mapping[str, Any]) -> dict[str, list[Figures]]:
    """Medians of the open loops of each server, by rising load. Raises SystemExit if the result has none."""
    scenarios = [servers for name, servers in result["rows"].items() if name.startswith(OPEN)]
    if not scenarios:
        raise SystemExit("picture: the result has no open loops; run benchmarks/load/serving.py")
    return {
        name: sorted((medians(servers[name]) for servers in scenarios), key=lambda figures: figures["listings_per_second"])
        for name in SERVERS
    }


def draw(found: Mapping[str, Sequence[Figures]], output: Path, measured: str) -> None:
    """Write the picture; the same figures give the same file."""
    mpl.rcParams["svg.hashsalt"] = "wildgate"
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name, points in found.items():
        said, color = SERVERS[name]
        for key, (percentile, style) in PERCENTILES.items():
            rates, latencies = [point["listings_per_second"] for point in points], [point[key] for point in points]
            axes.plot(rates, latencies, style, color=color, marker="o", markersize=4, label=f"{said}, {percentile}")
    axes.set(xlabel="requests/s, arriving at random", ylabel="milliseconds", yscale="log", title="Latency against load, one worker")
    axes.set_xlim(left=0)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(fontsize=8)
    figure.text(0.99, 0.01, measured, ha="right", fontsize=6, color="gray")
    figure.savefig(output, metadata={"Date": None})


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--result", type=Path, default=HERE / "results" / "serving.json")
    parser.add_argument("--output", type=Path, default=HERE.parent / "docs" / "latency.svg")
    chosen = parser.parse_args()
    result = json.loads(chosen.result.read_text(encoding="utf-8"))
    machine = result["machine"]
    draw(curves(result), chosen.output, f"{machine['processor']}, {machine['cores']} cores, {machine['measured'][:10]}")
    print(f"wrote {chosen.output}")


if __name__ == "__main__":
    main()
