"""Copy an SQLite store while it is used, and look whether a store is sound."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from wildgate_service.errors import StoreError
from wildgate_service.store._url import is_postgresql, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PRIVATE = 0o600


def back_up(url: str, target: Path) -> None:
    """Copy the store as it is now into a new file, by SQLite's backup interface; who writes to it meanwhile is not held up.

    The copy is checked, and has its name only when it is whole. Raises StoreError if there is such a file, or copying fails.
    """
    if is_postgresql(url):
        message = "a PostgreSQL store is backed up by its own tools: pg_dump, or pg_basebackup with archived WAL (docs/durability.md)"
        raise StoreError(message)
    if target.exists():
        message = f"{target} is there already: name a new file"
        raise StoreError(message)
    new = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
        _copy(path_of(url), new)
        new.rename(target)
    except (sqlite3.Error, OSError) as error:
        message = f"no backup of {url}: {error}"
        raise StoreError(message) from error
    finally:
        new.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    with closing(_reading(source)) as store, closing(sqlite3.connect(target)) as copy:
        store.backup(copy)  # all pages in one step: of one moment, and never begun anew because somebody wrote
        copy.execute("PRAGMA journal_mode = DELETE")
        (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        message = f"the copy is not sound ({found}); check the store with `wildgate store check`"
        raise StoreError(message)
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damages(url: str) -> Iterator[str]:
    """What SQLite finds wrong with the pages and indexes of the file; PostgreSQL has `pg_amcheck` for it."""
    if is_postgresql(url):
        return
    try:
        with closing(_reading(path_of(url))) as store:
            for (found,) in store.execute("PRAGMA integrity_check"):
                if found != "ok":
                    yield str(found)
    except sqlite3.Error as error:
        yield str(error)


def free_bytes(url: str) -> int | None:
    """Free space where the file is; None for a store that is no file."""
    return shutil.disk_usage(path_of(url).parent).free if not is_postgresql(url) else None


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
