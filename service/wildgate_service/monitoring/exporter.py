"""The process that answers scrapers and probes, so that a slow or hostile one is nobody else's trouble."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import msgspec

from wildgate_service.monitoring.exposition import render
from wildgate_service.monitoring.health import is_alive, not_ready
from wildgate_service.monitoring.http import HttpServer, Response

if TYPE_CHECKING:
    import socket

    from wildgate_service.monitoring.board import Board

NICENESS = 5  # calls go first
KEPT_SECONDS = 0.5  # for which a page is shown again: more scrapers, or a flood of them, cost no more
JSON = "application/json"


def run_exporter(listener: socket.socket, board: Board, *, recording: bool) -> None:
    """Be the process: answer until SIGTERM."""
    os.nice(NICENESS)
    asyncio.run(HttpServer(Exporter(board, recording=recording).answer).serve(listener))


class Exporter:
    """Answers /metrics, /readyz and /livez from a board."""

    def __init__(self, board: Board, *, recording: bool) -> None:
        self._board = board
        self._recording = recording
        self._pages: dict[str, tuple[float, Response]] = {}

    def answer(self, path: str, accept: str) -> Response:
        """Answer a GET."""
        if path == "/metrics":
            return self._metrics("openmetrics" if "application/openmetrics-text" in accept else "text", accept)
        if path == "/readyz":
            why = not_ready(self._board, recording=self._recording)
            return _said({"ready": not why, "why": why}, good=not why)
        if path == "/livez":
            alive = is_alive(self._board)
            return _said({"alive": alive}, good=alive)
        return Response(404, b"there are /metrics, /readyz and /livez\n")

    def _metrics(self, kind: str, accept: str) -> Response:
        made, page = self._pages.get(kind, (0.0, None))
        now = time.monotonic()
        if page is None or now - made > KEPT_SECONDS:
            page = Response(200, *render(self._board, accept, recording=self._recording))
            self._pages[kind] = (now, page)
        return page


def _said(content: object, *, good: bool) -> Response:
    return Response(200 if good else 503, msgspec.json.encode(content) + b"\n", JSON)
