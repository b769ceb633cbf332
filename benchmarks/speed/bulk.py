"""Listings a second from a file, what the engine around scoring costs, and the memory that it takes.

A file of unique listings is made, of which some are offers, and scored by the command as users run it. Some of the same listings, read
before and in one process, are scored by the bare function. What the engine adds to that is measured by itself, too: reading a block,
decoding, encoding and writing in its form, with one decision for all. Rounds alternate, the first one in turn.

Usage: python benchmarks/speed/bulk.py [--listings 10000000] [--offers 0.02] [--format jsonl] [--workers 2] [--rounds 3] [--prose]
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import msgspec
from machine import pss, write
from stages import OFFERS, SEED, WORDS, prose, text
from wildgate_service.bulk import InputRow, Place, answered, decision_json, listing_of, rows_of, source_of
from wildgate_service.bulk.answers import form_of
from wildgate_service.cores import allowed_cores
from wildgate_service.local import local_engine
from wildgate_service.pipeline import Engine, score_listing
from wildgate_service.types import Decision

TITLE, DESCRIPTION = 50, 250  # code points
GOAL_LISTINGS, GOAL_SECONDS = 10_000_000, 360
BARE = 20_000  # listings of a round of the bare function
AROUND_BLOCKS = 40
SCRIPTS = tuple(WORDS)
WATCH_SECONDS = 0.5

Row = dict[str, Any]


def main() -> None:
    """Make the file, measure, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listings", type=int, default=200_000)
    parser.add_argument("--offers", type=float, default=0.02, help="share that offers wildlife and is read by the encoder")
    parser.add_argument("--format", choices=("jsonl", "csv", "parquet"), default="jsonl")
    parser.add_argument("--workers", type=int, default=allowed_cores())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--prose", action="store_true", help="every second listing is prose, some of which the encoder reads for a word in it"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"listings.{chosen.format}"
        rows = write_listings(source, chosen.listings, chosen.offers, prosaic=chosen.prose)
        rounds = [measured(source, chosen.workers, number) for number in range(chosen.rounds)]
        result = summary(rounds, chosen.listings)
    print(json.dumps(result, indent=1))
    settings = {
        "listings": rows,
        "offers": chosen.offers,
        "prose": chosen.prose,
        "format": chosen.format,
        "workers": chosen.workers,
        "seed": SEED,
    }
    write(HERE.parent / "results" / "bulk.json", {**settings, **result, "rounds": rounds})


# --- the file ------------------------------------------------------------------------------------


def write_listings(path: Path, count: int, offers: float, *, prosaic: bool) -> int:
    """Write unique listings of 300 code points in four scripts, so many of them offers."""
    rows = listings(random.Random(SEED), count, offers, prosaic=prosaic)
    if path.suffix == ".parquet":
        _write_parquet(path, rows)
    elif path.suffix == ".csv":
        _write_csv(path, rows)
    else:
        with path.open("wb") as file:
            file.writelines(msgspec.json.encode(row) + b"\n" for row in rows)
    return count


def listings(rng: random.Random, count: int, offers: float, *, prosaic: bool) -> Iterator[Row]:
    """Listings as objects: words strung together, or every second prose in seven scripts."""
    sentences = [file.read_text(encoding="utf-8").splitlines() for file in sorted((HERE / "prose").glob("*.txt"))]
    for number in range(count):
        script = SCRIPTS[number % len(SCRIPTS)]
        planted = OFFERS[script] if rng.random() < offers else ""
        plain = prosaic and number % 2 and not planted
        body = prose(rng, sentences[number % len(sentences)], number) if plain else text(rng, script, TITLE + DESCRIPTION, planted, number)
        yield {"id": str(number), "title": body[:TITLE], "description": body[TITLE:], "category": "home", "market": "SG"}


def _write_csv(path: Path, rows: Iterator[Row]) -> None:
    import csv  # noqa: PLC0415  (one format of three)

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("id", "title", "description", "category", "market"))
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(path: Path, rows: Iterator[Row]) -> None:
    import pyarrow as pa  # noqa: PLC0415  (an extra)
    from pyarrow import parquet  # noqa: PLC0415

    writer = None
    while some := list(islice(rows, 100_000)):
        table = pa.Table.from_pylist(some)
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


# --- measuring -----------------------------------------------------------------------------------


def measured(source: Path, workers: int, number: int) -> Row:
    """One round: the command over the whole file, the bare function over a part of it."""
    engine = [lambda: run_command(source, workers), lambda: run_bare(source)]
    if number % 2:
        engine.reverse()
    return {key: value for run in engine for key, value in run().items()}


