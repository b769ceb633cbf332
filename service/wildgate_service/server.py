"""The gRPC server of one worker: the RPCs on grpc.aio, health and reflection beside them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from wildgate_service.auth import CALLER, HEALTH
from wildgate_service.reception import NO_KEY, OVERLOADED, TOO_MANY_ATTEMPTS, Reception
from wildgate_service.refusing import abort, refusing, refusing_by_peer
from wildgate_service.rpc import services_of
from wildgate_service.status import Reason, Refusal
from wildgate_service.tls_port import reloading_credentials

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from wildgate_service.rpc import Rpc, Serving
    from wildgate_service.settings import Settings

    Handler = grpc.RpcMethodHandler[Any, Any]
    Context = grpc.aio.ServicerContext[bytes, bytes]

log = structlog.get_logger()

# What calls that were just answered get to leave the socket before streams of health are cut.
FLUSH_SECONDS = 0.5
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
HEALTH_SECONDS = 0.25  # between two looks at what health says
REFLECTION = f"/{reflection.SERVICE_NAME}/ServerReflectionInfo"
REFUSING = refusing(OVERLOADED)


class Server:
    """Serves the RPCs at an address shared with the other workers."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc], address: str) -> None:
        self._serving = serving
        self._reception = Reception(serving, rpcs)
        self._services = services_of(rpcs)
        self._health = health.aio.HealthServicer()
        self._recording = {rpc.service for rpc in rpcs if rpc.records}
        self._telling: asyncio.Task[None] | None = None
        self._server = grpc.aio.server(options=_options(serving.settings))
        self._add(rpcs)
        _listen(self._server, address, serving)

    def _add(self, rpcs: Sequence[Rpc]) -> None:
        handlers: dict[str, Handler] = {rpc.path: grpc.unary_unary_rpc_method_handler(self._handler(rpc)) for rpc in rpcs}
        if self._serving.settings.reflection:
            handlers[REFLECTION] = _reflection((*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME))
        self._server.add_generic_rpc_handlers((_Methods(handlers, self._reception),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    def _handler(self, rpc: Rpc) -> Callable[[bytes, Context], Awaitable[bytes]]:
        answer = self._reception.answer

        async def handle(payload: bytes, context: Context) -> bytes:
            answered = await answer(rpc, payload, CALLER.get(), context.time_remaining(), context.invocation_metadata)
            return await abort(context, answered) if isinstance(answered, Refusal) else answered

        return handle

    async def start(self) -> None:
        """Listen; from the first answer on health says what is so."""
        await self._tell_health(usable=self._serving.store_usable())
        await self._server.start()
        self._telling = asyncio.create_task(self._keep_telling())

    async def _keep_telling(self) -> None:
        """Say, for ever, when the store stops being usable, and when it is again."""
        told = True
        while True:
            usable = self._serving.store_usable()
            if usable is not told:
                await self._tell_health(usable=usable)
                log.warning("health_changed", serving=usable)
            told = usable
            await asyncio.sleep(HEALTH_SECONDS)

    async def _tell_health(self, *, usable: bool) -> None:
        """Without the store the services that record are out, and so is the whole; others go on."""
        for name in ("", *self._services):
            serves = usable or (name and name not in self._recording)
            await self._health.set(name, SERVING if serves else NOT_SERVING)

    async def drain(self, seconds: float) -> None:
        """Take no more calls, let those in flight finish within `seconds`, and end."""
        self._serving.draining = True
        if self._telling:
            self._telling.cancel()
        await self._health.enter_graceful_shutdown()
        stopping = asyncio.create_task(self._server.stop(seconds))
        if self._serving.in_flight:
            idle = asyncio.create_task(self._serving.idle.wait())
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
    """Finds the handler of a call. Who may not call, is over a limit, or would wait for too long, is refused before the message is read."""

    def __init__(self, handlers: dict[str, Handler], reception: Reception) -> None:
        self._handlers = handlers
        self._reception = reception
        self._unknown = refusing_by_peer(reception.without_key, (NO_KEY, TOO_MANY_ATTEMPTS))

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """As gRPC asks for it; None for those of health, which need no key, and those that nobody has."""
        method = handler_call_details.method
        if method.startswith(HEALTH):
            return None
        received = self._reception.receive(method, handler_call_details.invocation_metadata)
        if isinstance(received, Refusal):
            return self._refusing(received)
        CALLER.set(received)  # for the handler, which runs in the same task
        handler = self._handlers.get(method)
        if handler is None:
            self._reception.unknown()
        return handler

    def _refusing(self, refusal: Refusal) -> Handler:
        if refusal.reason is Reason.API_KEY_INVALID:
            return self._unknown
        return REFUSING if refusal is OVERLOADED else refusing(refusal)


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 1),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        # The SDK asks whether anybody is there when a call misses its deadline, which gRPC's own limits (three pings in five minutes) would
        # end its connection for; a flood of pings still does.
        ("grpc.http2.min_ping_interval_without_data_ms", 500),
        ("grpc.http2.max_ping_strikes", 20),
        # A refusal in Python costs a third of an answer, too much under a flood: what nobody will get to, gRPC drops by itself.
        ("grpc.server.max_pending_requests", settings.max_waiting),
        ("grpc.server.max_pending_requests_hard_limit", settings.max_waiting * 3 // 2),
    ]


def _listen(server: grpc.aio.Server, address: str, serving: Serving) -> None:
    if serving.certificates is None:
        server.add_insecure_port(address)
    else:
        server.add_secure_port(address, reloading_credentials(serving.certificates, lambda: serving.certificates))
