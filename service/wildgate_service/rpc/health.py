"""grpc.health.v1 for transports that have no health of their own: whether calls are answered now. Needs no key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grpc_health.v1 import health_pb2

from wildgate_service.rpc import Caller, Rpc, Serving, parse, services_of

if TYPE_CHECKING:
    from collections.abc import Sequence

HEALTH = "grpc.health.v1.Health"
Status = health_pb2.HealthCheckResponse


class Health:
    """Answers `Check`."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc]) -> None:
        self._serving = serving
        self._services = services_of(rpcs)
        self._recording = {rpc.service for rpc in rpcs if rpc.records}

    async def check(self, payload: bytes, caller: Caller) -> bytes:
        """Say of a service, or of the whole for "", whether it serves; SERVICE_UNKNOWN for one that there is not."""
        del caller
        name = parse(health_pb2.HealthCheckRequest, payload).service
        return bytes(Status(status=self._status(name)).SerializeToString())

    @property
    def serving(self) -> bool:
        """Of the whole."""
        return self._status("") == Status.SERVING

    def _status(self, name: str) -> int:
        """Without the store the services that record are out, and so is the whole; others go on."""
        if name and name not in self._services:
            return int(Status.SERVICE_UNKNOWN)
        usable = self._serving.store_usable() or (name and name not in self._recording)
        return int(Status.SERVING if usable and not self._serving.draining else Status.NOT_SERVING)
