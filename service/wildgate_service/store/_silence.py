"""Cut a connection whose server says nothing any more: libpq has a limit for connecting, but none for waiting."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LOOKS = 4  # in the time that a server may be silent


class Silence:
    """Shuts the connection's socket down when one operation takes longer than `patience` seconds (None: never); it fails then."""

    def __init__(self, patience: float | None) -> None:
        self._patience = patience
        self._since: float | None = None
        self._ended = threading.Event()

    def watch(self, connection: int) -> None:
        """Watch this connection, by its file descriptor."""
        if self._patience is not None:
            self._ended = threading.Event()
            arguments = (self._patience, socket.socket(fileno=os.dup(connection)), self._ended)
            threading.Thread(target=self._look, args=arguments, name="silence", daemon=True).start()

    @contextmanager
    def expected(self) -> Iterator[None]:
        """The server should answer what is asked inside."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def end(self) -> None:
        """Watch no longer."""
        self._ended.set()

    def _look(self, patience: float, connection: socket.socket, ended: threading.Event) -> None:
        with connection:
            while not ended.wait(patience / LOOKS):
                since = self._since
                if since is not None and time.monotonic() - since > patience:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                    return
