"""On grpcio's server with threads, each of which waits for an answer from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any

import grpc
from calls import Calls
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from wildgate_service.refusing import CODES, _trailing
from wildgate_service.rpc import Rpc, Serving
from wildgate_service.settings import Settings
from wildgate_service.status import Refusal

THREADS = 64
NO_DEADLINE = 10**9  # seconds
Context = grpc.ServicerContext


class Server:
    """Serves the RPCs at an address shared with the other workers."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc], address: str) -> None:
        self._calls = Calls(serving)
        self._loop = asyncio.get_running_loop()
        self._services = sorted({rpc.service for rpc in rpcs})
        self._health = health.HealthServicer()
        self._server = grpc.server(ThreadPoolExecutor(THREADS), options=_options(serving.settings))
        handlers = {rpc.path: grpc.unary_unary_rpc_method_handler(self._handler(rpc)) for rpc in rpcs}
        self._server.add_generic_rpc_handlers((_Methods(handlers),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if serving.settings.reflection:
            reflection.enable_server_reflection((*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        _listen(self._server, address, serving.settings)

    def _handler(self, rpc: Rpc) -> Callable[[bytes, Context], bytes]:
        async def answer(payload: bytes, metadata: Iterable[tuple[str, str | bytes]], seconds: float | None) -> bytes:
            return await self._calls.answer(rpc, payload, self._calls.admit(rpc, metadata, seconds))

        def handle(payload: bytes, context: Context) -> bytes:
            left = context.time_remaining()
            seconds = None if left is None or left > NO_DEADLINE else left
            future = asyncio.run_coroutine_threadsafe(answer(payload, context.invocation_metadata(), seconds), self._loop)
            context.add_callback(future.cancel)
            return _result(future, context)

        return handle

    async def start(self) -> None:
        """Listen; from the first answer on health says SERVING."""
        for name in ("", *self._services):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._server.start()

    async def drain(self, seconds: float) -> None:
        """Take no more calls, let those in flight finish within `seconds`, and end."""
        self._health.enter_graceful_shutdown()
        stopped = self._server.stop(seconds)
        await self._calls.drain(seconds)
        await asyncio.to_thread(self._server.stop(0.5).wait)
        await asyncio.to_thread(stopped.wait)


class _Methods(grpc.GenericRpcHandler):
    def __init__(self, handlers: dict[str, grpc.RpcMethodHandler[Any, Any]]) -> None:
        self._handlers = handlers

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """As gRPC asks for it."""
        return self._handlers.get(handler_call_details.method)


def _result(future: Future[bytes], context: Context) -> bytes:
    try:
        return future.result()
    except Refusal as refusal:
        context.set_trailing_metadata(_trailing(refusal))
        context.abort(CODES[refusal.code], refusal.message)
    except CancelledError:
        context.abort(grpc.StatusCode.CANCELLED, "the client has gone")
    raise AssertionError  # context.abort always raises


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [("grpc.so_reuseport", 1), ("grpc.max_receive_message_length", settings.max_message_bytes)]


def _listen(server: grpc.Server, address: str, settings: Settings) -> None:
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
