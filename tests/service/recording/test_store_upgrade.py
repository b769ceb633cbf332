"""A store of every earlier version, with records in it, is brought up to date with nothing lost and the log unbroken."""

from __future__ import annotations

import sqlite3
import uuid

import pytest
from msgspec import json, msgpack
from wildgate_service.record import SALT_BYTES, extend_chain, facets_of, genesis, make_entry
from wildgate_service.store import open_store, path_of
from wildgate_service.store._open import migrations
from wildgate_service.store._sqlite import APPLICATION_ID
from wildgate_service.types import Action

LATEST = len(migrations("sqlite"))
DAY = 86_400_000_000
LISTS = {"taxon_groups", "appendices", "degraded_reasons"}


def columns_of(connection, table):
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def insert(connection, table, **values):
    """Insert what the table of that version has columns for."""
    known = {name: value for name, value in values.items() if name in columns_of(connection, table)}
    marks = ", ".join("?" * len(known))
    connection.execute(f"INSERT INTO {table} ({', '.join(known)}) VALUES ({marks})", list(known.values()))  # noqa: S608  (names)


@pytest.fixture(scope="session")
def fresh_url(fresh_file_url):
    """What is tested is about files."""
    return fresh_file_url


@pytest.fixture
def old_store(url, samples):
    """Build a store of an earlier version from its migrations, with records as that version wrote them; its log id and records."""

    def build(version):
        connection = sqlite3.connect(path_of(url), isolation_level=None)
        for script in migrations("sqlite")[:version]:
            connection.executescript(script)
        log_id = str(uuid.uuid4())
        if version < 5:  # since then table logs has it
            connection.execute("INSERT INTO meta (key, value) VALUES ('log_id', ?)", (log_id,))
        else:
            connection.execute("INSERT INTO logs (number, log_id) VALUES (0, ?)", (log_id,))
        records = [samples.record(Action.ALLOW), samples.record(Action.ALLOW), samples.record(Action.ALLOW)]
        write(connection, log_id, records)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        return log_id, records

    return build


def write(connection, log_id, records):
    """One group, as the first version has it, and what later versions count beside."""
    entries = [make_entry(record) for record in records]
    facets = facets_of(records[0])
    values = {name: getattr(facets, name) for name in facets.__struct_fields__}
    encoded = {name: json.encode(value).decode() if name in LISTS else value for name, value in values.items()}
    insert(connection, "facets", id=1, **encoded)
    salts = bytes(range(SALT_BYTES)) * len(entries)
    commitments, chain = extend_chain(genesis(log_id), [entry.payload for entry in entries], salts)
    for position, entry in enumerate(entries, 1):
        names = {"decision_id", "tenant", "request_id", "listing_id", "action", "score"}
        row = {name: getattr(entry, name) for name in names}
        insert(connection, "decisions", **row, decided_time=entry.decided, facets=1, position=position)
    count, day = len(entries), entries[0].decided // DAY
    insert(connection, "days", tenant="acme", day=day, first_decision_id=min(entry.decision_id for entry in entries))
    insert(connection, "log", last_position=count, first_position=1, commitments=b"".join(commitments), chain_hash=chain[-1])
    insert(connection, "payloads", last_position=count, salts=salts, payloads=msgpack.encode([entry.payload for entry in entries]))
    if columns_of(connection, "daily_counts"):
        insert(connection, "daily_counts", tenant="acme", day=day, facets=1, log=0, decisions=count)


@pytest.mark.parametrize("version", range(1, LATEST + 1))
def test_a_store_of_an_earlier_version_is_brought_up_to_date(old_store, url, samples, version):
    """The log holds, is the same log, goes on where it ended, and a repeat gets the old answer."""
    log_id, records = old_store(version)
    with open_store(url) as store:
        before = store.verify()
        repeat = store.append([records[0]])[0]
        new = store.append([samples.record(Action.BLOCK)])[0]
        after = store.verify([repeat.receipt, new.receipt])
        facts = store.report_facts(samples.noon.date(), samples.noon.date())
    assert (before.problem, before.records, after.problem, after.records, after.published) == ("", 3, "", 4, 2)
    assert (repeat.record, repeat.repeated) == (records[0], True)
    assert (new.receipt.log_id, new.receipt.position) == (log_id, 4)
    assert sum(counted.decisions for counted in facts.decisions) == 4
