"""The gRPC server of one worker: the RPCs on grpc.aio, health and reflection beside them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2
from msgspec.structs import replace

from wildgate_service.auth import CALLER, Doorkeeper
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
REFLECTION = f"/{reflection.SERVICE_NAME}/ServerReflectionInfo"
REFUSING = refusing(overloaded())


class Server:
    """Serves the RPCs at an address shared with the other workers."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc], address: str) -> None:
        self._serving = serving
        self._services = sorted({rpc.service for rpc in rpcs})
        self._idle = asyncio.Event()
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(options=_options(serving.settings))
        self._add(rpcs)
        _listen(self._server, address, serving.settings)

    def _add(self, rpcs: Sequence[Rpc]) -> None:
        handlers: dict[str, Handler] = {rpc.path: grpc.unary_unary_rpc_method_handler(self._handler(rpc)) for rpc in rpcs}
        if self._serving.settings.reflection:
            handlers[REFLECTION] = _reflection((*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME))
        scoring = frozenset(rpc.path for rpc in rpcs if rpc.scores)
        methods = _Methods(handlers, scoring, self._serving.admission, Doorkeeper(self._serving, rpcs))
        self._server.add_generic_rpc_handlers((methods,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

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


def _reflection(services: Sequence[str]) -> Handler:
    """Made here and not by grpc_reflection, which would put it where calls need no key."""
    return grpc.stream_stream_rpc_method_handler(
        reflection.aio.ReflectionServicer(services).ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )


class _Methods(grpc.GenericRpcHandler):
    """Finds the handler of a call. Who may not call, or would wait for too long to be scored, is refused before the message is read."""

    def __init__(self, handlers: dict[str, Handler], scoring: frozenset[str], admission: Admission, door: Doorkeeper) -> None:
        self._handlers = handlers
        self._scoring = scoring
        self._admission = admission
        self._door = door

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """As gRPC asks for it; None for those of health, which need no key, and those that nobody has."""
        refusal = self._door.refusal(handler_call_details)
        if refusal:
            return refusing(refusal)
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
        # The SDK asks whether anybody is there when a call misses its deadline; three such questions would end its connection.
        ("grpc.http2.max_ping_strikes", 0),
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
