"""A day's traffic in a minute: Locust's users through the SDK against a service of two workers that records, with Locust's HTML report.

Python clients cost more than the server (and share its cores), so this is no measure of what the service can do, but of what a caller of
the SDK sees at a moderate rate, by kind and size. Needs the extra `bench`.

Usage: python benchmarks/load/mixed.py [--users N] [--seconds S] [--html FILE] [--output FILE]   exit status 1 if a call failed
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import sys
import tempfile
from pathlib import Path
from subprocess import run
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from machine import write
from running import Service

WORKERS = 2
PERCENTILES = {"p50_ms": "50%", "p95_ms": "95%", "p99_ms": "99%", "max_ms": "100%"}


def main() -> int:
    """Run, print, write; returns the exit status."""
    chosen = arguments()
    if importlib.util.find_spec("locust") is None:
        print("mixed: locust is missing: pip install -e '.[bench]'", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as name:
        folder = Path(name)
        with Service("service", folder, workers=WORKERS) as service:
            before = service.cpu_seconds()
            status = run(locust(service.target, folder / "locust", chosen), check=False, timeout=chosen.seconds + 120).returncode
            spent = service.cpu_seconds() - before
            died = service.log.count('"process_died"')
        rows = read_rows(folder / "locust_stats.csv")
    for row in rows:
        print(row)
    calls = {"seconds": chosen.seconds, "users": chosen.users, "workers": WORKERS, "cpu_seconds": round(spent, 2), "died": died}
    write(chosen.output, {**calls, "rows": rows})
    print(f"report: {chosen.html}")
    return 1 if status or died or not any(row["count"] for row in rows) else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=24, help="each sends five calls a second at most (default 24)")
    parser.add_argument("--seconds", type=int, default=60, help="default 60")
    parser.add_argument("--html", type=Path, default=HERE.parent / "results" / "locust.html", help="Locust's own report")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "mixed.json")
    return parser.parse_args()


def locust(target: str, csv_prefix: Path, chosen: argparse.Namespace) -> list[str]:
    """Its command, without web page, on this machine alone."""
    command = [sys.executable, "-m", "locust", "--locustfile", str(HERE / "locustfile.py"), "--headless", "--only-summary"]
    command += ["--host", target, "--users", str(chosen.users), "--spawn-rate", str(chosen.users), "--run-time", f"{chosen.seconds}s"]
    return [*command, "--csv", str(csv_prefix), "--html", str(chosen.html), "--loglevel", "WARNING"]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Locust's statistics: one row for each call and size, and one for all."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row_of(line) for line in csv.DictReader(file)]


def row_of(line: dict[str, str]) -> dict[str, Any]:
    """One of them with this project's names; empty kind and name are those of all together."""
    figures = {name: float(line[column]) for name, column in PERCENTILES.items() if line[column] != "N/A"}
    return {
        "call": line["Type"] or "all",
        "size": "" if line["Name"] == "Aggregated" else line["Name"],
        "count": int(line["Request Count"]),
        "failures": int(line["Failure Count"]),
        "per_second": round(float(line["Requests/s"]), 1),
        **figures,
    }


if __name__ == "__main__":
    sys.exit(main())
