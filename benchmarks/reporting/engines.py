"""What PostgreSQL costs beside SQLite: rows imported, CPU and time of groups, a lone record's wait, and a report.

Both engines get the same records, in turn, round by round in one process: the figures are of this client, and medians. The server of
PostgreSQL is given, such as one on the same machine through a Unix socket; its own CPU is not counted. Then the same simulated year
is written into both, and the report of it made; its figures must be the same.

Usage: python benchmarks/reporting/engines.py postgresql://postgres@/empty?host=/run/postgresql [--decisions 1000000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import uuid_utils
from msgspec.structs import replace

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from machine import write
from wildgate_service.record import Entry, make_entry, make_record
from wildgate_service.simulation import Plan, write_year
from wildgate_service.store import Store, open_store
from wildgate_service.types import Action, Decision, Evidence, Listing, Versions

START, END = date(2026, 1, 1), date(2026, 12, 31)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SIZES = (1, 32, 256, 1000)
GROUPS = {1: 200, 32: 60, 256: 20, 1000: 10}
KEY = bytes(32)

Row = dict[str, Any]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="an empty database of PostgreSQL")
    parser.add_argument("--decisions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "engines.json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        groups = _measure_groups(
            {"sqlite": f"sqlite:///{folder}/a.db", "postgresql": f"{given.url}&options=-csearch_path%3Dgroups"}, given.rounds
        )
        year = _measure_year(
            {"sqlite": f"sqlite:///{folder}/b.db", "postgresql": f"{given.url}&options=-csearch_path%3Dyear"}, given.decisions
        )
    write(given.output, {"rounds": given.rounds, "groups": groups, "decisions": given.decisions, **year})


def _measure_groups(urls: dict[str, str], rounds: int) -> list[Row]:
    stores = {engine: open_store(url) for engine, url in urls.items()}
    taken: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for number in range(rounds + 1):
        for size in SIZES:
            for engine, store in stores.items():
                times = _append(store, size)
                if number:  # the first round warms up
                    taken.setdefault((size, engine), []).append(times)
    for store in stores.values():
        store.close()
    rows = []
    for (size, engine), each in taken.items():
        wall, cpu = (median(times[at] for times in each) for at in (0, 1))
        rows.append(
            {
                "engine": engine,
                "group": size,
                "us_cpu_a_decision": round(cpu / size * 1e6, 1),
                "us_a_group": round(wall * 1e6),
                "rows_a_second": round(size / wall),
            }
        )
        print(rows[-1], flush=True)
    return rows


def _append(store: Store, size: int) -> tuple[float, float]:
    """Median seconds, and mean CPU seconds of this process, for a group."""
    groups = [[_entry() for _ in range(size)] for _ in range(GROUPS[size])]
    walls, cpu = [], time.process_time()
    for group in groups:
        begin = time.perf_counter()
        store.append_entries(group)
        walls.append(time.perf_counter() - begin)
    return median(walls), (time.process_time() - cpu) / len(groups)


def _entry() -> Entry:
    decision = Decision(
        action=Action.ALLOW,
        shadow_action=Action.ALLOW,
        shadow=False,
        score=0.02,
        language="en",
        taxa=(),
        matches=(),
        evidence=(Evidence("screen", 1.25),),
        reason="",
        notice="",
        versions=Versions("1.2.3", "2026.1", "1.0.0"),
    )
    ids = {"decision_id": str(uuid_utils.uuid7()), "request_id": str(uuid_utils.uuid7())}
    listing = Listing(id="listing-4711", title="wooden chair")
    return make_entry(make_record(decision, listing, tenant="acme", decided_time=NOON + timedelta(seconds=1), tenant_key=KEY, **ids))


def _measure_year(urls: dict[str, str], decisions: int) -> Row:
    years, facts = {}, []
    for engine, url in urls.items():
        with open_store(url) as store:
            begin = time.perf_counter()
            write_year(store, Plan(decisions=decisions))
            written = time.perf_counter() - begin
            begin, cpu = time.perf_counter(), time.process_time()
            made = replace(store.report_facts(START, END), checkpoints=())
            report, own = time.perf_counter() - begin, time.process_time() - cpu
            begin = time.perf_counter()
            facts.append((made, store.findings(START, END), store.measures(START, END), store.cases(START, END)))
            rest = time.perf_counter() - begin
        years[engine] = {
            "seconds_to_write": round(written, 1),
            "seconds_of_counts": round(report, 2),
            "seconds_of_counts_in_this_process": round(own, 2),
            "seconds_of_findings_measures_cases": round(rest, 2),
        }
        print(engine, years[engine], flush=True)
    return {"year": years, "same_figures": facts[0] == facts[1]}


if __name__ == "__main__":
    main()
