"""What the store needs of a database; SQLite and PostgreSQL both give it.

Statements are written once, in what both understand: parameters are `?` or `:name`, `ON CONFLICT DO NOTHING` names no target, whether
something holds is 1 or 0, sums are cast, and a subquery has an alias. What has no common form is a method here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol, TypeVar

from wildgate_service.errors import StoreError

Row = tuple[Any, ...]
Parameters = Sequence[object] | Mapping[str, object]
Result = TypeVar("Result")
Durability = Literal["process", "disk"]

ATTEMPTS = 5


class ConflictError(StoreError):
    """Somebody else wrote the same, or holds what this transaction waits for: nothing of it is kept, and it may be tried again."""


class ConnectionLostError(StoreError):
    """The database is out of reach, or broke the connection; whether the last transaction is kept is not known."""


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Row | None:
        """The next row, None after the last."""

    def __iter__(self) -> Iterator[Row]:
        """The rows that are left."""


class Database(Protocol):
    """One connection, of one thread."""

    def execute(self, statement: str, parameters: Parameters = ()) -> Rows:
        """Run a statement."""

    def stream(self, statement: str) -> Iterable[Row]:
        """The rows of a query that may be many, a part at a time; inside `snapshot`."""

    def insert(self, table: str, columns: str, rows: Sequence[Sequence[object]], conflict: str = "") -> None:
        """Insert rows; `columns` are names with ", " between, `conflict` is the ON CONFLICT for rows that are there already."""

    def transaction(self) -> AbstractContextManager[object]:
        """Keep all that is written inside, or nothing. Raises ConflictError as said there."""

    def group(self) -> AbstractContextManager[object]:
        """As `transaction`, for statements of which none is asked what it gave: they travel together."""

    def erasing(self) -> AbstractContextManager[object]:
        """As `transaction`, and what is overwritten or deleted inside is gone from the files as well, as far as the engine can."""

    def snapshot(self) -> AbstractContextManager[object]:
        """See the database as it is now; what is written inside, temporary tables, is gone after it."""

    def explained(self) -> AbstractContextManager[object]:
        """Turn what the engine raises into a StoreError with a cause and a remedy."""

    def hold(self, number: int) -> bool:
        """Whether this connection may append to the log of this number, and, until it is closed, nobody else."""

    def reconnect(self) -> None:
        """Connect again after ConnectionLostError, which is raised again if that fails."""

    def check(self) -> None:
        """Raise StoreError if the database is not the one that was opened."""

    def close(self) -> None:
        """Close the connection."""


class MigratedDatabase(Database, Protocol):
    """A database with what opening it needs besides."""

    engine: str

    @property
    def name(self) -> str:
        """The store, in messages."""

    def migrating(self) -> AbstractContextManager[object]:
        """As `transaction`, for one process at a time."""

    def version(self) -> int:
        """The version of the tables, 0 if there are none. Raises StoreError for somebody else's database."""

    def run(self, script: str) -> None:
        """Run the statements of a migration."""

    def stamp(self, version: int) -> None:
        """Write down of which version the tables are."""


def again(act: Callable[[], Result]) -> Result:
    """What it returns; tried again, a few times, while others write the same."""
    for _ in range(ATTEMPTS - 1):
        try:
            return act()
        except ConflictError:
            continue
    return act()


def one(database: Database, statement: str, parameters: Parameters = ()) -> Row:
    """The row of a statement that gives one."""
    row = database.execute(statement, parameters).fetchone()
    if row is None:  # no aggregate or RETURNING of a plain insert is without one
        message = f"the store gave no row for: {statement}"
        raise StoreError(message)
    return row


def marks(count: int) -> str:
    """So many parameters with commas between."""
    return ", ".join("?" * count)
