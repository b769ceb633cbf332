"""On pygrpc-native, which is grpc.aio's interface over HTTP/2 in Rust."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

import grpc
import pygrpc_native.aio
from calls import Calls, refuse_tls
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from msgspec.structs import replace
from wildgate_service.auth import CALLER, KeyInterceptor
from wildgate_service.refusing import CODES, STATUS_DETAILS
from wildgate_service.rpc import Caller, Rpc, Serving
from wildgate_service.settings import Settings
from wildgate_service.status import Reason, Refusal, overloaded, to_status

Context = grpc.aio.ServicerContext[bytes, bytes]
NO_DEADLINE = 10**9  # seconds; it says so where there is none


class Server:
    """Serves the RPCs at an address shared with the other workers."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc], address: str) -> None:
        refuse_tls(serving.settings, "pygrpc_native")
        self._serving = serving
        self._calls = Calls(serving)
        self._services = sorted({rpc.service for rpc in rpcs})
        self._health = health.aio.HealthServicer()
        self._server = pygrpc_native.aio.server(interceptors=[KeyInterceptor(serving, rpcs)], options=_options(serving.settings))
        for service in self._services:
            handlers = {rpc.name: grpc.unary_unary_rpc_method_handler(self._handler(rpc)) for rpc in rpcs if rpc.service == service}
            self._server.add_registered_method_handlers(service, handlers)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if serving.settings.reflection:
            reflection.enable_server_reflection((*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self._server.add_insecure_port(address)

    def _handler(self, rpc: Rpc) -> Callable[[bytes, Context], Awaitable[bytes]]:
        serving = self._serving

        async def handle(payload: bytes, context: Context) -> bytes:
            if serving.draining:
                await _abort(context, Refusal(Reason.DRAINING))
            if serving.in_flight >= serving.settings.max_in_flight or (rpc.scores and not serving.admission.open):
                await _abort(context, overloaded())
            try:
                return await self._calls.answer(rpc, payload, _caller(context))
            except Refusal as refused:
                refusal = refused
            return await _abort(context, refusal)

        return handle

    async def start(self) -> None:
        """Listen; from the first answer on health says SERVING."""
        for name in ("", *self._services):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        await self._server.start()

    async def drain(self, seconds: float) -> None:
        """Take no more calls, let those in flight finish within `seconds`, and end."""
        await self._health.enter_graceful_shutdown()
        await self._calls.drain(seconds)
        await self._server.stop(0.5)


async def _abort(context: Context, refusal: Refusal) -> NoReturn:
    """End the call, without the pushback: it takes no key that begins with "grpc-" but the details, and would not answer at all."""
    await context.abort(CODES[refusal.code], refusal.message, ((STATUS_DETAILS, to_status(refusal).SerializeToString()),))
    raise AssertionError  # context.abort always raises


def _caller(context: Context) -> Caller:
    seconds = context.time_remaining()
    caller = CALLER.get()
    return caller if seconds is None or seconds > NO_DEADLINE else replace(caller, deadline=time.monotonic() + seconds)


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 1),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_concurrent_streams", 2**31 - 1),
    ]
