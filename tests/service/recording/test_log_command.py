"""Tampering is found and located, by what the log holds and by what was published; `wildgate log` says so."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from msgspec import msgpack
from wildgate_service.checkpoints import is_signed, load_signing_key, read_checkpoints
from wildgate_service.cli.log import command
from wildgate_service.errors import SettingsError
from wildgate_service.store import open_store
from wildgate_service.types import Action


@pytest.fixture(scope="session")
def fresh_url(fresh_file_url):
    """Files alone."""
    return fresh_file_url


# What the log and what reports count of decisions consist of. Not among them: outcomes, API keys, and when something was erased.
COLUMNS = {
    "logs": ["number", "log_id"],
    "log": ["first_position", "last_position", "commitments", "chain_hash"],
    "payloads": ["last_position", "salts", "payloads"],
    "tombstones": ["position"],
    "decisions": [
        "decision_id", "tenant", "request_id", "listing_id", "decided_time", "action", "score", "facets", "position",
    ],
    "facets": [
        "content_kind", "market", "language", "action", "shadow_action", "shadow", "taxon_groups", "appendices",
        "lexicon_version", "model_version", "policy_version", "degraded_reasons",
    ],
    "daily_counts": ["tenant", "day", "facets", "log", "decisions"],
    "days": ["tenant", "day", "first_decision_id"],
    "found": ["decision_id", "findings"],
    "findings": ["species", "views"],
}  # fmt: skip
EVERY = [(table, column) for table, columns in COLUMNS.items() for column in columns]
GROUPS = (3, 1, 4)
ERASED = 6


@pytest.fixture(scope="module")
def filled(fresh_url, samples):
    """A closed store of three groups over two days, one record erased; its file and the receipts."""
    url = fresh_url()
    with open_store(url) as store:
        results = [
            result
            for day, size in enumerate(GROUPS)
            for result in store.append(
                [samples.record(Action.REVIEW, decided_time=samples.noon + timedelta(days=day)) for _ in range(size)]
            )
        ]
        store.erase([ERASED])
    return Path(url.removeprefix("sqlite:///")), [result.receipt for result in results]


@pytest.fixture
def copied(filled, tmp_path):
    """A copy to tamper with, and its URL."""
    file = tmp_path / "copy.db"
    shutil.copy(filled[0], file)
    return file


def flipped(value, at, bit):
    """A value with one bit of its bytes the other way."""
    if isinstance(value, int):
        return value ^ (1 << (at * 8 + bit) % 48)
    if isinstance(value, float):
        return value + 2.0 ** (bit - 20)
    content = bytearray(value.encode() if isinstance(value, str) else value)
    content[at % len(content)] ^= 1 << (bit % 7 if isinstance(value, str) else bit)
    return content.decode() if isinstance(value, str) else bytes(content)


def flip(file, table, column, *, row, at, bit):
    """Flip one bit of one cell as somebody with SQL would; whether there was one to flip, and the row's primary key."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        where = f"WHERE position <> {ERASED}" if table == "decisions" else ""
        cells = connection.execute(f"SELECT {column} FROM {table} {where} ORDER BY 1").fetchall()  # noqa: S608
        value = cells[row % len(cells)][0]
        if value in {"", b""}:
            return False
        sets = f"UPDATE {table} SET {column} = ? WHERE {column} = ?"  # noqa: S608
        try:
            return connection.execute(sets, (flipped(value, at, bit), value)).rowcount > 0
        except sqlite3.IntegrityError:
            return False


def verified(file, published=()):
    with open_store(f"sqlite:///{file}", read_only=True) as store:
        return store.verify(published)


@pytest.mark.parametrize(("table", "column"), EVERY)
@given(row=some.integers(0, 7), at=some.integers(0, 500), bit=some.integers(0, 7))
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_is_found_in_every_column(filled, tmp_path, table, column, row, at, bit):
    """Whichever cell, byte and bit: in the log, and in the tables that reports count."""
    copy = tmp_path / "flipped.db"
    shutil.copy(filled[0], copy)
    if flip(copy, table, column, row=row, at=at, bit=bit):
        assert not verified(copy).intact


@pytest.mark.parametrize("position", [1, 2, 3, 4, 5, 7, 8])
@pytest.mark.parametrize("column", ["commitments", "payloads", "salts"])
def test_a_flipped_byte_is_located(copied, position, column):
    """At its very position, in a group of records as at its end."""
    group = next(end for end in (3, 4, 8) if position <= end)
    first = {3: 1, 4: 4, 8: 5}[group]
    table = "log" if column == "commitments" else "payloads"
    with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
        (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE last_position = ?", (group,)).fetchone()  # noqa: S608
        content = bytearray(value)
        where = value.index(msgpack.decode(value)[position - first]) if column == "payloads" else 32 * (position - first)
        content[where + 7] ^= 1
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE last_position = ?", (bytes(content), group))  # noqa: S608
    found = verified(copied)
    assert (found.position, found.records) == (position, position - 1)


def test_a_flip_beside_an_erased_record_is_located_to_its_group(copied):
    """Of what was erased nothing is left to hold its commitment against but the chain, which is kept a group at a time."""
    with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
        (value,) = connection.execute("SELECT commitments FROM log WHERE last_position = 8").fetchone()
        content = bytearray(value)
        content[32 * (ERASED - 5)] ^= 1
        connection.execute("UPDATE log SET commitments = ? WHERE last_position = 8", (bytes(content),))
    assert verified(copied).position == 8


def test_what_is_counted_of_an_erased_record_is_not_provable(copied):
    """A limit that docs/evidence.md states: with the payload goes what its row in table decisions could be held against."""
    with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
        connection.execute("UPDATE decisions SET score = 0 WHERE position = ?", (ERASED,))
    assert verified(copied).intact


def test_erasing_leaves_the_chain_and_every_receipt_provable(filled):
    """The tombstone stands for the payload."""
    file, receipts = filled
    found = verified(file, receipts)
    assert (found.intact, found.erased, found.published) == (True, 1, len(receipts))


def test_a_log_written_anew_is_found_by_what_was_published(filled, fresh_url, samples):
    """Another log, sound in itself, under the same id."""
    file, receipts = filled
    url = fresh_url()
    with open_store(url) as store:
        store.append([samples.record() for _ in range(8)])
    forged = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(forged, isolation_level=None)) as connection:
        connection.execute("UPDATE logs SET log_id = ?", (receipts[0].log_id,))
    assert not verified(forged, [receipts[-1]]).intact
    assert verified(file, [receipts[-1]]).intact