def run_command(source: Path, workers: int) -> Row:
    """`wildgate score`: seconds by the clock and of CPU, start included, and the memory of all its processes at its highest."""
    output = source.with_name(f"decisions{source.suffix}")
    code = "from wildgate_service.cli import main; main()"
    arguments = ["score", "--input", str(source), "--output", str(output), "--workers", str(workers)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", code, *arguments]) as process:
        memory = _Memory(process.pid)
        process.wait()
        seconds = time.perf_counter() - began
        memory.stop()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"wildgate score ended with status {process.returncode}")
    output.unlink()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu_seconds": cpu, "start_cpu_seconds": start_cost(), "pss_mib": memory.highest // 1024}


def start_cost() -> float:
    """CPU seconds of a run over a single listing: what every run pays once."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "one.jsonl"
        source.write_text('{"title": "Blue bicycle"}\n', encoding="utf-8")
        code = "from wildgate_service.cli import main; main()"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        arguments = ["score", "--input", str(source), "--output", f"{folder}/out.jsonl"]
        subprocess.run([sys.executable, "-c", code, *arguments], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run_bare(source: Path) -> Row:
    """CPU microseconds a listing of the bare function, on listings that stand ready, and of what the engine does beside it."""
    engine, rows = local_engine(), islice(rows_of(source, source.suffix[1:]), 2 * BARE)
    given = [listing_of(msgspec.json.decode(row, type=InputRow)) for _, row in rows]
    first, second = given[: len(given) // 2], given[len(given) // 2 :]
    score_all(engine, first)  # its words are known then, as they are in a long run
    return {"bare_microseconds": score_all(engine, second), "around_microseconds": around(source, score_listing(engine, first[0]))}


def around(source: Path, decision: Decision) -> float:
    """CPU microseconds a listing of all but scoring, in a worker."""

    def answer(_: int | None, row: bytes) -> bytes:
        listing = listing_of(msgspec.json.decode(row, type=InputRow))
        return msgspec.json.encode(decision_json(decision, listing.id))

    form = source.suffix[1:]
    given, encode = source_of(source, form), form_of(form, source).encode
    some = list(islice(given.blocks(Place()), AROUND_BLOCKS))
    before = time.process_time()
    count = sum(answered(given, answer, encode, block).listings for block in some)
    return (time.process_time() - before) / count * 1e6


def score_all(engine: Engine, given: list[Any]) -> float:
    """CPU microseconds a listing."""
    gc.freeze()
    before = time.process_time()
    for listing in given:
        score_listing(engine, listing)
    return (time.process_time() - before) / len(given) * 1e6


class _Memory:
    """Watches the proportional set size of a process and its children, in KiB."""

    def __init__(self, pid: int) -> None:
        self.highest = 0
        self._pid, self._ended = pid, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(WATCH_SECONDS):
            with suppress(OSError, StopIteration):  # it may end while it is looked at
                self.highest = max(self.highest, sum(map(pss, [self._pid, *self._children()])))

    def _children(self) -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text(encoding="ascii").split()]


def summary(rounds: list[Row], count: int) -> Row:
    """Medians over the rounds; the overhead is worked out within each."""
    cpu = [(row["cpu_seconds"] - row["start_cpu_seconds"]) / count * 1e6 for row in rounds]
    seconds = statistics.median(row["seconds"] for row in rounds)
    overheads = [row["around_microseconds"] / row["bare_microseconds"] for row in rounds]
    with_start = [each / row["bare_microseconds"] - 1 for each, row in zip(cpu, rounds, strict=True)]
    start = min(row["start_cpu_seconds"] for row in rounds)
    rate = count / (seconds - start) if seconds > start else 0.0
    projected = start + GOAL_LISTINGS / rate if rate else 0.0
    return {
        "listings_per_second": round(rate),
        "cpu_microseconds_a_listing": round(statistics.median(cpu), 1),
        "bare_microseconds_a_listing": round(statistics.median(row["bare_microseconds"] for row in rounds), 1),
        "around_microseconds_a_listing": round(statistics.median(row["around_microseconds"] for row in rounds), 1),
        "whole_run_over_bare": [round(statistics.median(with_start), 3), round(min(with_start), 3), round(max(with_start), 3)],
        "engine_overhead": [round(statistics.median(overheads), 3), round(min(overheads), 3), round(max(overheads), 3)],
        "pss_mib": max(row["pss_mib"] for row in rounds),
        "seconds_for_10_million": round(projected),
        "reaches_6_minutes": projected <= GOAL_SECONDS,
    }


if __name__ == "__main__":
    main()
