"""The gRPC server of one worker: the RPCs on grpc.aio, health and reflection beside them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from msgspec.structs import replace

from wildgate_service.auth import CALLER, KeyInterceptor
from wildgate_service.refusing import abort, refusing
from wildgate_service.rpc import Caller, refuse
from wildgate_service.status import Reason, Refusal, overloaded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from wildgate_service.admission import Admission
    from wildgate_service.rpc import Rpc, Serving
    from wildgate_service.settings import Settings

    Handler = grpc.RpcMethodHandler[Any, Any]
    Context = grpc.aio.ServicerContext[bytes, bytes]

# What calls that were just answered get to leave the socket before streams of health are cut.
FLUSH_SECONDS = 0.5
REFUSING = refusing(overloaded())


class Server:
    """Serves the RPCs at an address shared with the other workers."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc], address: str) -> None:
        self._serving = serving
        self._services = sorted({rpc.service for rpc in rpcs})
        self._idle = asyncio.Event()
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(interceptors=[KeyInterceptor(serving, rpcs)], options=_options(serving.settings))
        self._add(rpcs)
        _listen(self._server, address, serving.settings)

    def _add(self, rpcs: Sequence[Rpc]) -> None:
        handlers: dict[str, Handler] = {rpc.path: grpc.unary_unary_rpc_method_handler(self._handler(rpc)) for rpc in rpcs}
        scoring = frozenset(rpc.path for rpc in rpcs if rpc.scores)
        self._server.add_generic_rpc_handlers((_Methods(handlers, scoring, self._serving.admission),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if self._serving.settings.reflection:
            names = (*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)

    def _handler(self, rpc: Rpc) -> Callable[[bytes, Context], Awaitable[bytes]]:
        serving, answer = self._serving, rpc.answer
        limit = serving.settings.max_in_flight

        async def handle(payload: bytes, context: Context) -> bytes:
            if serving.draining or serving.in_flight >= limit:
                await abort(context, _busy(serving))
            serving.in_flight += 1
            try:
                return await answer(payload, _caller(context))
            except Exception as error:  # noqa: BLE001  (whatever it is, the caller gets a status)
                refusal = refuse(error, "rpc_failed")
            finally:
                serving.in_flight -= 1
                if serving.draining and not serving.in_flight:
                    self._idle.set()
            return await abort(context, refusal)

        return handle

    async def start(self) -> None:
        """Listen; from the first answer on health says SERVING."""
        for name in ("", *self._services):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        await self._server.start()

    async def drain(self, seconds: float) -> None:
        """Take no more calls, let those in flight finish within `seconds`, and end."""
        self._serving.draining = True
        await self._health.enter_graceful_shutdown()
        stopping = asyncio.create_task(self._server.stop(seconds))
        if self._serving.in_flight:
            idle = asyncio.create_task(self._idle.wait())
            await asyncio.wait({stopping, idle}, return_when=asyncio.FIRST_COMPLETED)
            idle.cancel()
        await self._server.stop(min(seconds, FLUSH_SECONDS))
        await stopping


class _Methods(grpc.GenericRpcHandler):
    """Finds the handler of a call; one to score that would wait for too long is refused before its message is read."""

    def __init__(self, handlers: dict[str, Handler], scoring: frozenset[str], admission: Admission) -> None:
        self._handlers = handlers
        self._scoring = scoring
        self._admission = admission

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """As gRPC asks for it."""
        method = handler_call_details.method
        if method in self._scoring and not self._admission.open:
            return REFUSING
        return self._handlers.get(method)


def _caller(context: Context) -> Caller:
    """Who calls, and until when it waits."""
    seconds = context.time_remaining()
    caller = CALLER.get()
    return caller if seconds is None else replace(caller, deadline=time.monotonic() + seconds)


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 1),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        # A refusal in Python costs a third of an answer, too much under a flood: what nobody will get to, gRPC drops by itself.
        ("grpc.server.max_pending_requests", settings.max_waiting),
        ("grpc.server.max_pending_requests_hard_limit", settings.max_waiting * 3 // 2),
    ]


def _listen(server: grpc.aio.Server, address: str, settings: Settings) -> None:
    if settings.tls_certificate is None or settings.tls_private_key is None:
        server.add_insecure_port(address)
        return
    authorities = settings.tls_client_ca
    credentials = grpc.ssl_server_credentials(
        [(settings.tls_private_key.read_bytes(), settings.tls_certificate.read_bytes())],
        root_certificates=authorities.read_bytes() if authorities else None,
        require_client_auth=authorities is not None,
    )
    server.add_secure_port(address, credentials)


def _busy(serving: Serving) -> Refusal:
    if serving.draining:
        return Refusal(Reason.DRAINING)
    return overloaded()
