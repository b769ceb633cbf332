"""Stores of older versions: brought up to date without losing or changing anything."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, timedelta

import pytest
from wildgate_service.outcomes import OutcomeKind
from wildgate_service.store import open_store
from wildgate_service.store._open import migrations
from wildgate_service.types import Action


@pytest.fixture(scope="session")
def fresh_url(fresh_file_url):
    """Files alone."""
    return fresh_file_url


VERSIONS = range(1, len(migrations("sqlite")))
FINDINGS = 4  # the version that began to keep them
START, END = date(2026, 1, 1), date(2026, 12, 31)
DATA = "SELECT name FROM sqlite_schema WHERE type = 'table'"
COLUMNS = "SELECT name FROM pragma_table_info(?, ?)"


@pytest.fixture(scope="module")
def filled(fresh_url, samples):
    """A store of today: its file, its receipts and its decision."""
    url = fresh_url()
    records = [samples.record(action, decided_time=samples.noon - timedelta(days=day)) for day in range(3) for action in Action]
    with open_store(url) as store:
        results = [*store.append(records[:4]), *store.append(records[4:])]
        store.append_outcomes([samples.outcome(OutcomeKind.REMOVED, decision_id=record.decision_id) for record in records[:2]])
    return url.removeprefix("sqlite:///"), [result.receipt for result in results], records


def made_by(version, file, filled):
    """A store that the migrations of that version made, with the rows of one of today, as far as it had tables and columns for them."""
    with closing(sqlite3.connect(file, isolation_level=None)) as store:
        for script in migrations("sqlite")[:version]:
            store.executescript(script)
        store.execute("DELETE FROM meta")
        store.execute("ATTACH ? AS today", (filled[0],))
        for (table,) in store.execute(DATA).fetchall():
            known = {name for (name,) in store.execute(COLUMNS, (table, "today"))}
            shared = ", ".join(name for (name,) in store.execute(COLUMNS, (table, "main")) if name in known)
            store.execute(f"INSERT INTO {table} ({shared}) SELECT DISTINCT {shared} FROM today.{table}")  # noqa: S608
        if version < FINDINGS:
            store.execute("DELETE FROM meta")
        store.execute("INSERT INTO meta (key, value) SELECT 'log_id', log_id FROM logs")
        store.execute("PRAGMA application_id = 0x57474154")
        store.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_every_older_version_is_brought_up_to_date(tmp_path, filled, version):
    """All of it verifies, with the receipts of then, and is counted as before."""
    _, receipts, records = filled
    made_by(version, tmp_path / "old.db", filled)
    with open_store(f"sqlite:///{tmp_path / 'old.db'}") as store:
        verified = store.verify(receipts)
        assert (verified.problem, verified.published) == ("", len(receipts))
        assert sum(each.decisions for each in store.report_facts(START, END).decisions) == len(records)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_that_was_brought_up_to_date_goes_on(tmp_path, filled, samples, version):
    """The same log, at the next position; and requests of then are still known."""
    _, receipts, records = filled
    made_by(version, tmp_path / "old.db", filled)
    with open_store(f"sqlite:///{tmp_path / 'old.db'}") as store:
        new, repeat = store.append([samples.record(), records[0]])
    assert (new.receipt.log_id, new.receipt.position) == (receipts[0].log_id, len(receipts) + 1)
    assert (repeat.record, repeat.receipt, repeat.repeated) == (records[0], receipts[0], True)


@pytest.mark.parametrize("version", VERSIONS)
def test_reading_an_older_store_says_what_to_do(tmp_path, filled, version):
    """A reader changes nothing."""
    made_by(version, tmp_path / "old.db", filled)
    with pytest.raises(Exception, match=rf"is of version {version}, .*: start the service once"):
        open_store(f"sqlite:///{tmp_path / 'old.db'}", read_only=True)
