"""What only a PostgreSQL server can show: what it refuses, its tables, logs of several writers, and lost connections."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from wildgate_service.cli.evidence import command as evidence
from wildgate_service.cli.log import command as log
from wildgate_service.errors import RequestReusedError, StoreError
from wildgate_service.evidence import Wanted
from wildgate_service.store import mask, open_store
from wildgate_service.store._database import ConnectionLostError
from wildgate_service.types import Listing, Receipt

from .conftest import run_sql
from .postgres import Server

pytestmark = pytest.mark.postgres

START, END = date(2026, 1, 1), date(2026, 12, 31)
COLUMNS_OF_SQLITE = """
SELECT t.name, c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite%'
"""
COLUMNS_OF_POSTGRESQL = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'wildgate'"


HELD_LOCKS = """
SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database WHERE locktype = 'advisory' AND d.datname = current_database()
"""


@pytest.fixture
def fresh_url(postgres_server):
    return postgres_server.fresh_store


# --- what cannot be opened -----------------------------------------------------------------------


def test_a_missing_server_is_said(tmp_path):
    """With what to look at."""
    with pytest.raises(StoreError, match=r"cannot be reached: is the server running"):
        open_store(f"postgresql://gate:secret@/gate?host={tmp_path}")


def test_a_missing_database_is_said(postgres_server):
    """With how to make it."""
    with pytest.raises(StoreError, match="does not have the database: createdb it"):
        open_store(postgres_server.url("nothing"))


def test_a_missing_role_is_said(postgres_server):
    """Likewise."""
    with pytest.raises(StoreError, match="does not know the role"):
        open_store(postgres_server.url("postgres", role="nobody_here"))


def test_a_wrong_password_is_said_and_not_shown(postgres_server, url):
    """A role that must give one."""
    postgres_server.execute("CREATE ROLE asked LOGIN PASSWORD 'right'")
    rules = postgres_server.data / "pg_hba.conf"
    rules.write_text("local all asked scram-sha-256\n" + rules.read_text())
    postgres_server.execute("SELECT pg_reload_conf()")
    with pytest.raises(StoreError, match="refuses the password or the role") as refused:
        open_store(url.replace("postgres@", "asked:wr0ng-one@"))
    assert "wr0ng-one" not in str(refused.value)
    with pytest.raises(StoreError, match="wants a password"):
        open_store(url.replace("postgres@", "asked@"))


@pytest.mark.parametrize(
    "url", ["postgresql://me:pa/ss@host/db", "postgresql://me:pa@ss:x@host:no/db", "postgresql://h?password=pass&nonsense=1"]
)
def test_a_malformed_url_shows_no_password(url):
    """Nor any part of it, and no more does its masked form."""
    with pytest.raises(StoreError, match="is no URL that libpq takes") as refused:
        open_store(url)
    assert [part for part in ("pa/", "pa@", "ss@", "ss:", "=pass") if part in str(refused.value) + mask(url)] == []


def test_a_reader_makes_nothing(postgres_server):
    """An empty database is said to be one."""
    with pytest.raises(StoreError, match=r"is of version 0, .*: start the service once"):
        open_store(postgres_server.fresh_url(), read_only=True)


def test_the_tables_of_somebody_else_are_left_alone(postgres_server):
    """In the schema that would be ours."""
    url = postgres_server.fresh_url()
    run_sql(url, "CREATE SCHEMA wildgate CREATE TABLE recipes (id INT)")
    with pytest.raises(StoreError, match="holds tables that are not Wildgate's"):
        open_store(url)


def test_another_schema_may_be_named(url, samples):
    """By the URL, so that one database serves several; the other is untouched."""
    with open_store(f"{url}&options=-csearch_path%3Dstaging") as store:
        store.append([samples.record()])
    assert run_sql(url, "SELECT (SELECT count(*) FROM staging.decisions), (SELECT count(*) FROM wildgate.decisions)") == [(1, 0)]


def test_a_store_of_a_newer_version_is_refused(url):
    """As a file would be."""
    run_sql(url, "UPDATE meta SET value = '99' WHERE key = 'version'")
    with pytest.raises(StoreError, match="written by a newer Wildgate"):
        open_store(url)


def test_a_text_that_cannot_be_kept_is_said(url, samples):
    """PostgreSQL has no character NUL; the group is refused, the store goes on."""
    with open_store(url) as store:
        with pytest.raises(StoreError, match="cannot keep a value: a text with a NUL"):
            store.append([samples.record(listing=Listing(id="a\0b", title="x"))])
        assert store.append([samples.record()])[0].receipt.position == 1


# --- tables and roles ----------------------------------------------------------------------------


def test_both_engines_have_the_same_tables_and_columns(url, fresh_file_url):
    """Whatever migrations made them."""
    file = fresh_file_url()
    open_store(file).close()
    assert set(run_sql(url, COLUMNS_OF_POSTGRESQL)) == set(run_sql(file, COLUMNS_OF_SQLITE))


def grants():
    """The statements that docs/postgresql.md gives."""
    text = (Path(__file__).parents[3] / "docs" / "postgresql.md").read_text(encoding="utf-8")
    return [part for block in re.findall(r"```sql\n(.*?)```", text, re.DOTALL) for part in block.split(";") if part.strip()]


def test_the_roles_of_the_documentation_suffice_and_no_more(postgres_server, url, samples):
    """The service appends, outcomes too, and makes no table; the reader reports and writes nothing."""
    ((name,),) = run_sql(url, "SELECT current_database()")
    for statement in grants():
        postgres_server.execute(statement.replace("DATABASE wildgate", f"DATABASE {name}"), name)
    with open_store(url.replace("postgres@", "wildgate_service@")) as store:
        (first, _) = store.append([samples.record(), samples.record()])
        store.append_outcomes([samples.outcome(decision_id=first.record.decision_id)])
        store.erase([2])
        with pytest.raises(StoreError, match="refuses this role"):
            _drop(store)
    with open_store(url.replace("postgres@", "wildgate_reader@"), read_only=True) as store:
        assert store.verify().intact
        assert len(store.report_facts(START, END).checkpoints) == 1
    with open_store(url.replace("postgres@", "wildgate_reader@")) as store, pytest.raises(StoreError, match="refuses this role"):
        store.append([samples.record()])


def _drop(store):
    with store._database.explained():
        store._database.execute("DROP TABLE decisions")


# --- several writers -----------------------------------------------------------------------------


def test_each_writer_has_a_log_of_its_own(url, samples):
    """Positions count in each from one, and all of it verifies."""
    with open_store(url) as one, open_store(url) as other:
        receipts = [store.append([samples.record()])[0].receipt for store in (one, other, one, other)]
    assert [receipt.position for receipt in receipts] == [1, 1, 2, 2]
    assert len({receipt.log_id for receipt in receipts}) == 2
    with open_store(url, read_only=True) as store:
        verified = store.verify(receipts)
        assert (verified.problem, verified.records, verified.published, len(verified.heads)) == ("", 4, 4, 2)
        assert store.checkpoints() == (receipts[2], receipts[3])


def test_the_log_of_a_writer_that_ended_is_taken_over(url, samples, until):
    """So that there are no more logs than ever wrote at once. The server takes a moment to notice that a connection was closed."""
    for _ in range(3):
        with open_store(url) as store:
            store.append([samples.record()])
        until(lambda: run_sql(url, HELD_LOCKS) == [(0,)], "the server to free the log")
    assert run_sql(url, "SELECT count(*) FROM logs") == [(1,)]


def test_a_second_writer_of_one_log_is_refused_by_the_table(url, samples):
    """Should an advisory lock be lost without the connection (a pooler between), groups still follow one another."""
    with open_store(url) as one, open_store(url) as other:
        one.append([samples.record()])
        other._known.log = one._known.log
        results = [store.append([samples.record()])[0] for store in (other, one, other)]
        assert [result.receipt.position for result in results] == [2, 3, 4]
        assert one.verify([result.receipt for result in results]).intact


def test_the_same_request_to_two_writers_gets_one_record(url, samples):
    """Sent to both at once, many times: each pair agrees on decision and receipt."""
    requests = [samples.uuid() for _ in range(60)]
    meet = threading.Barrier(2)

    def write(order):
        with open_store(url) as store:
            answers = {}
            for start in range(0, len(requests), 6):
                meet.wait(30)
                group = [samples.record(request_id=request) for request in requests[start : start + 6][::order]]
                answers |= {each.record.request_id: each for each in store.append(group)}
            return answers

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(write, (1, -1))
    assert [one[r].record.decision_id for r in requests] == [other[r].record.decision_id for r in requests]
    assert [one[r].receipt for r in requests] == [other[r].receipt for r in requests]
    assert {one[r].repeated + other[r].repeated for r in requests} == {1}
    with open_store(url, read_only=True) as store:
        assert (store.verify().problem, store.verify().records) == ("", len(requests))


def test_a_request_of_another_writer_with_another_listing_is_refused(url, samples):
    """As of one's own."""
    record = samples.record(listing=Listing(id="a", title="a tusk"))
    with open_store(url) as one, open_store(url) as other:
        one.append([record])
        (result,) = other.append([samples.record(request_id=record.request_id, listing=Listing(id="b", title="a chair"))])
    assert isinstance(result, RequestReusedError)


