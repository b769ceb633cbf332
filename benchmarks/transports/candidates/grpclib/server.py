"""On grpclib, gRPC in Python over the package h2."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import grpclib.server
from calls import Calls, refuse_tls
from grpclib.config import Configuration
from grpclib.const import Cardinality, Handler, Status
from grpclib.encoding.base import CodecBase
from grpclib.encoding.proto import ProtoStatusDetailsCodec
from grpclib.exceptions import GRPCError
from grpclib.health.check import ServiceStatus
from grpclib.health.service import Health
from grpclib.reflection.service import ServerReflection
from wildgate_service.refusing import PUSHBACK
from wildgate_service.rpc import Rpc, Serving
from wildgate_service.status import Refusal, to_status

Stream = grpclib.server.Stream[Any, Any]


class Server:
    """Serves the RPCs at an address shared with the other workers."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc], address: str) -> None:
        refuse_tls(serving.settings, "grpclib")
        self._calls = Calls(serving)
        self._address = address
        self._limit = serving.settings.max_message_bytes
        self._health = ServiceStatus()
        services = [
            _Methods({rpc.path: self._handler(rpc) for rpc in rpcs if rpc.service == name}) for name in {rpc.service for rpc in rpcs}
        ]
        served: list[Any] = [*services, Health({service: [self._health] for service in services})]
        if serving.settings.reflection:
            served = ServerReflection.extend(served)
        self._server = grpclib.server.Server(served, codec=_Codec(), status_details_codec=ProtoStatusDetailsCodec(), config=Configuration())

    def _handler(self, rpc: Rpc) -> Handler:
        async def handle(stream: Stream) -> None:
            metadata = [(key, value) for key, value in (stream.metadata or {}).items()]
            seconds = stream.deadline.time_remaining() if stream.deadline else None
            try:
                caller = self._calls.admit(rpc, metadata, seconds)
                payload = await stream.recv_message()
                if len(payload or b"") > self._limit:
                    raise GRPCError(Status.RESOURCE_EXHAUSTED, "Received message larger than max")
                answer = await self._calls.answer(rpc, payload or b"", caller)
            except Refusal as refusal:
                await _refuse(stream, refusal)
            else:
                await stream.send_message(answer)

        return Handler(handle, Cardinality.UNARY_UNARY, bytes, bytes)

    async def start(self) -> None:
        """Listen; from the first answer on health says SERVING."""
        self._health.set(True)
        host, _, port = self._address.rpartition(":")
        await self._server.start(host.strip("[]"), int(port), reuse_port=True)

    async def drain(self, seconds: float) -> None:
        """Take no more calls, let those in flight finish within `seconds`, and end."""
        self._health.set(False)
        await self._calls.drain(seconds)
        self._server.close()
        await asyncio.wait([asyncio.ensure_future(self._server.wait_closed())], timeout=seconds)


class _Methods:
    def __init__(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers

    def __mapping__(self) -> dict[str, Handler]:
        return self._handlers


class _Codec(CodecBase):
    """Leaves bytes as they are, and turns messages into them."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:  # noqa: ANN401
        """As grpclib asks for it."""
        del message_type
        return message if isinstance(message, bytes) else message.SerializeToString()

    def decode(self, data: bytes, message_type: Any) -> Any:  # noqa: ANN401
        """As grpclib asks for it."""
        return data if message_type is bytes else message_type.FromString(data)


async def _refuse(stream: Stream, refusal: Refusal) -> None:
    metadata = {} if refusal.pushback_ms is None else {PUSHBACK: str(refusal.pushback_ms)}
    details = list(to_status(refusal).details)
    await stream.send_trailing_metadata(
        status=Status(refusal.code), status_message=refusal.message, status_details=details, metadata=metadata
    )
