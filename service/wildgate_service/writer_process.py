"""The writer process as the supervisor sees it: forked, kept, ended last."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wildgate_service.errors import SettingsError
from wildgate_service.process import Child, keep
from wildgate_service.writer import Recording, run_writer

if TYPE_CHECKING:
    from wildgate_service.monitoring.board import Board
    from wildgate_service.settings import Settings

GRACE_SECONDS = 10.0
LISTEN_BACKLOG = 128


def _bind(listener: socket.socket, path: Path) -> None:
    """Bind a Unix socket, whose path may have some hundred bytes only."""
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise SettingsError(f"cannot make the socket {path}: {error}. Set TMPDIR to a folder with a short path") from error


def _recording(settings: Settings) -> Recording:
    return Recording(
        durability=settings.durability,
        patience=settings.store_patience,
        on_failure=settings.on_store_failure,
        spool=settings.spool_path,
        spool_max_bytes=settings.spool_max_bytes,
    )


class WriterProcess:
    """The writer process; its socket is the supervisor's, and a new process takes it over."""

    def __init__(self, settings: Settings, path: Path, sockets: set[socket.socket], board: Board) -> None:
        self.path = path
        self._board = board
        self._settings = settings
        self._sockets = sockets
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen, and keep a process that answers."""
        if not self._settings.recording:
            return
        self._listener = socket.socket(socket.AF_UNIX)
        _bind(self._listener, self.path)
        self._listener.listen(LISTEN_BACKLOG)
        self._sockets.add(self._listener)
        self._keeper = asyncio.create_task(keep(self._fork, "writer", Child.wait))

    async def stop(self) -> None:
        """Make it write what it has and end; all workers have ended before."""
        if self._keeper is None or self._child is None:
            return
        self._keeper.cancel()
        await self._child.stop(GRACE_SECONDS)
        self._sockets.discard(self._listener)
        self._listener.close()

    def _fork(self) -> Child:
        self._child = Child.fork(
            "writer",
            partial(run_writer, place=self._board.writer),
            self._listener,
            self._settings.store,
            _recording(self._settings),
            close=self._sockets - {self._listener},
        )
        return self._child
