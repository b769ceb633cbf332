"""Records, outcomes and stores for the tests of what is kept."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import signal
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import uuid_utils
from wildgate_service.outcomes import Outcome, OutcomeKind
from wildgate_service.record import make_record
from wildgate_service.store import open_store
from wildgate_service.types import Action, Decision, Evidence, Level, Listing, Match, RuleKind, Taxon, Versions
from wildgate_service.writer import Recording, run_writer

KEY = bytes(range(32))
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MATCH = Match(
    rule_id="en-elephant-ivory",
    kind=RuleKind.PRODUCT,
    level=Level.ALONE,
    language="en",
    form="elephant tusk",
    gloss="",
    surface="Elephant  tusk",
    field="title",
    start=4,
    end=18,
    skeleton_start=4,
    skeleton_end=18,
    groups=("elephant",),
)


class Samples:
    """Makes values that are whole and valid; a test says only what it is about."""

    key = KEY
    noon = NOON

    @staticmethod
    def uuid():
        """A fresh UUIDv7."""
        return str(uuid_utils.uuid7())

    @staticmethod
    def decision(action=Action.ALLOW, **fields):
        """A decision; one that is not ALLOW found an elephant."""
        found = action is not Action.ALLOW
        defaults = {
            "action": action,
            "shadow_action": action,
            "shadow": False,
            "score": 0.9 if found else 0.01,
            "language": "en",
            "taxa": (Taxon("elephant", "Loxodonta africana", "I"),) if found else (),
            "matches": (MATCH,) if found else (),
            "evidence": (Evidence("screen", 1.25),),
            "reason": "Elephant ivory." if found else "",
            "notice": "",
            "versions": Versions("1.2.3", "2026.1", "1.0.0"),
        }
        return Decision(**{**defaults, **fields})

    def record(self, action=Action.ALLOW, *, listing=None, decision=None, **fields):
        """A record of the tenant acme."""
        defaults = {
            "tenant": "acme",
            "decision_id": self.uuid(),
            "request_id": self.uuid(),
            "decided_time": NOON,
            "tenant_key": KEY,
        }
        return make_record(
            decision or self.decision(action),
            listing or Listing(id="42", title="Old elephant  tusk", market="SG", seller_ref="bob"),
            **{**defaults, **fields},
        )

    def outcome(self, kind=OutcomeKind.REMOVED, *, hours=1.0, **fields):
        """An outcome of the tenant acme, some hours after noon."""
        defaults = {
            "tenant": "acme",
            "outcome_id": self.uuid(),
            "kind": kind,
            "occurred_time": NOON + timedelta(hours=hours),
            "recorded_time": NOON + timedelta(hours=hours),
        }
        return Outcome(**{**defaults, **fields})


@pytest.fixture(scope="session")
def samples():
    return Samples()


@pytest.fixture(scope="session")
def fresh_file_url(tmp_path_factory):
    """Makes URLs of files that are not there yet."""
    folder, numbers = tmp_path_factory.mktemp("stores"), count()
    return lambda: f"sqlite:///{folder / f'{next(numbers)}.db'}"


@pytest.fixture(scope="session")
def postgres_server():
    """A server that runs."""
    from .postgres import Server  # noqa: PLC0415  (needs psycopg)

    server = Server()
    server.make()
    yield server
    server.close()


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request):
    """Tests of what is kept run on both; modules about files alone have a `fresh_url` of their own."""
    return request.param


@pytest.fixture(scope="session")
def fresh_url(engine, request, tmp_path_factory):
    """Makes URLs of stores that are empty; beside a server there is no place for secrets, so they get one."""
    if engine == "sqlite":
        yield request.getfixturevalue("fresh_file_url")
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WILDGATE_SECRETS_FILE", str(tmp_path_factory.mktemp("secrets") / "wildgate.secrets"))
        yield request.getfixturevalue("postgres_server").fresh_store


@pytest.fixture(autouse=True)
def secrets_beside_files(request, monkeypatch):
    """Tests of files find secrets where files have them, whatever stores others still use."""
    callspec = getattr(request.node, "callspec", None)
    if callspec is None or callspec.params.get("engine") != "postgresql":
        monkeypatch.delenv("WILDGATE_SECRETS_FILE", raising=False)


@pytest.fixture
def of_files(engine):
    """For tests of what only files can do."""
    if engine != "sqlite":
        pytest.skip("about files")


def run_sql(url, statement, *parameters):
    """What another connection sees, or changes."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            return connection.execute(statement, parameters).fetchall()
    import psycopg  # noqa: PLC0415  (an extra)

    with psycopg.connect(url, autocommit=True, options="-c search_path=wildgate") as connection:
        cursor = connection.execute(statement.replace("?", "%s"), parameters)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def year_url(fresh_url):
    """A store that holds a year of decisions and what followed."""
    spec = importlib.util.spec_from_file_location("year", Path(__file__).with_name("year.py"))
    year = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(year)
    url = fresh_url()
    records, outcomes = year.draw()
    with open_store(url) as store:
        for start in range(0, len(records), 200):
            store.append(records[start : start + 200])
        store.append_outcomes(outcomes)
    return url


@pytest.fixture
def url(fresh_url):
    return fresh_url()


@pytest.fixture
def store(url):
    with open_store(url) as opened:
        yield opened


class WriterProcess:
    """The writer in a process of its own, on a socket that outlives it."""

    def __init__(self, url, path, **options):
        self._url = url
        self._options = options
        self.path = str(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.process = None

    def start(self):
        """Start it, for the first time or again."""
        arguments = (self.listener, self._url, Recording(**self._options))
        self.process = multiprocessing.get_context("fork").Process(target=run_writer, args=arguments)
        self.process.start()

    def stop(self, number=signal.SIGTERM):
        """Send the signal and wait; the exit code."""
        os.kill(self.process.pid, number)
        self.process.join(timeout=30)
        return self.process.exitcode

    def close(self):
        """Kill it if it still runs."""
        if self.process and self.process.is_alive():
            self.stop(signal.SIGKILL)
        self.listener.close()


@pytest.fixture
def start_writer(url, tmp_path):
    """Start a writer with options of `Recording`."""
    open_store(url).close()
    made = []

    def start(**options):
        made.append(WriterProcess(url, tmp_path / f"writer-{len(made)}.sock", **options))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.fixture
def writer(start_writer):
    """A writer that runs."""
    return start_writer()
