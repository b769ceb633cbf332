"""PostgreSQL as the store's database, shared by many replicas. Its tables are in a schema of their own (`wildgate`).

Statements of a group travel in a pipeline, so that a server across the network is waited for once; rows of text and numbers travel as one
JSON parameter, which costs a quarter of what parameters one by one do. A connection that is silent for too long is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import count

import msgspec
import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from wildgate_service.errors import StoreError
from wildgate_service.store import _translated
from wildgate_service.store._database import ConflictError, ConnectionLostError, Parameters, Row, Rows, marks
from wildgate_service.store._explained import CONFLICTS, LOSSES, explanation_of
from wildgate_service.store._silence import Silence

HELD = "SELECT pg_try_advisory_lock((CAST('logs' AS REGCLASS)::oid::bigint << 24) | ?)"
MIGRATING = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 0))"
TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = CAST(current_schema() AS REGNAMESPACE) AND relkind = 'r'"
HAS_META = "SELECT to_regclass('meta') IS NOT NULL"
VERSION = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'version'"
STAMP = "INSERT INTO meta (key, value) VALUES ('version', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
ROWS_A_FETCH = 200  # groups of the log may have a megabyte

Connect = Callable[[], "psycopg.Connection[Row]"]


class PostgresqlDatabase:
    """A connection to one schema of a PostgreSQL database; `patience` in seconds, None to wait for ever."""

    engine = "postgresql"

    def __init__(self, connect: Connect, name: str, patience: float | None) -> None:
        self._connect = connect
        self.name = name
        self._cursors = count()
        self._silence = Silence(patience)
        self._open()

    def _open(self) -> None:
        try:
            self._connection = self._connect()
        except psycopg.Error as error:
            raise ConnectionLostError(explanation_of(error, self.name)) from error
        self._silence.watch(self._connection.fileno())

    def execute(self, statement: str, parameters: Parameters = ()) -> Rows:
        """Run a statement; with named parameters it is planned anew with their values."""
        translated = _translated.translate(statement)
        if isinstance(parameters, Mapping):
            return psycopg.ClientCursor(self._connection).execute(translated, parameters)
        return self._connection.execute(translated, parameters, binary=True)

    def stream(self, statement: str) -> Iterable[Row]:
        """The rows of a query, some at a time."""
        cursor: psycopg.ServerCursor[Row] = self._connection.cursor(f"stream_{next(self._cursors)}")
        with cursor:
            cursor.itersize = ROWS_A_FETCH
            yield from cursor.execute(statement.encode(), binary=True)

    def insert(self, table: str, columns: str, rows: Sequence[Sequence[object]], conflict: str = "") -> None:
        """Insert rows: as JSON, but for those that hold bytes."""
        if rows and any(isinstance(value, bytes) for value in rows[0]):
            for row in rows:
                self._connection.execute(_insert(table, columns, conflict), row)
        elif rows:
            names = columns.split(", ")
            encoded = msgspec.json.encode([dict(zip(names, row, strict=True)) for row in rows]).decode()
            self._connection.execute(_insert_json(table, columns, conflict), (encoded,))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is written inside, or nothing."""
        with self._undone_if_failed():
            self._connection.execute("BEGIN")
            yield
            self._connection.execute("COMMIT")

    @contextmanager
    def group(self) -> Iterator[None]:
        """Likewise, in one round trip."""
        with self._undone_if_failed(), self._connection.pipeline():
            self._connection.execute("BEGIN")
            yield
            self._connection.execute("COMMIT")

    erasing = transaction

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See the database as it is now. A transaction that may write, for reports make temporary tables, and is undone."""
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE")
        try:
            yield
        finally:
            self._roll_back()

    @contextmanager
    def _undone_if_failed(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            self._roll_back()
            if isinstance(error, CONFLICTS):
                raise ConflictError(explanation_of(error, self.name)) from error
            raise
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._connection.info.transaction_status is not TransactionStatus.IDLE:
            with suppress(psycopg.Error):  # what failed before says more
                self._connection.execute("ROLLBACK")

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what psycopg raises into a StoreError with a cause and a remedy."""
        try:
            with self._silence.expected():
                yield
        except psycopg.Error as error:
            kind = ConnectionLostError if self._connection.closed or isinstance(error, LOSSES) else StoreError
            raise kind(explanation_of(error, self.name)) from error

    def hold(self, number: int) -> bool:
        """Take the advisory lock of a log, which the server frees when the connection ends, however it ends."""
        row = self.execute(HELD, (number,)).fetchone()
        return bool(row and row[0])

    def reconnect(self) -> None:
        """Connect again, perhaps to another host."""
        self.close()
        self._open()

    def check(self) -> None:
        """Nothing: a database is not replaced under its connections."""

    def close(self) -> None:
        """Close the connection."""
        self._silence.end()
        self._connection.close()

    # --- the version of its tables ---------------------------------------------------------------

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """One replica at a time, all or nothing; the schema is made if it is missing."""
        with self.transaction():
            (schema,) = self._asked("SELECT current_setting('search_path')")
            first = str(schema).split(",")[0].strip().strip('"')
            if not self._asked("SELECT to_regnamespace(?) IS NOT NULL", (first,))[0]:
                self._connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(first)))
            self._connection.execute(MIGRATING)
            yield

    def version(self) -> int:
        """The version of the tables, 0 if there are none. Raises StoreError for somebody else's schema."""
        if not self._asked(HAS_META)[0]:
            if self._asked("SELECT current_schema() IS NULL")[0] or not self._asked(TABLES)[0]:
                return 0
            message = (
                f"{self.name}: the schema {self._asked('SELECT current_schema()')[0]} holds tables that are not Wildgate's: name another"
            )
            raise StoreError(message)
        row = self.execute(VERSION).fetchone()
        return int(row[0]) if row else 0

    def _asked(self, query: str, parameters: Sequence[object] = ()) -> Row:
        row = self.execute(query, parameters).fetchone()
        return row or ()

    def run(self, script: str) -> None:
        """Run the statements of a migration."""
        self._connection.execute(script.encode())

    def stamp(self, version: int) -> None:
        """Write down of which version the tables are."""
        self.execute(STAMP, (str(version),))


@lru_cache(maxsize=64)
def _insert(table: str, columns: str, conflict: str) -> bytes:
    return _translated.translate(f"INSERT INTO {table} ({columns}) VALUES ({marks(columns.count(',') + 1)}) {conflict}")  # noqa: S608


@lru_cache(maxsize=64)
def _insert_json(table: str, columns: str, conflict: str) -> bytes:
    source = f"json_populate_recordset(CAST(NULL AS {table}), %s)"
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {source} {conflict}".encode()  # noqa: S608  (likewise)
