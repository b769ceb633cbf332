"""What a store that cannot be used says: what is wrong, where, and what to do."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys

import pytest
from wildgate_service.errors import StoreError
from wildgate_service.store import open_store, path_of
from wildgate_service.store._open import migrations

HOLD_LOCK = """
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def fresh_url(fresh_file_url):
    """Files alone."""
    return fresh_file_url


def test_a_path_with_three_slashes_is_relative_with_four_absolute(tmp_path):
    """As SQLAlchemy has it."""
    assert [str(path_of(f"sqlite://{path}")) for path in ("/a/b.db", "//a/b.db")] == [
        "a/b.db",
        "/a/b.db",
    ]
    del tmp_path


@pytest.mark.parametrize("url", ["mysql://x", "sqlite://x", "x.db", "", "sqlite:///"])
def test_an_unknown_url_says_what_is_supported(url):
    """With an example."""
    with pytest.raises(StoreError, match="supported is sqlite:///PATH"):
        open_store(url)


def test_a_missing_folder(tmp_path):
    """Is named."""
    with pytest.raises(StoreError, match=r"cannot be opened: check that its folder exists"):
        open_store(f"sqlite:///{tmp_path}/none/a.db")


def test_a_folder_in_place_of_the_file(tmp_path):
    """Is no store."""
    with pytest.raises(StoreError, match="is a folder: name a file in it"):
        open_store(f"sqlite:///{tmp_path}")


def test_garbage_in_place_of_the_file(tmp_path):
    """Is not overwritten."""
    file = tmp_path / "a.db"
    file.write_bytes(b"garbage " * 1000)
    with pytest.raises(StoreError, match="is not an SQLite database"):
        open_store(f"sqlite:///{file}")
    assert file.read_bytes() == b"garbage " * 1000


def test_the_database_of_another_program(tmp_path):
    """Is not migrated."""
    file = tmp_path / "a.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE recipes (id)")
    connection.close()
    with pytest.raises(StoreError, match="but not of Wildgate"):
        open_store(f"sqlite:///{file}")


def test_a_store_of_a_newer_version(url):
    """Is refused rather than damaged."""
    open_store(url).close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute(f"PRAGMA user_version = {len(migrations('sqlite')) + 1}")
    connection.close()
    with pytest.raises(StoreError, match=r"written by a newer Wildgate .* upgrade this one"):
        open_store(url)


def test_reading_a_store_that_is_not_there(url):
    """Does not make one."""
    with pytest.raises(StoreError, match="there is no store"):
        open_store(url, read_only=True)


def test_writing_through_a_reader(url, samples):
    """Is refused by the file itself."""
    open_store(url).close()
    with (
        open_store(url, read_only=True) as store,
        pytest.raises(StoreError, match="cannot be written"),
    ):
        store.append([samples.record()])


def test_a_store_locked_by_another_process(url, samples):
    """Says that there must be one writer; and works when the lock is gone."""
    with open_store(url, busy_seconds=0.05) as store:
        path = url.removeprefix("sqlite:///")
        with subprocess.Popen(
            [sys.executable, "-c", HOLD_LOCK, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as other:
            assert other.stdout.readline() == "locked\n"
            with pytest.raises(StoreError, match="is locked by another process"):
                store.append([samples.record()])
            other.stdin.close()
        assert store.append([samples.record()])[0].receipt.position == 1


def test_a_full_disk(url, samples):
    """Nothing of the group is kept, and the store goes on when there is room."""
    with open_store(url) as store:
        (pages,) = store._database.execute("PRAGMA page_count").fetchone()
        store._database.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match="is full: free space on its disk"):
            store.append([samples.record() for _ in range(200)])
        store._database.execute("PRAGMA max_page_count = 1000000")
        assert store.append([samples.record()])[0].receipt.position == 1
        assert store.verify().intact


def test_a_corrupt_file(url, samples):
    """Is named as such when it is read."""
    with open_store(url) as store:
        store.append([samples.record() for _ in range(200)])
    with open(url.removeprefix("sqlite:///"), "r+b") as file:  # noqa: PTH123  (opened to patch)
        file.seek(4096)
        file.write(b"\xff" * 4096 * 20)
    with pytest.raises(StoreError, match="is corrupt: restore it"), open_store(url) as store:
        store.verify()


def test_migrations_are_applied_once(url, samples):
    """The log keeps its id."""
    with open_store(url) as store:
        (first,) = store.append([samples.record()])
    with open_store(url) as store:
        (second,) = store.append([samples.record()])
    assert first.receipt.log_id == second.receipt.log_id


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_folder_that_may_not_be_entered(tmp_path):
    """Is said like any other fault of the store, also where the file system says it before SQLite."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0)
    with pytest.raises(StoreError, match="Permission denied"):
        open_store(f"sqlite:///{folder}/a.db", read_only=True)


def test_a_name_that_the_file_system_refuses(tmp_path):
    """Likewise, whatever it is that the file system raises."""
    with pytest.raises(StoreError, match="File name too long"):
        open_store(f"sqlite:///{tmp_path}/{'a' * 300}.db", read_only=True)


def test_a_new_store_is_for_its_owner_alone(url, samples):
    """So are the files that SQLite keeps beside it."""
    with open_store(url) as store:
        store.append([samples.record()])
        path = path_of(url)
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob(f"{path.name}*")}
    assert modes == {0o600}


def test_a_password_in_a_broken_url_is_not_printed():
    """The message ends in a log."""
    with pytest.raises(StoreError, match=r"mysql://me:\*\*\*@db/x"):
        open_store("mysql://me:secret@db/x")


def test_a_store_that_must_be_there_is_not_made(url):
    """Who asks for one that was there before must hear that it is gone."""
    with pytest.raises(StoreError, match=r"there is no store .* restore it, or restart the service"):
        open_store(url, create=False)
    assert not path_of(url).exists()


def test_postgresql_without_its_extra(monkeypatch):
    """Says what to install."""
    for module in [name for name in sys.modules if name.startswith(("psycopg", "wildgate_service.store._conninfo"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"needs psycopg: pip install 'wildgate-service\[postgres\]'"):
        open_store("postgresql://db/gate")
