"""SQLite as the store's database: one file, one writer, nothing to set up."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from wildgate_service.errors import StoreError
from wildgate_service.store._database import ConflictError, Durability, Parameters, Row, Rows, marks
from wildgate_service.store._url import path_of

APPLICATION_ID = 0x57_47_41_54  # "WGAT", in the header of every store
PRIVATE = 0o600  # SQLite gives its files beside the store the same mode
SYNCHRONOUS = {"process": "NORMAL", "disk": "FULL"}
# A checkpoint stops the writer for some ms: rare and long is better for p99 than often and short.
CHECKPOINT_PAGES = 4000
ROWS_A_STATEMENT = 8  # a third faster than row by row

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


class SqliteDatabase:
    """A connection to one SQLite file."""

    engine = "sqlite"

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        with _explained(path):
            self._file = _identity(path)

    @property
    def name(self) -> str:
        """The store, in messages."""
        return f"the store {self._path}"

    def execute(self, statement: str, parameters: Parameters = ()) -> Rows:
        """Run a statement."""
        return self._connection.execute(statement, parameters)

    def stream(self, statement: str) -> Iterable[Row]:
        """The rows of a query; SQLite finds each when it is asked for."""
        return self._connection.execute(statement)

    def insert(self, table: str, columns: str, rows: Sequence[Sequence[object]], conflict: str = "") -> None:
        """Insert rows, several with each statement."""
        whole = len(rows) // ROWS_A_STATEMENT * ROWS_A_STATEMENT
        for start in range(0, whole, ROWS_A_STATEMENT):
            many = rows[start : start + ROWS_A_STATEMENT]
            self._connection.execute(_insert(table, columns, ROWS_A_STATEMENT, conflict), [value for row in many for value in row])
        self._connection.executemany(_insert(table, columns, 1, conflict), rows[whole:])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is written inside, or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            self._roll_back()
            message = f"{self.name} has this already: {error}"
            raise ConflictError(message) from error
        except BaseException:
            self._roll_back()
            raise

    group = transaction

    @contextmanager
    def erasing(self) -> Iterator[None]:
        """Likewise; freed space is overwritten, and the old pages leave the WAL."""
        self._connection.execute("PRAGMA secure_delete = ON")
        with self.transaction():
            yield
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See the file as it is now; temporary tables are gone afterwards."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._roll_back()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def explained(self) -> _explained:
        """Turn what SQLite and the file system raise into a StoreError with a cause and a remedy."""
        return _explained(self._path)

    def hold(self, number: int) -> bool:
        """Always: SQLite has one writer at a time, and log 0."""
        del number
        return True

    def reconnect(self) -> None:
        """Nothing: a file has no connection that could be lost."""

    def check(self) -> None:
        """Raise StoreError if the file was deleted or replaced: what is written now would go with the old one.

        The old file then gets what SQLite kept for it in the WAL, which would else be read into the new one.
        """
        try:
            same = _identity(self._path) == self._file
        except FileNotFoundError:
            same = False
        if not same:
            with self.explained():
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            message = f"{self.name} was deleted or replaced in use: restore it, or restart the service to begin a new one"
            raise StoreError(message)

    def close(self) -> None:
        """Close the file; what was committed is in it."""
        self._connection.close()

    # --- the version of its tables ---------------------------------------------------------------

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """One process at a time, all or nothing."""
        with self.transaction():
            yield

    def version(self) -> int:
        """The version of the tables, 0 for a new file. Raises StoreError for somebody else's database."""
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and application != APPLICATION_ID:
            message = f"{self._path} is a database, but not of Wildgate: name another file"
            raise StoreError(message)
        return int(version)

    def run(self, script: str) -> None:
        """Run the statements of a migration."""
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                self._connection.execute(statement)
                statement = ""

    def stamp(self, version: int) -> None:
        """Write down of which version the tables are."""
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._connection.execute(f"PRAGMA user_version = {version}")


@lru_cache(maxsize=64)
def _insert(table: str, columns: str, rows: int, conflict: str) -> str:
    one = f"({marks(columns.count(',') + 1)})"
    return f"INSERT INTO {table} ({columns}) VALUES {', '.join([one] * rows)} {conflict}"  # noqa: S608  (names, not data)


class _explained:  # noqa: N801  (used as a function is)
    """Turn what SQLite and the file system raise into a StoreError with a cause and a remedy."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            name = getattr(error, "sqlite_errorname", "")
            primary = "_".join(name.split("_")[:2])  # SQLITE_IOERR_WRITE is a kind of SQLITE_IOERR
            explanation = EXPLANATIONS.get(primary, f"failed: {error}")
            message = f"the store {self._path} {explanation} ({name or type(error).__name__})"
            raise StoreError(message) from error
        if isinstance(error, OSError):
            message = (
                f"the store {self._path} cannot be opened: check that its folder exists and that this user may use both ({error.strerror})"
            )
            raise StoreError(message) from error


def connect(url: str, *, durability: Durability, read_only: bool, create: bool, busy_seconds: float) -> SqliteDatabase:
    """Open the file that the URL names; an empty one is made if it is missing and `create`."""
    path = path_of(url)
    with _explained(path):
        if create and not read_only:
            _create(path)
        connection = _connect(path, read_only=read_only, busy_seconds=busy_seconds)
        try:
            if not read_only:
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS[durability]}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            return SqliteDatabase(connection, path)
        except BaseException:
            connection.close()
            raise


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
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={'ro' if read_only else 'rw'}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
    )


def _identity(path: Path) -> tuple[int, int]:
    """Device and inode of the file that stands at the path now."""
    status = path.stat()
    return status.st_dev, status.st_ino
