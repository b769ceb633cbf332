"""Whether a decision that was answered survives a worker that is killed, and whether a reload reaches all workers under load.

Starts a service of two workers on a store of its own, sends listings through the SDK from several threads, kills a worker with SIGKILL time
and again, reloads a lexicon that was changed on disk, and then looks for every decision_id that was answered in table `decisions`.

Usage: python benchmarks/load/kill_worker.py [--kills N] [--threads N] [--seconds S] [--output FILE]   exit status 1 if one is missing
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from threading import Event, Thread
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import grpc
from machine import write
from running import Service
from wildgate import Client, Listing, WildgateError
from wildgate.v1 import lexicon_pb2, lexicon_pb2_grpc
from wildgate_service.lexicon import default_lexicons

WORKERS = 2
CALL_SECONDS = 2.0
RELOAD_SECONDS = 60
FRESH_CONNECTIONS = 12  # with two workers, all on one of them once in two thousand runs
IDS_IN_A_QUERY = 500
TITLE = "Vintage table lamp, brass, works, number"


class Sender(Thread):
    """Scores one listing after the other over a connection of its own until it is told to end."""

    def __init__(self, target: str, name: str, ending: Event) -> None:
        super().__init__(name=name)
        self.answered: list[str] = []
        self.errors: Counter[str] = Counter()
        self.longest_silence = 0.0  # seconds between two answers
        self._target = target
        self._ending = ending

    def run(self) -> None:
        """Send; an error is counted by its class and reason."""
        with Client(self._target, insecure=True, on_unavailable="raise", timeout=CALL_SECONDS) as client:
            last = time.perf_counter()
            while not self._ending.is_set():
                listing = Listing(id=f"{self.name}-{len(self.answered)}", title=f"{TITLE} {len(self.answered)}")
                try:
                    self.answered.append(client.score(listing).decision_id or "")
                    now = time.perf_counter()
                    self.longest_silence, last = max(self.longest_silence, now - last), now
                except WildgateError as error:
                    self.errors[f"{type(error).__name__} {error.reason}"] += 1


def main() -> int:
    """Measure, print, write; returns the exit status."""
    chosen = arguments()
    with tempfile.TemporaryDirectory(prefix="wildgate-bench-") as folder:
        lexicons = Path(folder) / "lexicons"
        shutil.copytree(default_lexicons(), lexicons)
        with Service("service", Path(folder), workers=WORKERS, lexicons=str(lexicons)) as service:
            result = measure(service, lexicons, chosen)
    print(
        f"answered {result['answered']:,}, errors {result['errors']} in at most {result['longest_silence_seconds']} s without an answer, "
        f"kills {result['kills']}, missing {result['missing']}\n"
        f"reload: {result['reload']}, errors during it {result['errors_during_reload']}"
    )
    write(chosen.output, result)
    return 0 if holds(result) else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=3, help="workers to kill (default 3)")
    parser.add_argument("--threads", type=int, default=8, help="that send, each over its own connection (default 8)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of load before each kill, before the reload and at the end (default 3)")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "kill_worker.json")
    return parser.parse_args()


def measure(service: Service, lexicons: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Send, kill, reload, and compare; the store is read while the service still runs, so that its end writes nothing more."""
    ending = Event()
    senders = [Sender(service.target, f"sender-{number}", ending) for number in range(chosen.threads)]
    for sender in senders:
        sender.start()
    try:
        for number in range(chosen.kills):
            time.sleep(chosen.seconds)
            service.kill(f"worker-{number % WORKERS}")
        time.sleep(chosen.seconds)
        before = errors_of(senders)
        reload = reload_changed(service, lexicons)
        errors_during_reload = dict(errors_of(senders) - before)
        time.sleep(chosen.seconds)
    finally:
        ending.set()
        for sender in senders:
            sender.join()
    answered = [decision for sender in senders for decision in sender.answered]
    return {
        "workers": WORKERS,
        "threads": chosen.threads,
        "kills": chosen.kills,
        "answered": len(answered),
        "errors": dict(errors_of(senders)),
        "longest_silence_seconds": round(max(sender.longest_silence for sender in senders), 3),
        "missing": len(missing_from(service.database, answered)),
        "answered_twice": len(answered) - len(set(answered)),
        "reload": reload,
        "errors_during_reload": errors_during_reload,
    }


def errors_of(senders: list[Sender]) -> Counter[str]:
    """What all clients have seen so far."""
    return sum((sender.errors.copy() for sender in senders), Counter())


def reload_changed(service: Service, lexicons: Path) -> dict[str, Any]:
    """Change the lexicons on disk, reload, and ask over new connections, which reach all workers, what is served."""
    before = {served_version(service.target)}
    version = (lexicons / "VERSION").read_text(encoding="utf-8").strip()
    (lexicons / "VERSION").write_text(f"{version}-reloaded\n", encoding="utf-8")
    start = time.perf_counter()
    with grpc.insecure_channel(service.target) as channel:
        answer = lexicon_pb2_grpc.LexiconServiceStub(channel).ReloadLexicon(lexicon_pb2.ReloadLexiconRequest(), timeout=RELOAD_SECONDS)
    return {
        "seconds": round(time.perf_counter() - start, 2),
        "workers_serving": answer.workers_serving,
        "workers_failed": list(answer.workers_failed),
        "version_before": sorted(before),
        "versions_served_after": sorted({served_version(service.target) for _ in range(FRESH_CONNECTIONS)}),
        "version_answered": answer.lexicon_version,
    }


def served_version(target: str) -> str:
    """The lexicon version of whichever worker a new connection reaches."""
    with grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = lexicon_pb2_grpc.LexiconServiceStub(channel)
        return str(stub.GetLexicon(lexicon_pb2.GetLexiconRequest(), timeout=RELOAD_SECONDS).lexicon_version)


def missing_from(database: Path, decisions: list[str]) -> set[str]:
    """Ids that are not in table `decisions`."""
    found: set[str] = set()
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        for first in range(0, len(decisions), IDS_IN_A_QUERY):
            some = decisions[first : first + IDS_IN_A_QUERY]
            marks = ", ".join("?" * len(some))
            found.update(row[0] for row in store.execute(f"SELECT decision_id FROM decisions WHERE decision_id IN ({marks})", some))  # noqa: S608  (only marks are put in)
    return set(decisions) - found


def holds(result: dict[str, Any]) -> bool:
    """Whether nothing was lost and all workers serve the new lexicon, and only it."""
    reload = result["reload"]
    reached_all = reload["workers_serving"] == WORKERS and not reload["workers_failed"]
    changed = reload["versions_served_after"] == [reload["version_answered"]] != reload["version_before"]
    return result["answered"] > 0 and not result["missing"] and reached_all and changed


if __name__ == "__main__":
    sys.exit(main())
