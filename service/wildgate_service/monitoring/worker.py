"""What a worker shows: its calls, and how it fares while it answers them."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING

from wildgate_service.monitoring.calls import Observer
from wildgate_service.monitoring.health import PHASE, Phase, store_is_usable
from wildgate_service.monitoring.tally import PUBLISH_SECONDS, Tally
from wildgate_service.monitoring.traces import start_tracing

if TYPE_CHECKING:
    from wildgate_service.monitoring.board import Board
    from wildgate_service.rpc import Serving
    from wildgate_service.settings import Settings

SERVICE_VERSION = version("wildgate-service")
FLUSH_SECONDS = 1.0  # that traces which were not sent may hold up the end


class WorkerMonitor:
    """A worker's numbers and traces. Without any, `observer` still knows which call a defect ended."""

    def __init__(self, name: str, settings: Settings, board: Board) -> None:
        self._name = name
        self._writer = board.writer if settings.recording else None
        self._tally = Tally(name, board.workers[name])
        self._tracing = start_tracing(settings, name)
        counted = self._tally if settings.metrics_port is not None else None
        self.observer = Observer(counted, self._tracing, settings.log_calls)

    def store_usable(self) -> bool:
        """Whether what is recorded can be."""
        return self._writer is None or store_is_usable(self._writer)

    async def keep_showing(self, serving: Serving) -> None:
        """Show the numbers once a second, for ever."""
        while True:
            self._show(serving)
            await asyncio.sleep(PUBLISH_SECONDS)

    async def end(self, serving: Serving) -> None:
        """Show the last numbers, and send the last traces."""
        self._show(serving)
        if self._tracing:
            await self._tracing.end(FLUSH_SECONDS)

    def _show(self, serving: Serving) -> None:
        tally, own = self._tally, (self._name,)
        tally.states[PHASE] = Phase.DRAINING if serving.draining else Phase.SERVING
        tally.gauge("wildgate_calls_in_flight")[own] = serving.in_flight
        tally.gauge("wildgate_listings_held")[own] = serving.admission.held
        tally.gauge("wildgate_event_loop_lag_seconds")[own] = max(serving.admission.lag, 0.0)
        tally.gauge("wildgate_records_waiting")[own] = serving.writer.waiting if serving.writer else 0
        versions = serving.engine.versions
        served = tally.gauge("wildgate_versions")
        served.clear()
        served[(versions.lexicon, versions.model, versions.policy, SERVICE_VERSION)] = 1
        self.observer.show()
        tally.publish()
