"""Open a store by its URL, and bring its tables to this version."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

from wildgate_service.errors import StoreError
from wildgate_service.store import _logs, _sqlite
from wildgate_service.store._database import Durability, MigratedDatabase
from wildgate_service.store._store import Store
from wildgate_service.store._url import is_postgresql

BUSY_SECONDS = 5.0


def open_store(
    url: str,
    *,
    durability: Durability = "process",
    read_only: bool = False,
    create: bool = True,
    busy_seconds: float = BUSY_SECONDS,
    patience: float | None = None,
) -> Store:
    """Open the store at `url`; made if missing and migrated if `create` and not `read_only`.

    `durability` is what an answered decision survives: "process" any killed process, "disk" a power
    cut too. `busy_seconds` is how long a lock of others is waited for, `patience` how many seconds one operation of PostgreSQL may take
    (None: any). Raises StoreError that says what is wrong with the URL or the database, and what to do.
    """
    if is_postgresql(url):
        connect = _postgresql_connect()
        database: MigratedDatabase = connect(url, durability=durability, read_only=read_only, busy_seconds=busy_seconds, patience=patience)
    else:
        database = _sqlite.connect(url, durability=durability, read_only=read_only, create=create, busy_seconds=busy_seconds)
    try:
        with database.explained():
            _migrate(database) if create and not read_only else _check_version(database)
        return Store(database)
    except BaseException:
        database.close()
        raise


def _postgresql_connect() -> Callable[..., MigratedDatabase]:
    try:
        from wildgate_service.store._conninfo import connect  # noqa: PLC0415  (needs psycopg)
    except ImportError as error:
        message = "a store of PostgreSQL needs psycopg: pip install 'wildgate-service[postgres]'"
        raise StoreError(message) from error
    return connect


def migrations(engine: str) -> list[str]:
    """The scripts that made the tables what they are, oldest first; version n is after n of them."""
    folder = resources.files("wildgate_service.store") / "migrations" / engine
    scripts = sorted((file.name, file) for file in folder.iterdir() if file.name.endswith(".sql"))
    return [file.read_text(encoding="utf-8") for _, file in scripts]


def _migrate(database: MigratedDatabase) -> None:
    known = len(migrations(database.engine))
    if _version(database) == known:
        return
    with database.migrating():
        version = _version(database)  # another process may have been first
        for script in migrations(database.engine)[version:]:
            database.run(script)
        if not _logs.every(database):
            _logs.begin(database)
        database.stamp(known)


def _check_version(database: MigratedDatabase) -> None:
    version, known = _version(database), len(migrations(database.engine))
    if version < known:
        message = (
            f"{database.name} is of version {version}, this Wildgate reads {known}: start the service once, which brings it up to date"
        )
        raise StoreError(message)


def _version(database: MigratedDatabase) -> int:
    version, known = database.version(), len(migrations(database.engine))
    if version > known:
        message = (
            f"{database.name} was written by a newer Wildgate (version {version} of its tables, this one knows {known}): upgrade this one"
        )
        raise StoreError(message)
    return version