def test_many_writers_at_once_lose_and_double_nothing(url, samples):
    """With the same facets and days, which all of them count."""

    def write(_):
        with open_store(url) as store:
            return [each for _ in range(10) for each in store.append([samples.record() for _ in range(7)])]

    with ThreadPoolExecutor(4) as threads:
        results = [each for part in threads.map(write, range(4)) for each in part]
    with open_store(url, read_only=True) as store:
        verified = store.verify([each.receipt for each in results])
        assert (verified.problem, verified.records) == ("", len(results))
        assert sum(each.decisions for each in store.report_facts(START, END).decisions) == len(results)
    assert {row for (row,) in run_sql(url, "SELECT decision_id FROM decisions")} == {each.record.decision_id for each in results}


def test_a_listing_in_two_logs_is_proven_in_one_bundle(url, samples, tmp_path, monkeypatch):
    """Records of both, each with its log's id; at a position, of the log that is named."""
    monkeypatch.setenv("WILDGATE_SECRETS_FILE", str(tmp_path / "wildgate.secrets"))
    listing = Listing(id="tusk-7", title="Old elephant tusk")
    with open_store(url) as one, open_store(url) as other:
        receipts = [store.append([samples.record(listing=listing)])[0].receipt for store in (one, other)]
        proofs, _ = one.proofs(Wanted(tenant=None, listing_id="tusk-7"))
        (named,), _ = one.proofs(Wanted(tenant=None, positions=(1,), log_id=receipts[1].log_id))
    assert ([proof.reached for proof in proofs], named.reached) == (receipts, receipts[1])
    file = tmp_path / "bundle.zip"
    made = CliRunner().invoke(evidence, ["export", "--store", url, "--listing", "tusk-7", "--output", str(file)])
    assert made.exit_code == 0, made.output
    assert CliRunner().invoke(evidence, ["verify", str(file)]).stdout.count("record 1 stands before") == 2


