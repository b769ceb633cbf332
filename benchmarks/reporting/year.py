"""A simulated year through every report: what each takes, whether the sheets are clean, and whether totals are those of the log.

A year of decisions with outcomes, notices, complaints, disputes, orders and corrections is written into a store; then every command is run
as its user runs it. Totals are counted again from the tables by SQL of this script's own.

Usage: python benchmarks/reporting/year.py [--decisions 1000000] [--output FILE]
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from machine import write
from wildgate_service.secrets import load_secrets
from wildgate_service.simulation import Plan, write_year
from wildgate_service.store import open_store

COMMAND = (sys.executable, "-c", "from wildgate_service.cli import main; main()")
START = date(2025, 1, 1)  # a year that is over, for statements are made of days that are
SPAN = ("--from", "2025-01-01", "--to", "2025-12-31")
ABOUT = HERE / "about.toml"
COUNTS = ("checked", "held", "refused")
BY = {
    "total": "''",
    "language": "f.language",
    "market": "f.market",
    "content_kind": "f.content_kind",
    "lexicon_version": "f.lexicon_version",
    "policy_version": "f.policy_version",
}
RECOUNT = """
SELECT {by}, count(*), sum(d.action = 'review'), sum(d.action = 'block')
FROM decisions AS d JOIN facets AS f ON f.id = d.facets GROUP BY 1
"""

Row = dict[str, Any]


def main() -> int:
    """Write the year, run every report, compare, print, write; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=1_000_000)
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "report_year.json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wildgate-year-") as name:
        folder = Path(name)
        store = folder / "year.db"
        start = time.perf_counter()
        with open_store(f"sqlite:///{store}") as opened:
            write_year(opened, Plan(decisions=given.decisions, start=START, tenant="default"))
        load_secrets(folder / "secrets").tenant_key("default")
        result: Row = {"decisions": given.decisions, "seconds_to_write": round(time.perf_counter() - start, 1), "rows": rows_of(store)}
        result["commands"] = {each: run(folder, store, *arguments) for each, arguments in commands(folder).items()}
        result["differences"] = differences(store, folder / "public")
    for each, row in result["commands"].items():
        print(each, row)
    print("differences from the log:", result["differences"] or "none")
    write(given.output, result)
    failed = [each for each, row in result["commands"].items() if row["status"] not in row["expected"]]
    return 1 if failed or result["differences"] else 0


def commands(folder: Path) -> dict[str, tuple[str, ...]]:
    """What is run, by name."""
    return {
        "report html": ("report", *SPAN, "--exact", "--output", str(folder / "public")),
        "report html, public": ("report", *SPAN, "--output", str(folder / "hidden")),
        "report dsa": ("report", *SPAN, "--format", "dsa", "--about", str(ABOUT), "--output", str(folder / "dsa")),
        "report xlsx": ("report", *SPAN, "--format", "xlsx", "--about", str(ABOUT), "--output", str(folder / "xlsx")),
        "report check": ("report", "check", str(folder / "dsa")),
        "statements export": ("statements", "export", *SPAN, "--output", str(folder / "statements")),
        "log verify": ("log", "verify"),
    }


def run(folder: Path, store: Path, *arguments: str) -> Row:
    """How long a command took, and how it ended."""
    options = () if arguments[:2] == ("report", "check") else ("--store", f"sqlite:///{store}")
    environment = {"PATH": "/usr/bin:/bin", "WILDGATE_SECRETS_FILE": str(folder / "secrets"), "HOME": str(folder)}
    start = time.perf_counter()
    ended = subprocess.run([*COMMAND, *arguments, *options], capture_output=True, text=True, check=False, env=environment)
    expected = (0, 1) if arguments[0] == "statements" else (0,)  # 1: some are incomplete, and said to be
    last = (ended.stdout + ended.stderr).strip().splitlines()[-3:]
    return {"seconds": round(time.perf_counter() - start, 2), "status": ended.returncode, "expected": expected, "said": last}


def rows_of(store: Path) -> Row:
    """How many rows of everything there are."""
    with sqlite3.connect(store) as connection:
        tables = ("decisions", "outcomes", "facets", "findings")
        counted: Row = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608
        counted["outcomes_by_kind"] = dict(connection.execute("SELECT kind, count(*) FROM outcomes_in_force GROUP BY 1 ORDER BY 2 DESC"))
        counted["languages"] = connection.execute("SELECT count(DISTINCT language) FROM facets").fetchone()[0]
    return counted


def differences(store: Path, public: Path) -> list[str]:
    """Where the public report without hidden counts says something else than the decisions."""
    report = json.loads(next(public.glob("*.json")).read_text(encoding="utf-8"))
    tables = {table["name"]: table for table in report["tables"]}
    found = []
    with sqlite3.connect(store) as connection:
        for name, by in BY.items():
            places = [tables[name]["measures"].index(measure) for measure in COUNTS]
            said = {row["value"]: [row["counts"][place] for place in places] for row in tables[name]["rows"]}
            if name == "total":
                said = dict(zip(("",), said.values(), strict=True))
            raw = {value: list(counts) for value, *counts in connection.execute(RECOUNT.format(by=by))}
            other = [value for value in said.keys() | raw.keys() if said.get(value) != raw.get(value)]
            found += [f"{name} {value!r}: {said.get(value)} and {raw.get(value)}" for value in other]
    return sorted(found)


if __name__ == "__main__":
    sys.exit(main())
