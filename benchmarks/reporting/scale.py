"""How long a report of a year takes, and how much memory, by the number of decisions; and what the ways of counting them cost.

A simulated year is written into a store of SQLite through its own append. Then, each in a process of its own: the facts of a report are
counted and the report made and written in every format; the daily counts that it rests on are held against a recount of all decisions,
which is what a report would have to do without them; and, where DuckDB is installed, the same recount is done by DuckDB over Parquet.

Usage: python benchmarks/reporting/scale.py [--decisions 10000000] [--store FILE] [--keep] [--output FILE]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from machine import write
from wildgate_service.report import make_report
from wildgate_service.report_export import to_csv, to_json
from wildgate_service.report_page import render
from wildgate_service.simulation import Plan, write_year
from wildgate_service.store import open_store

START, END = date(2026, 1, 1), date(2026, 12, 31)
RECOUNT = "SELECT tenant, decided_time / 86400000000, facets, count(*) FROM decisions GROUP BY 1, 2, 3"
BATCH = 500_000

Row = dict[str, Any]


def main() -> None:
    """Write the year, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=10_000_000)
    parser.add_argument("--store", type=Path, help="file of the store (default: a temporary one); measured as it is if it is there")
    parser.add_argument("--keep", action="store_true", help="keep the store")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "report_scale.json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = given.store or Path(folder) / "year.db"
        result: Row = {"decisions": given.decisions}
        if not file.exists():
            result["writing"] = _apart(_write, file, given.decisions)
        result["store_mib"] = round(file.stat().st_size / 2**20)
        result["rows"] = _apart(_rows, file)
        for name, what in (("report", _report), ("recount_in_sqlite", _recount), ("recount_in_duckdb", _duckdb)):
            result[name] = _apart(what, file)
            print(name, result[name], flush=True)
        if given.store and not given.keep:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{file}{suffix}").unlink(missing_ok=True)
    write(given.output, result)


def _apart(what: Callable[..., Row], *arguments: object) -> Row:
    """Do it in a process of its own, and add how much memory that took at most."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        result = pool.submit(what, *arguments).result()
        peak = pool.submit(_peak).result()
    return {**result, "peak_mib": peak}


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _write(file: Path, decisions: int) -> Row:
    started, processor = time.perf_counter(), time.process_time()
    with open_store(f"sqlite:///{file}") as store:
        write_year(store, Plan(decisions=decisions))
    seconds = time.perf_counter() - started
    return {"seconds": round(seconds, 1), "processor_seconds": round(time.process_time() - processor, 1)}


def _rows(file: Path) -> Row:
    connection = sqlite3.connect(file)
    tables = ("decisions", "outcomes", "facets", "daily_counts")
    return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608


def _report(file: Path) -> Row:
    seconds = {}
    clock, processor = time.perf_counter(), time.process_time()
    with open_store(f"sqlite:///{file}", read_only=True) as store:
        facts = store.report_facts(START, END)
    seconds["count"] = time.perf_counter() - clock
    clock = time.perf_counter()
    report = make_report(facts, tenant="", start=START, end=END, generated_time=datetime.now(UTC))
    seconds["make"] = time.perf_counter() - clock
    for name, export in (("json", to_json), ("csv", to_csv), ("html", render)):
        clock = time.perf_counter()
        export(report)
        seconds[name] = time.perf_counter() - clock
    return {
        "seconds": round(sum(seconds.values()), 2),
        "processor_seconds": round(time.process_time() - processor, 2),
        "by_step": {name: round(each, 2) for name, each in seconds.items()},
        "decisions_reported": report.total.decisions,
    }


def _recount(file: Path) -> Row:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    clock, processor = time.perf_counter(), time.process_time()
    counted = sorted(connection.execute(RECOUNT))
    seconds, used = time.perf_counter() - clock, time.process_time() - processor
    kept = sorted(connection.execute("SELECT tenant, day, facets, decisions FROM daily_counts"))
    return {"seconds": round(seconds, 2), "processor_seconds": round(used, 2), "same_as_daily_counts": counted == kept}


def _duckdb(file: Path) -> Row:
    try:
        import duckdb  # noqa: PLC0415  (no dependency)
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        return {"skipped": "DuckDB and pyarrow are not both installed"}
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    parquet = file.with_suffix(".parquet")
    clock = time.perf_counter()
    rows = connection.execute("SELECT tenant, decided_time, facets FROM decisions")
    names = ["tenant", "decided_time", "facets"]
    schema = pa.schema([("tenant", pa.string()), ("decided_time", pa.int64()), ("facets", pa.int64())])
    with pq.ParquetWriter(parquet, schema) as writer:
        while batch := rows.fetchmany(BATCH):
            writer.write_table(pa.table(dict(zip(names, zip(*batch, strict=True), strict=True)), schema=schema))
    exported = time.perf_counter() - clock
    clock = time.perf_counter()
    query = RECOUNT.replace("decisions", f"'{parquet}'").replace("decided_time /", "decided_time //")
    counted = sorted(duckdb.connect().execute(query).fetchall())
    seconds = time.perf_counter() - clock
    kept = sorted(connection.execute("SELECT tenant, day, facets, decisions FROM daily_counts"))
    size = parquet.stat().st_size
    parquet.unlink()
    return {
        "version": duckdb.__version__,
        "export_seconds": round(exported, 2),
        "seconds": round(seconds, 2),
        "parquet_mib": round(size / 2**20),
        "same_as_daily_counts": counted == kept,
    }


if __name__ == "__main__":
    main()