def test_the_log_commands_name_every_log(url, samples, tmp_path, monkeypatch):
    """One checkpoint a line, which verify then finds."""
    monkeypatch.setenv("WILDGATE_SECRETS_FILE", str(tmp_path / "wildgate.secrets"))
    with open_store(url) as one, open_store(url) as other:
        for store in (one, other):
            store.append([samples.record()])
    signed = CliRunner().invoke(log, ["checkpoint", "--store", url])
    kept = tmp_path / "kept.jsonl"
    kept.write_text(signed.stdout, encoding="utf-8")
    said = CliRunner().invoke(log, ["verify", "--store", url, "--receipts", str(kept)]).stdout
    assert len(signed.stdout.splitlines()) == 2
    assert "intact: 2 records" in said
    assert "2 of 2 receipts and checkpoints from outside found" in said


def test_a_receipt_of_another_store_is_not_taken(url, samples):
    """Its log is none of these."""
    with open_store(url) as store:
        (result,) = store.append([samples.record()])
        verified = store.verify([Receipt("another", 1, result.receipt.chain_hash)])
    assert verified.problem == "what was published is of another log"


# --- lost connections ----------------------------------------------------------------------------


def test_a_connection_that_the_server_breaks_is_made_again(url, samples):
    """The caller sees nothing of it, and the log goes on."""
    with open_store(url) as store:
        store.append([samples.record()])
        _break(url)
        assert store.append([samples.record()])[0].receipt.position == 2
        _break(url)
        store.append_outcomes([samples.outcome(request_id=samples.uuid())])
        assert store.verify().intact