def test_a_receipt_of_another_log_is_not_taken(filled):
    """Though its position and hash could stand here."""
    file, receipts = filled
    result = verified(file, [type(receipts[0])("another", 3, receipts[2].chain_hash)])
    assert (result.problem, result.position) == ("what was published is of another log", 3)


@pytest.mark.parametrize(("moved", "intact"), [(False, True), (True, False)])
def test_decisions_from_before_findings_were_kept_have_none(copied, moved, intact):
    """The store says from which position on there are some; who moves that is found by those that are there."""
    with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
        connection.execute("UPDATE meta SET value = '5' WHERE key = 'findings_from'")
        if not moved:
            connection.execute("DELETE FROM found WHERE decision_id IN (SELECT decision_id FROM decisions WHERE position < 5)")
    assert verified(copied).intact is intact


# --- the commands --------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(command, [str(each) for each in arguments])


def store_of(file):
    return "--store", f"sqlite:///{file}"


def kept(folder, receipts):
    """A file of receipts, one a line."""
    file = folder / "receipts.jsonl"
    lines = [json.dumps({"log_id": each.log_id, "position": each.position, "chain_hash": each.chain_hash}) for each in receipts]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_verify_says_that_all_holds(filled, tmp_path):
    """With the receipts that were kept; exit status 0."""
    file, receipts = filled
    result = run("verify", *store_of(file), "--receipts", kept(tmp_path, receipts))
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            f"intact: 8 records, 1 of them erased; up to {receipts[-1].chain_hash} at position 8",
            "8 of 8 receipts and checkpoints from outside found at their positions",
        ],
    )


def test_verify_names_what_does_not_hold(copied):
    """With its position; exit status 1."""
    flip(copied, "decisions", "score", row=0, at=0, bit=3)
    result = run("verify", *store_of(copied))
    assert (result.exit_code, "NOT INTACT at position 1: table decisions does not say of" in result.stdout) == (1, True)


def test_verify_prints_json(filled):
    """For programs."""
    result = json.loads(run("verify", *store_of(filled[0]), "--json").stdout)
    assert (result["intact"], result["records"], result["heads"][0]["position"], result["problem"]) == (True, 8, 8, "")


def test_a_checkpoint_is_signed_and_verifies_the_log_later(copied, tmp_path):
    """The line that is printed is the line that is kept."""
    made = run("checkpoint", *store_of(copied))
    file = tmp_path / "checkpoints.jsonl"
    file.write_text(made.stdout, encoding="utf-8")
    (checkpoint,) = read_checkpoints(file)
    key = load_signing_key(copied.with_name("wildgate.signing.pem"))
    assert (is_signed(checkpoint), checkpoint.public_key) == (True, key.public_key)
    assert run("verify", *store_of(copied), "--receipts", file).exit_code == 0


@pytest.mark.parametrize("field", ["log_id", "position", "chain_hash", "signed_time", "public_key", "signature"])
def test_an_altered_checkpoint_is_refused(copied, tmp_path, field):
    """Whichever of its fields."""
    made = json.loads(run("checkpoint", *store_of(copied)).stdout)
    made[field] = flipped(made[field], 3, 0)
    file = tmp_path / "checkpoints.jsonl"
    file.write_text(json.dumps(made), encoding="utf-8")
    with pytest.raises(SettingsError, match="the signature is not that of the key it names"):
        read_checkpoints(file)


def test_an_empty_log_has_no_checkpoint(fresh_url):
    """Exit status 1."""
    url = fresh_url()
    open_store(url).close()
    assert run("checkpoint", "--store", url).exit_code == 1


def test_a_line_that_is_no_receipt_is_named(tmp_path):
    """With its number."""
    file = tmp_path / "receipts.jsonl"
    file.write_text('{"log_id": "x", "position": 1, "chain_hash": "00"}\nnothing\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"receipts\.jsonl:2 is neither a receipt nor a checkpoint"):
        read_checkpoints(file)


def test_the_signing_key_is_its_owners_alone(tmp_path):
    """Made so, and refused otherwise."""
    path = tmp_path / "key.pem"
    made = load_signing_key(path).public_key
    assert (path.stat().st_mode & 0o777, load_signing_key(path).public_key) == (0o600, made)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_signing_key(path)
