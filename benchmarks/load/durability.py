"""Whether every answered decision is recorded, once, whatever is killed and whatever becomes of the store.

A service of several workers, started as its users start it, is sent listings through the SDK from several threads, which write down every
decision_id, request_id and receipt that they were answered. Faults happen meanwhile: SIGKILL for a worker, the writer, the compiler, the
supervisor, all at once, during a reload, a drain and a replay of the spool; and a store that is locked, gone, unwritable, full, broken or
slow, with `on_store_failure` both ways. Then the store is read: what was answered and is not there is lost, a decision or listing that is
there twice is doubled, and the log is verified against all receipts.

Usage: python benchmarks/load/durability.py [--rounds N] [--store URL] [--output FILE]     exit status 1 if anything is lost or doubled

With --store postgresql://… the kills are done on that store, which should be empty, with the durability disk.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from durability_faults import DISASTERS, KILLS, Fault, TinyDisk
from durability_watched import Load, Watched, examine
from machine import write

WORKERS = 3
SETTLE_SECONDS = 30.0


def main() -> int:
    """Run all faults, print the table, write it; returns the exit status."""
    chosen = arguments()
    rows: list[dict[str, Any]] = []
    for durability in ("disk",) if chosen.store else ("process", "disk"):
        rows += kills(durability, chosen)
        if not chosen.store:
            for policy in ("refuse", "spool"):
                rows += disasters(durability, policy, chosen)
            rows.append(full_disk(durability, chosen))
    total = Counter[str]()
    for row in rows:
        total.update({key: row[key] for key in ("answered", "lost", "doubled", "kills", "recorded_late")})
    holds = not total["lost"] and not total["doubled"] and all(row["log_intact"] for row in rows)
    print(f"{total['kills']} kills, {total['answered']:,} answered, {total['lost']} lost, {total['doubled']} doubled; it holds: {holds}")
    write(chosen.output, {"workers": WORKERS, "threads": chosen.threads, "seed": None, "total": dict(total), "rows": rows})
    return 0 if holds else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="times that each kill is done (default 3)")
    parser.add_argument("--threads", type=int, default=8, help="that send, each over its own connection (default 8)")
    parser.add_argument("--seconds", type=float, default=0.7, help="of load before and after each fault (default 0.7)")
    parser.add_argument("--store", default="", help="URL of another store to do the kills on")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "durability.json")
    return parser.parse_args()


def kills(durability: str, chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Every kill, `rounds` times, on one store that is never made anew."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder:
        service = Watched(Path(folder), store=chosen.store, workers=WORKERS, durability=durability, on_store_failure="spool")
        with service, Load(service.target, chosen.threads) as load:
            for fault in KILLS:
                rows.append(struck(fault, service, load, chosen, rounds=chosen.rounds) | {"durability": durability, "policy": "spool"})
                show(rows[-1])
    return rows


def disasters(durability: str, policy: str, chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """What may become of a store's files, one after the other, with either policy."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder:
        service = Watched(Path(folder), workers=WORKERS, durability=durability, on_store_failure=policy)
        with service, Load(service.target, chosen.threads) as load:
            for fault in DISASTERS:
                rows.append(struck(fault, service, load, chosen, rounds=1) | {"durability": durability, "policy": policy})
                show(rows[-1])
    return rows


def full_disk(durability: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """A file system of a few megabytes that runs full, with the spool on another; then it grows."""
    with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder, ExitStack() as stack:
        disk = TinyDisk(Path(folder) / "disk")
        if not disk.mounted:
            return {"fault": "disk full", "skipped": "needs root, to mount a small file system", "log_intact": True} | dict.fromkeys(
                ("answered", "lost", "doubled", "kills", "recorded_late"), 0
            )
        stack.callback(disk.unmount)
        store = f"sqlite:///{disk.folder}/wildgate.db"
        with (
            Watched(Path(folder), store=store, workers=WORKERS, durability=durability, on_store_failure="spool") as service,
            Load(service.target, chosen.threads) as load,
        ):
            row = struck(disk.fault, service, load, chosen, rounds=1) | {"durability": durability, "policy": "spool"}
    show(row)
    return row


def struck(fault: Fault, service: Watched, load: Load, chosen: argparse.Namespace, rounds: int) -> dict[str, Any]:
    """Load, the fault, load; then what was answered meanwhile beside what is in the store."""
    load.begin()
    began = time.perf_counter()
    for _ in range(rounds):
        time.sleep(chosen.seconds)
        fault.strike(service, chosen.seconds)
    load.wait_for_answers(SETTLE_SECONDS)
    time.sleep(chosen.seconds)
    seconds = time.perf_counter() - began
    answers, errors = load.end()
    service.wait_until_replayed(SETTLE_SECONDS)
    found = examine(service.store, service.folder, answers)
    return {
        "fault": fault.name,
        "expected": fault.expected,
        "rounds": rounds,
        "kills": fault.kills * rounds,
        "seconds": round(seconds, 1),
        **found,
        "recorded_late": sum(answer.late for answer in answers),
        "errors": dict(errors),
        "longest_call_seconds": round(load.longest_call, 2),
        "longest_silence_seconds": round(load.longest_silence, 2),
    }


def show(row: dict[str, Any]) -> None:
    """One line of the table."""
    print(
        f"{row['durability']:8}{row['policy']:7}{row['fault']:38}{row['kills']:3} kills {row['answered']:7,} answered"
        f" {row['recorded_late']:6,} late {row['lost']} lost {row['doubled']} doubled"
        f"  log {'intact' if row['log_intact'] else 'BROKEN: ' + row['problem']}"
        f"  errors {row['errors']}  longest call {row['longest_call_seconds']} s",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
