"""On connectrpc, which speaks gRPC as an ASGI application, over h2corn. Health and reflection are those of `asgi`."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import asgi
from connectrpc._codec import Codec
from connectrpc.code import Code
from connectrpc.errors import ConnectError, ErrorDetail
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import ConnectASGIApplication, Endpoint
from protobuf.wkt import Any as Packed
from wildgate_service.refusing import PUSHBACK
from wildgate_service.rpc import Rpc, Serving
from wildgate_service.status import Refusal, to_status

Context = RequestContext[bytes, bytes]
CODES = (  # gRPC's, from 1 on
    Code.CANCELED,
    Code.UNKNOWN,
    Code.INVALID_ARGUMENT,
    Code.DEADLINE_EXCEEDED,
    Code.NOT_FOUND,
    Code.ALREADY_EXISTS,
    Code.PERMISSION_DENIED,
    Code.RESOURCE_EXHAUSTED,
    Code.FAILED_PRECONDITION,
    Code.ABORTED,
    Code.OUT_OF_RANGE,
    Code.UNIMPLEMENTED,
    Code.INTERNAL,
    Code.UNAVAILABLE,
    Code.DATA_LOSS,
    Code.UNAUTHENTICATED,
)


class Application(asgi.Application):
    """Leaves the RPCs to connectrpc."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc]) -> None:
        super().__init__(serving, rpcs)
        endpoints = {rpc.path: self._endpoint(rpc) for rpc in rpcs}
        self._connect = _Connect(endpoints, serving.settings.max_message_bytes)

    async def __call__(self, scope: asgi.Event, receive: asgi.Receive, send: asgi.Send) -> None:
        """As ASGI asks for it."""
        if scope["path"] in self._rpcs:
            with suppress(ConnectError):
                await self._connect(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def _endpoint(self, rpc: Rpc) -> Endpoint[bytes, bytes]:
        method = MethodInfo(
            name=rpc.name,
            service_name=rpc.service,
            input=bytes,
            output=bytes,
            idempotency_level=IdempotencyLevel.UNKNOWN,
            stream_type=StreamType.UNARY,
        )
        return Endpoint.unary(method, self._handler(rpc))

    def _handler(self, rpc: Rpc) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def handle(payload: bytes, context: Context) -> bytes:
            left = context.timeout_ms
            try:
                caller = self.calls.admit(rpc, context.request_headers.allitems(), None if left is None else left / 1e3)
                return await self.calls.answer(rpc, payload, caller)
            except Refusal as refusal:
                if refusal.pushback_ms is not None:
                    context.response_trailers[PUSHBACK] = str(refusal.pushback_ms)
                raise _error(refusal) from None

        return handle


class _Connect(ConnectASGIApplication[None]):
    path = ""

    def __init__(self, endpoints: Mapping[str, Endpoint[bytes, bytes]], limit: int) -> None:
        super().__init__(service=None, endpoints=lambda _: endpoints, read_max_bytes=limit, codecs=[_Bytes()])


class _Bytes(Codec[bytes, bytes]):
    """Leaves messages as they are."""

    def name(self) -> str:
        """Of the content type."""
        return "proto"

    def encode(self, message: bytes) -> bytes:
        """As connectrpc asks for it."""
        return message

    def decode(self, data: bytes | bytearray, message_class: type[bytes]) -> bytes:
        """As connectrpc asks for it."""
        del message_class
        return bytes(data)


def _error(refusal: Refusal) -> ConnectError:
    details = [ErrorDetail(Packed(type_url=each.type_url, value=each.value)) for each in to_status(refusal).details]
    return ConnectError(CODES[refusal.code - 1], refusal.message, details=details)


def _h2corn() -> type:
    """The server on h2corn, which is loaded from beside this one."""
    path = Path(__file__).parents[1] / "h2corn" / "server.py"
    spec = importlib.util.spec_from_file_location("wildgate_service_on_h2corn", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: type = module.Server
    return found


class Server(_h2corn()):  # type: ignore[misc]
    """Serves the RPCs at an address shared with the other workers."""

    application = Application
