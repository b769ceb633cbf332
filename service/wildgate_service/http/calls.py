"""The RPCs as connectrpc wants them: received, answered and refused by the same code as gRPC's, in the same event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from connectrpc.interceptor import MetadataInterceptor
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import ConnectASGIApplication, Endpoint
from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from msgspec.structs import replace

from wildgate_service.auth import CALLER
from wildgate_service.http.errors import RefusedError, retry_headers
from wildgate_service.http.messages import Answer, Binary, Json, JsonText, to_bytes
from wildgate_service.reception import NO_KEY, Reception
from wildgate_service.status import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from connectrpc._server_shared import EndpointUnary
    from google.protobuf.message import Message

    from wildgate_service.rpc import Caller, Rpc

Context = RequestContext[bytes, Answer]


class Calls(ConnectASGIApplication[None]):
    """Answers calls whose path is an RPC's. `most_bytes` is the largest message, packed or not; `without_key` are paths that need none."""

    def __init__(self, reception: Reception, rpcs: Sequence[Rpc], most_bytes: int, without_key: Iterable[str] = ()) -> None:
        self._reception = reception
        endpoints = {rpc.path: self._endpoint(rpc) for rpc in rpcs}
        super().__init__(
            service=None,
            endpoints=lambda _: endpoints,
            interceptors=[_Door(reception, frozenset(without_key))],
            read_max_bytes=most_bytes,
            codecs=[Json(), Binary()],
        )

    @property
    def path(self) -> str:
        """As connectrpc asks for it: RPCs of several services are served, so it is the root."""
        return "/"

    def _endpoint(self, rpc: Rpc) -> EndpointUnary[bytes, Answer]:
        method = descriptor_pool.Default().FindServiceByName(rpc.service).methods_by_name[rpc.name]
        request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        # Reading is by the request's class, what is read are bytes: `messages`.
        info: MethodInfo[bytes, Answer] = MethodInfo(
            name=rpc.name,
            service_name=rpc.service,
            input=request,  # type: ignore[arg-type]
            output=Answer,
            idempotency_level=IdempotencyLevel.UNKNOWN,
            stream_type=StreamType.UNARY,
        )
        return Endpoint.unary(info, self._handler(rpc, _of_json(rpc, request), response))

    def _handler(self, rpc: Rpc, of_json: Rpc, response: type[Message]) -> Callable[[bytes, Context], Awaitable[Answer]]:
        async def handle(payload: bytes, context: Context) -> Answer:
            left = None if context.timeout_ms is None else context.timeout_ms / 1000
            called = of_json if isinstance(payload, JsonText) else rpc
            answered = await self._reception.answer(called, payload, CALLER.get(), left, context.request_headers.items)
            if isinstance(answered, Refusal):
                _refuse(context, answered)
            return Answer(response, answered)

        return handle


class _Door(MetadataInterceptor[None]):
    """Lets in who may call, before a byte of the message is decoded."""

    def __init__(self, reception: Reception, without_key: frozenset[str]) -> None:
        self._reception = reception
        self._without_key = without_key

    async def on_start(self, ctx: Context) -> None:
        """As connectrpc asks for it."""
        path = f"/{ctx.method.service_name}/{ctx.method.name}"
        if path in self._without_key:
            return
        received = self._reception.receive(path, ctx.request_headers.items())
        if not isinstance(received, Refusal):
            CALLER.set(received)  # for the handler, which runs in the same task
        elif received.reason is NO_KEY.reason:
            _refuse(ctx, self._reception.without_key(_peer(ctx.client_address)))
        else:
            _refuse(ctx, received)


def _of_json(rpc: Rpc, request: type[Message]) -> Rpc:
    """The same RPC of a request that is still JSON: what is wrong with it is refused, counted and logged as that of any other."""

    async def answer(payload: bytes, caller: Caller) -> bytes:
        return await rpc.answer(to_bytes(payload, request), caller)

    return replace(rpc, answer=answer)


def _refuse(context: Context, refusal: Refusal) -> NoReturn:
    """Raise RefusedError."""
    context.response_headers.update(retry_headers(refusal))
    raise RefusedError(refusal)


def _peer(address: str | None) -> str:
    """As gRPC names a peer, from "HOST:PORT"."""
    host, _, port = (address or "").rpartition(":")
    return f"ipv6:%5B{host}%5D:{port}" if ":" in host else f"ipv4:{host}:{port}"
