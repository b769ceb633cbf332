"""What a call goes through on every transport before and after its RPC: who calls, whether there is room, what an error becomes."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable
from contextlib import suppress

from msgspec.structs import replace
from wildgate_service.auth import ANONYMOUS, admit, presented_key
from wildgate_service.errors import SettingsError
from wildgate_service.rpc import Caller, Rpc, Serving, refuse
from wildgate_service.settings import Settings
from wildgate_service.status import Reason, Refusal, overloaded

BACKLOG = 4096
Metadata = Iterable[tuple[str, str | bytes]]


class Calls:
    """The calls of one worker."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._idle = asyncio.Event()

    def admit(self, rpc: Rpc, metadata: Metadata, seconds: float | None) -> Caller:
        """Find who calls; `seconds` are what is left before the deadline. Raises Refusal, before the message is read."""
        serving = self._serving
        caller = self.authenticate(rpc.scope, metadata)
        if serving.draining:
            raise Refusal(Reason.DRAINING)
        if serving.in_flight >= serving.settings.max_in_flight or (rpc.scores and not serving.admission.open):
            raise overloaded()
        return caller if seconds is None else replace(caller, deadline=time.monotonic() + seconds)

    def authenticate(self, scope: str | None, metadata: Metadata) -> Caller:
        """Find who calls by the API key, if one is needed. Raises Refusal."""
        keys = self._serving.keys
        return ANONYMOUS if keys is None else admit(keys, presented_key(metadata), scope)

    async def answer(self, rpc: Rpc, payload: bytes, caller: Caller) -> bytes:
        """Answer a message. Raises Refusal, and nothing else."""
        serving = self._serving
        serving.in_flight += 1
        try:
            return await rpc.answer(payload, caller)
        except Exception as error:
            raise refuse(error, "rpc_failed") from error
        finally:
            serving.in_flight -= 1
            if serving.draining and not serving.in_flight:
                self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Refuse new calls, and wait up to `seconds` for those in flight."""
        self._serving.draining = True
        if self._serving.in_flight:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), seconds)


def refuse_tls(settings: Settings, transport: str) -> None:
    """Raise SettingsError where a transport cannot do what the settings ask for."""
    if settings.tls_certificate:
        raise SettingsError(f"setting tls_certificate: the transport {transport} has no TLS; put a proxy before it or serve on grpc_aio")


def listen(address: str) -> socket.socket:
    """Listen at an address shared with the other workers."""
    host, _, port = address.rpartition(":")
    listener = socket.socket(socket.AF_INET6 if host.startswith("[") else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host.strip("[]"), int(port)))
    listener.listen(BACKLOG)
    return listener


def stop_listening(listener: socket.socket) -> None:
    """Leave new connections to the other workers at once; closed alone, a copy of it in the server would go on gathering them."""
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