def _break(url):
    run_sql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")


class _Answerless:
    """A database whose answer to one commit never arrives."""

    def __init__(self, database, url):
        self._database = database
        self._url = url
        self.broken = False

    def __getattr__(self, name):
        return getattr(self._database, name)

    @contextmanager
    def group(self):
        with self._database.group():
            yield
        if not self.broken:
            self.broken = True
            _break(self._url)
            raise ConnectionLostError


def test_a_commit_whose_answer_was_lost_is_neither_lost_nor_doubled(url, samples):
    """It is asked for: what is there is answered, as the caller's own record."""
    records = [samples.record() for _ in range(3)]
    with open_store(url) as store:
        store._database = broken = _Answerless(store._database, url)
        results = store.append(records)
        assert (broken.broken, [each.record for each in results], [each.receipt.position for each in results]) == (True, records, [1, 2, 3])
        assert (store.verify([each.receipt for each in results]).problem, store.verify().records) == ("", 3)


def test_a_server_that_says_nothing_is_given_up_in_time(url, samples):
    """Its process stands still, as on a disk that hangs; the writer's patience ends it, and it is used again when it wakes."""
    with open_store(url, patience=0.5) as store:
        store.append([samples.record()])
        ((pid,),) = run_sql(url, "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        os.kill(pid, signal.SIGSTOP)
        try:
            assert store.append([samples.record()])[0].record.tenant == "acme"
        finally:
            os.kill(pid, signal.SIGCONT)
        assert store.verify().intact


def test_a_deadline_ends_a_statement_that_waits_for_a_lock(url, samples):
    """And says so."""
    with open_store(url, busy_seconds=0.1) as store:
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE wildgate.decisions IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(StoreError, match="is locked by another session"):
                store.append([samples.record()])
        assert store.append([samples.record()])[0].receipt.position == 1


def test_a_group_costs_one_round_trip(url, samples):
    """Of requests that are new, with facets and days that are known: counted in what is sent to the server."""
    with open_store(url) as store:
        store.append([samples.record() for _ in range(4)])
        connection = store._database._connection
        with tempfile.TemporaryFile(mode="w+") as file:
            connection.pgconn.trace(file.fileno())
            connection.pgconn.set_trace_flags(1)
            store.append([samples.record() for _ in range(32)])
            connection.pgconn.untrace()
            file.seek(0)
            lines = [line.split("\t") for line in file.read().splitlines()]
    sides = [line[0] for line in lines if line[0] in {"F", "B"}]
    assert sum(before == "F" and after == "B" for before, after in pairwise(sides)) == 1


def test_a_failover_loses_nothing_that_was_answered(samples):
    """The primary is killed, its synchronous standby promoted; the writer finds it, and its log goes on."""
    primary, standby = Server(), Server()
    try:
        primary.make()
        database = primary.fresh_store().rpartition("/store_")[2].partition("?")[0]
        standby.follow(primary)
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.execute("SELECT pg_reload_conf()")
        url = f"postgresql://{primary.role}@/store_{database}?host={primary.folder},{standby.folder}"
        with open_store(url, durability="disk") as store:
            before = [store.append([samples.record()])[0] for _ in range(20)]
            primary.stop("immediate")
            standby.promote()
            after = store.append([samples.record()])[0]
        assert (after.receipt.log_id, after.receipt.position) == (before[0].receipt.log_id, 21)
        with open_store(url, read_only=True) as store:
            verified = store.verify([each.receipt for each in (*before, after)])
            assert (verified.problem, verified.records, verified.published) == ("", 21, 21)
    finally:
        primary.close()
        standby.close()
