"""Ask the store again and again, over a connection that is kept.

It is closed before this process forks. A child that has a copy takes SQLite's index of the WAL for the one of its own connections, without
the locks that protect it: what the writer records then stands in an index that nobody else reads, and others may overwrite it
(https://www.sqlite.org/howtocorrupt.html, "Carrying an open database connection across a fork").
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from wildgate_service.errors import StoreError
from wildgate_service.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 2.0  # who reads has other things to do

Answer = TypeVar("Answer")


class KeptStore:
    """Opens the store, to read it, at its first use, and anew after it failed or was replaced."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._store: Store | None = None
        _KEPT.add(self)

    def ask(self, read: Callable[[Store], Answer]) -> Answer:
        """What `read` finds. Raises StoreError."""
        try:
            if self._store is None:
                self._store = open_store(self._url, read_only=True, patience=PATIENCE_SECONDS)
            self._store.check()
            return read(self._store)
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Close the store; the next call opens it again."""
        if self._store is not None:
            self._store.close()
            self._store = None


_KEPT: WeakSet[KeptStore] = WeakSet()


def _close_all() -> None:
    for kept in tuple(_KEPT):
        kept.close()


os.register_at_fork(before=_close_all)
