"""Open a store by its URL, bring it to this version, and say in clear words what SQLite complains of."""

from __future__ import annotations

import os
import sqlite3
import uuid
from contextlib import contextmanager, suppress
from importlib import resources
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from wildgate_service.errors import StoreError
from wildgate_service.store._url import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wildgate_service.store._sqlite import SqliteStore

APPLICATION_ID = 0x57_47_41_54  # "WGAT", in the header of every store
PRIVATE = 0o600  # SQLite gives its files beside the store the same mode
SYNCHRONOUS = {"process": "NORMAL", "disk": "FULL"}
BUSY_SECONDS = 5.0
# A checkpoint stops the writer for some ms: rare and long is better for p99 than often and short.
CHECKPOINT_PAGES = 4000

Durability = Literal["process", "disk"]

EXPLANATIONS = {
    "SQLITE_BUSY": "is locked by another process; the service's writer must be the only one",
    "SQLITE_LOCKED": "is locked by another connection",
    "SQLITE_FULL": "is full: free space on its disk",
    "SQLITE_READONLY": "cannot be written: check the permissions of the file and its folder",
    "SQLITE_CANTOPEN": "cannot be opened: check that its folder exists and that it is a file",
    "SQLITE_PERM": "may not be opened: check its permissions",
    "SQLITE_NOTADB": "is not an SQLite database: move it away or name another file",
    "SQLITE_CORRUPT": "is corrupt: restore it from a backup",
    "SQLITE_IOERR": "cannot be read or written by the disk: look at the system log",
}


def open_store(
    url: str,
    *,
    durability: Durability = "process",
    read_only: bool = False,
    create: bool = True,
    busy_seconds: float = BUSY_SECONDS,
) -> SqliteStore:
    """Open the store at `url`; made if missing and migrated if `create` and not `read_only`.

    `durability` is what an answered decision survives: "process" any killed process, "disk" a power
    cut too. Raises StoreError that says what is wrong with the URL or the file, and what to do.
    """
    from wildgate_service.store._sqlite import SqliteStore  # noqa: PLC0415  (it imports this module)

    path = path_of(url)
    with explained(path):
        if create and not read_only:
            _create(path)
        connection = _connect(path, read_only=read_only, busy_seconds=busy_seconds)
        try:
            connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS[durability]}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            _migrate(connection, path) if create and not read_only else _check_version(connection, path)
            return SqliteStore(connection, path)
        except BaseException:
            connection.close()
            raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a StoreError with a cause and a remedy."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        primary = "_".join(name.split("_")[:2])  # SQLITE_IOERR_WRITE is a kind of SQLITE_IOERR
        explanation = EXPLANATIONS.get(primary, f"failed: {error}")
        message = f"the store {path} {explanation} ({name or type(error).__name__})"
        raise StoreError(message) from error
    except OSError as error:
        message = f"the store {path} cannot be opened: check that its folder exists and that this user may use both ({error.strerror})"
        raise StoreError(message) from error


def _create(path: Path) -> None:
    """Make an empty file for its owner alone, unless there is one."""
    if path.is_dir():
        message = f"the store {path} is a folder: name a file in it"
        raise StoreError(message)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, PRIVATE))


def _connect(path: Path, *, read_only: bool, busy_seconds: float) -> sqlite3.Connection:
    if not path.exists():
        what = "nothing was recorded there yet" if read_only else "restore it, or restart the service to begin a new one"
        message = f"there is no store {path}: {what}"
        raise StoreError(message)
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode={'ro' if read_only else 'rw'}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
    )
    if not read_only:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except BaseException:
            connection.close()
            raise
    return connection


# --- migrations ----------------------------------------------------------------------------------


def migrations() -> list[str]:
    """The scripts that made the tables what they are, oldest first; version n is after n of them."""
    folder = resources.files("wildgate_service.store") / "migrations"
    scripts = sorted((file.name, file) for file in folder.iterdir() if file.name.endswith(".sql"))
    return [file.read_text(encoding="utf-8") for _, file in scripts]


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    scripts = migrations()
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, path)
        _refuse_newer(version, len(scripts), path)
        for script in scripts[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        if version < len(scripts):
            _stamp(connection, len(scripts))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _stamp(connection: sqlite3.Connection, version: int) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('log_id', ?)", (str(uuid.uuid4()),))


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version, known = _version(connection, path), len(migrations())
    _refuse_newer(version, known, path)
    if version < known:
        message = (
            f"the store {path} is of version {version}, this Wildgate reads {known}: start the service once, which brings it up to date"
        )
        raise StoreError(message)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The store's version, 0 for a new file. Raises StoreError for somebody else's database."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != APPLICATION_ID:
        message = f"{path} is a database, but not of Wildgate: name another file"
        raise StoreError(message)
    return int(version)


def _refuse_newer(version: int, known: int, path: Path) -> None:
    if version > known:
        message = (
            f"the store {path} was written by a newer Wildgate (version {version} of its tables, this one knows {known}): upgrade this one"
        )
        raise StoreError(message)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
