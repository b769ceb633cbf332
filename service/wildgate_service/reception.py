"""What a call goes through on every transport before and after its RPC: who calls, whether there is room, what is seen of it, its error.

No gRPC and no HTTP: `server` and `http` bring calls here, and carry away what is answered.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wildgate_service.auth import Doorkeeper
from wildgate_service.limiting.attempts import MINUTE_SECONDS
from wildgate_service.monitoring.calls import CANCELED, GRPC, OK, OTHER_RPC
from wildgate_service.rpc import Caller, Rpc, Serving, refuse
from wildgate_service.status import Reason, Refusal, overloaded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.auth import Headers
    from wildgate_service.monitoring.calls import Metadata, Protocol

OVERLOADED = overloaded()
NO_KEY = Refusal(Reason.API_KEY_INVALID)
TOO_MANY_ATTEMPTS = Refusal(Reason.TOO_MANY_ATTEMPTS, pushback_ms=MINUTE_SECONDS * 1000)


class Reception:
    """Receives the calls of one worker that come over one protocol."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc], protocol: Protocol = GRPC) -> None:
        self._serving = serving
        self._observer = serving.observer
        self._protocol = protocol
        self._door = Doorkeeper(serving, rpcs)
        self._charged = {rpc.path: rpc.charged for rpc in rpcs if rpc.scores}
        self._names = {rpc.path: rpc.name for rpc in rpcs}

    # --- before the message is read --------------------------------------------------------------

    def receive(self, path: str, headers: Headers) -> Caller | Refusal:
        """Who calls, or why the call is not read: its key, the service's room, its tenant's limit. `path` is the RPC's, known or not."""
        found = self._door.admit(path, headers)
        if isinstance(found, Refusal):
            return self._refused(path, found)
        over = self._over(path, found)
        return found if over is None else self._refused(path, over)

    def without_key(self, peer: str) -> Refusal:
        """What a call with a bad key is told, which is counted by the address in gRPC's name of its peer."""
        return TOO_MANY_ATTEMPTS if self._serving.attempts.over(peer) else NO_KEY

    def _over(self, path: str, caller: Caller) -> Refusal | None:
        """Why a call to score has no room: the service's, or its tenant's."""
        listings = self._charged.get(path)
        if listings is None:
            return None
        if not self._serving.admission.open:
            return OVERLOADED
        limiter = self._serving.limiter
        return limiter.refusal(caller.tenant, listings) if limiter else None

    def _refused(self, path: str, refusal: Refusal) -> Refusal:
        if self._observer:
            self._observer.refused(self._names.get(path, OTHER_RPC), refusal, self._protocol)
        return refusal

    def unknown(self) -> None:
        """Somebody called what there is not."""
        if self._observer:
            self._observer.unknown(self._protocol)

    # --- the message -----------------------------------------------------------------------------

    async def answer(self, rpc: Rpc, payload: bytes, caller: Caller, seconds: float | None, metadata: Metadata) -> bytes | Refusal:
        """Answer a message, or say why not. `seconds` are what is left before the deadline."""
        serving, observer = self._serving, self._observer
        call = observer.begin(rpc.name, rpc.path, metadata, self._protocol) if observer else None
        if call:
            call.tenant = caller.tenant
        if call or seconds is not None:
            caller = replace(caller, deadline=None if seconds is None else time.monotonic() + seconds, call=call)
        code, refusal = CANCELED, None
        serving.in_flight += 1
        try:
            self._check_busy()
            response = await rpc.answer(payload, caller)
        except Exception as error:  # noqa: BLE001  (whatever it is, the caller gets a status)
            refusal = refuse(error, "rpc_failed", call)
            return refusal
        else:
            code = OK
            return response
        finally:
            serving.leave()
            if observer and call:
                observer.end(call, code, refusal)

    def _check_busy(self) -> None:
        """Raise Refusal for a call, counted already, that is not taken on."""
        if self._serving.draining:
            raise Refusal(Reason.DRAINING)
        if self._serving.in_flight > self._serving.settings.max_in_flight:
            raise overloaded()
