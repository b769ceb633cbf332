"""A service that is killed and started again on one port, clients that write down what they were answered, and what the store says."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple, Self

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from running import SERVICE, NotStartedError, Server, Service, _tree
from wildgate import Client, Listing, WildgateError

WILDGATE = SERVICE[:-1]
CALL_SECONDS = 2.0
STARTS = 5
PAUSE_SECONDS = 0.01  # after an error
EMPTY_SPOOL_BYTES = 8
TITLE = "Vintage table lamp, brass, works, number"


class Watched(Service):
    """A service on a port that stays the same; started without waiting for an idle machine, for it is under load."""

    def __init__(self, folder: Path, *, store: str = "", **settings: Any) -> None:  # noqa: ANN401  (as TOML has them)
        self.folder = folder
        self.store = store or f"sqlite:///{folder}/wildgate.db"
        self.spool = folder / "wildgate.spool"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        files = {"secrets_file": str(folder / "wildgate.secrets"), "spool": str(self.spool)}
        super().__init__("service", folder, store=self.store, port=port, lexicon_watch=False, **files, **settings)

    def __enter__(self) -> Self:
        """Start it; tried again, for one that was killed may still hold the port."""
        for attempt in range(STARTS):
            try:
                return Server.__enter__(self)
            except NotStartedError:
                if attempt == STARTS - 1:
                    raise
                time.sleep(0.5)
        return self

    @property
    def path(self) -> Path:
        """The store's file."""
        return Path(self.store.removeprefix("sqlite:///"))

    def pids(self) -> list[int]:
        """All its processes, the supervisor first."""
        return _tree(self.process.pid)

    def kill_and_restart(self, pids: list[int]) -> None:
        """SIGKILL for processes of it, the supervisor among them; then another service is started in its place."""
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout  # noqa: S101  (it was asked for)
        self.process.stdout.close()
        self.__enter__()

    def wait_until_replayed(self, seconds: float) -> None:
        """Wait until nothing is in the spool."""
        deadline = time.monotonic() + seconds
        while self.spool.exists() and self.spool.stat().st_size > EMPTY_SPOOL_BYTES:
            if time.monotonic() > deadline:
                raise NotStartedError(f"the spool was not replayed in {seconds} s:\n{self.log[-2_000:]}")
            time.sleep(0.05)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The store locked by another process."""
        with subprocess.Popen([sys.executable, str(HERE / "durability_lock.py"), self.store], stdout=subprocess.PIPE) as other:
            assert other.stdout  # noqa: S101  (likewise)
            other.stdout.readline()
            try:
                yield
            finally:
                other.kill()


class Answer(NamedTuple):
    """What a client wrote down; `receipt` is (log, position, chain hash), None if there was none yet."""

    decision_id: str
    request_id: str
    receipt: tuple[str, int, str] | None
    late: bool


class Load:
    """Threads that score one listing after the other between `begin` and `end`, each over a connection of its own."""

    def __init__(self, target: str, threads: int) -> None:
        self._target = target
        self._threads = threads
        self._lock = Lock()
        self._listings = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()

    def begin(self) -> None:
        """Start sending."""
        self.answers: list[Answer] = []
        self.errors: Counter[str] = Counter()
        self.longest_call = self.longest_silence = 0.0
        self._last = time.perf_counter()
        self._ending = Event()
        self._running = [Thread(target=self._send) for _ in range(self._threads)]
        for thread in self._running:
            thread.start()

    def end(self) -> tuple[list[Answer], Counter[str]]:
        """Stop sending; what was answered, and errors by kind."""
        self._ending.set()
        for thread in self._running:
            thread.join()
        return self.answers, self.errors

    def wait_for_answers(self, seconds: float) -> None:
        """Wait until calls are answered, and not only refused, again."""
        count, deadline = len(self.answers), time.monotonic() + seconds
        while len(self.answers) < count + 2 * self._threads and time.monotonic() < deadline:
            time.sleep(0.02)

    def _send(self) -> None:
        with Client(self._target, insecure=True, on_unavailable="raise", timeout=CALL_SECONDS) as client:
            while not self._ending.is_set():
                with self._lock:
                    self._listings += 1
                    number = self._listings
                began = time.perf_counter()
                try:
                    decision = client.score(Listing(id=f"listing-{number}", title=f"{TITLE} {number}"))
                except WildgateError as error:
                    self._note(began, None, f"{type(error).__name__} {error.reason}")
                    time.sleep(PAUSE_SECONDS)
                else:
                    receipt = decision.receipt and (decision.receipt.log_id, decision.receipt.position, decision.receipt.chain_hash)
                    late = "recorded_late" in decision.degraded_reasons
                    self._note(began, Answer(decision.decision_id or "", decision.request_id, receipt, late), "")

    def _note(self, began: float, answer: Answer | None, error: str) -> None:
        now = time.perf_counter()
        with self._lock:
            self.longest_call = max(self.longest_call, now - began)
            if answer is None:
                self.errors[error] += 1
                return
            self.answers.append(answer)
            self.longest_silence, self._last = max(self.longest_silence, now - self._last), now


def examine(store: str, folder: Path, answers: list[Answer]) -> dict[str, Any]:
    """What was answered beside what is recorded, and whether the log holds with every receipt that was given."""
    recorded = dict(_rows(store, "SELECT decision_id, request_id FROM decisions"))
    doubled = [row for row in _rows(store, "SELECT listing_id, count(*) FROM decisions GROUP BY listing_id") if row[1] > 1]
    receipts = folder / "receipts.jsonl"
    lines = (answer.receipt for answer in answers if answer.receipt)
    receipts.write_text(
        "".join(json.dumps({"log_id": log, "position": position, "chain_hash": chain}) + "\n" for log, position, chain in lines),
        encoding="utf-8",
    )
    command = (*WILDGATE, "log", "verify", "--store", store, "--receipts", str(receipts), "--json")
    verified = json.loads(subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout or '{"intact": false}')
    return {
        "answered": len(answers),
        "lost": sum(recorded.get(answer.decision_id) != answer.request_id for answer in answers),
        "doubled": len(doubled) + len(answers) - len({answer.decision_id for answer in answers}),
        "log_intact": verified["intact"],
        "problem": verified.get("problem", ""),
        "recorded": len(recorded),
    }


def _rows(store: str, query: str) -> list[tuple[Any, ...]]:
    if store.startswith("sqlite:"):
        connection = sqlite3.connect(f"file:{store.removeprefix('sqlite:///')}?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
    import psycopg  # noqa: PLC0415  (an extra)

    with psycopg.connect(store, options="-c search_path=wildgate") as database:
        return database.execute(query).fetchall()
