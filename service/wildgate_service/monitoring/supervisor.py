"""What the supervisor shows: the phase of the service, its processes, reloads and certificate; and the process that answers scrapers."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import structlog
from cryptography.x509 import load_pem_x509_certificate

from wildgate_service.monitoring.board import Board
from wildgate_service.monitoring.exporter import run_exporter
from wildgate_service.monitoring.health import PHASE, Phase
from wildgate_service.monitoring.tally import PUBLISH_SECONDS, Tally
from wildgate_service.port import reserve_alone, resolve
from wildgate_service.process import DEATHS, Child, keep

if TYPE_CHECKING:
    from pathlib import Path

    from wildgate_service.settings import Settings

log = structlog.get_logger()

LISTEN_BACKLOG = 64
GRACE_SECONDS = 1.0
CERTIFICATE_SECONDS = 30.0  # between two looks at the file


class ServiceMonitor:
    """The board of a service, and the supervisor's part of it. `sockets` are the supervisor's own, which no child may keep."""

    def __init__(self, settings: Settings, sockets: set[socket.socket]) -> None:
        self.board = Board(settings.worker_count)
        self._settings = settings
        self._sockets = sockets
        self._tally = Tally("supervisor", self.board.supervisor)
        self._reloads = self._tally.counter("wildgate_reloads_total")
        self._deaths = self._tally.counter("wildgate_process_deaths_total")
        self._tally.gauge("wildgate_workers_wanted")[()] = settings.worker_count
        self._tally.gauge("wildgate_start_time_seconds")[()] = time.time()
        self._certificate_seen = 0.0
        self._child: Child | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._phase(Phase.STARTING)

    def listen(self) -> None:
        """Take the port of metrics, if there is to be one. Raises SettingsError if it is taken."""
        if self._settings.metrics_port is None:
            return
        self._listener, address = reserve_alone(resolve(self._settings.metrics_host, self._settings.metrics_port))
        self._listener.listen(LISTEN_BACKLOG)
        self._listener.setblocking(False)
        self._sockets.add(self._listener)
        log.info("metrics_serving", address=str(address))

    def start(self) -> None:
        """Show the numbers from now on, and keep a process that answers scrapers."""
        self._tasks.append(asyncio.create_task(self._keep_showing()))
        if self._settings.metrics_port is not None:
            self._tasks.append(asyncio.create_task(keep(self._fork, "metrics", Child.wait)))

    def serving(self) -> None:
        """All workers serve."""
        self._phase(Phase.SERVING)

    def draining(self) -> None:
        """The service is about to end."""
        self._phase(Phase.DRAINING)

    async def stop(self) -> None:
        """End the process that answers scrapers, after all others."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._child:
            await self._child.stop(GRACE_SECONDS)
            self._sockets.discard(self._listener)
            self._listener.close()

    def reloaded(self, result: str) -> None:
        """Count a reload: served, partial or refused."""
        self._reloads[(result,)] += 1
        self._tally.gauge("wildgate_reload_broken")[()] = float(result == "refused")
        self._tally.publish()

    def mended(self) -> None:
        """What is on disk can be served again."""
        self._tally.gauge("wildgate_reload_broken")[()] = 0.0

    def _phase(self, phase: Phase) -> None:
        self._tally.states[PHASE] = phase
        self._tally.publish()

    def _fork(self) -> Child:
        run = partial(run_exporter, recording=self._settings.recording)
        self._child = Child.fork("metrics", run, self._listener, self.board, close=self._sockets - {self._listener})
        return self._child

    async def _keep_showing(self) -> None:
        while True:
            self._deaths.update({(kind,): float(count) for kind, count in DEATHS.items()})
            self._look_at_certificate()
            self._tally.publish()
            await asyncio.sleep(PUBLISH_SECONDS)

    def _look_at_certificate(self) -> None:
        file = self._settings.tls_certificate
        if file is None or time.monotonic() - self._certificate_seen < CERTIFICATE_SECONDS:
            return
        self._certificate_seen = time.monotonic()
        with suppress(OSError, ValueError):  # a file in the midst of being replaced: the next look tells
            self._tally.gauge("wildgate_certificate_expiry_timestamp_seconds")[()] = certificate_expiry(file)


def certificate_expiry(file: Path) -> float:
    """When the first certificate of a PEM file ends, in Unix time. Raises OSError or ValueError."""
    return load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc.timestamp()
