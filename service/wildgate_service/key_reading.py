"""Read the API keys of the store again and again, over a connection that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildgate_service.errors import StoreError
from wildgate_service.store import Store, open_store

if TYPE_CHECKING:
    from wildgate_service.keys import ApiKey

PATIENCE_SECONDS = 2.0  # who reads has other things to do


class KeyReader:
    """Opens the store at its first use, and anew after it failed or was replaced."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._store: Store | None = None

    def read(self) -> tuple[ApiKey, ...]:
        """All keys, revoked ones too. Raises StoreError."""
        try:
            if self._store is None:
                self._store = open_store(self._url, read_only=True, patience=PATIENCE_SECONDS)
            self._store.check()
            return tuple(self._store.list_keys())
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Close the store; the next call opens it again."""
        if self._store is not None:
            self._store.close()
            self._store = None
