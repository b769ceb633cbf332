"""gRPC as an ASGI application, for servers of HTTP/2 that do trailers (extension `http.response.trailers`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

from calls import Calls
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import _async as reflection
from grpc_reflection.v1alpha import reflection_pb2
from grpc_wire import (
    CONTENT_TYPE,
    DEADLINE_EXCEEDED,
    ENCODINGS,
    OK,
    UNIMPLEMENTED,
    Headers,
    Messages,
    WireError,
    pack,
    seconds_of,
    trailers,
    trailers_of,
)
from wildgate_service.rpc import Rpc, Serving
from wildgate_service.status import Refusal

Answer = TypeVar("Answer")
Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Reader = AsyncIterator[bytes]
Stream = Callable[[Reader, "Writer"], Awaitable[None]]

HEADERS: Headers = [(b"content-type", CONTENT_TYPE), (b"grpc-accept-encoding", ENCODINGS)]
START: Event = {"type": "http.response.start", "status": 200, "headers": HEADERS, "trailers": True}
END: Event = {"type": "http.response.trailers", "headers": [OK], "more_trailers": False}
REFLECTION = "grpc.reflection.v1alpha.ServerReflection"


class Application:
    """Answers the RPCs, and health and reflection beside them."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc]) -> None:
        self.calls = Calls(serving)
        self.health = health.aio.HealthServicer()
        self._settings = serving.settings
        self._watchers: set[asyncio.Future[Any]] = set()
        self._rpcs = {rpc.path: rpc for rpc in rpcs}
        self._services = sorted({rpc.service for rpc in rpcs})
        self._streams: dict[str, Stream] = {f"/{health.SERVICE_NAME}/Check": self._check, f"/{health.SERVICE_NAME}/Watch": self._watch}
        if serving.settings.reflection:
            self._reflect = reflection.ReflectionServicer((*self._services, health.SERVICE_NAME, REFLECTION))
            self._streams[f"/{REFLECTION}/ServerReflectionInfo"] = self._reflection

    async def serve_health(self) -> None:
        """From now on health says SERVING."""
        for name in ("", *self._services):
            await self.health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def end_streams(self) -> None:
        """End the streams of health, which would else last as long as their clients."""
        for watching in self._watchers:
            watching.cancel()

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        """As ASGI asks for it."""
        headers = dict(scope["headers"])
        if scope["method"] != "POST" or not headers.get(b"content-type", b"").startswith(CONTENT_TYPE):
            await send({"type": "http.response.start", "status": 415, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        try:
            status = await self._answered(scope["path"], headers, receive, send)
        except Refusal as refusal:
            status = trailers_of(refusal)
        except WireError as error:
            status = trailers(error.code, str(error))
        except TimeoutError:
            status = trailers(DEADLINE_EXCEEDED, "Deadline Exceeded")
        except _GoneError:
            return
        if status:
            await _fail(send, status)

    async def _answered(self, path: str, headers: dict[bytes, bytes], receive: Receive, send: Send) -> Headers:
        """Answer in full, or return the status of a call that is answered without a message."""
        metadata = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.items())
        seconds = seconds_of(headers.get(b"grpc-timeout"))
        messages = Messages(headers.get(b"grpc-encoding", b"identity"), self._settings.max_message_bytes)
        rpc = self._rpcs.get(path)
        async with asyncio.timeout(seconds):
            if rpc is None:
                return await self._streamed(path, metadata, _messages(messages, receive), Writer(send, receive))
            caller = self.calls.admit(rpc, metadata, seconds)
            await _read_all(messages, receive)
            answer = await _while_awaited(self.calls.answer(rpc, messages.only(), caller), receive)
        await send(START)
        await send({"type": "http.response.body", "body": pack(answer), "more_body": False})
        await send(END)
        return []

    async def _streamed(self, path: str, metadata: Iterable[tuple[str, str]], reader: Reader, writer: Writer) -> Headers:
        if path not in self._streams:
            self.calls.authenticate(None, metadata)
            return trailers(UNIMPLEMENTED, "Method not found!")
        if not path.startswith(f"/{health.SERVICE_NAME}/"):
            self.calls.authenticate(None, metadata)
        await self._streams[path](reader, writer)
        await writer.end()
        return []

    # --- health and reflection, which grpcio's packages answer -----------------------------------

    async def _check(self, reader: Reader, writer: Writer) -> None:
        request = health_pb2.HealthCheckRequest.FromString(await anext(reader))
        await writer.write(await self.health.Check(request, writer))

    async def _watch(self, reader: Reader, writer: Writer) -> None:
        request = health_pb2.HealthCheckRequest.FromString(await anext(reader))
        watching = asyncio.ensure_future(self.health.Watch(request, writer))
        self._watchers.add(watching)
        watching.add_done_callback(self._watchers.discard)
        with suppress(asyncio.CancelledError):
            await _while_awaited(watching, writer.receive)

    async def _reflection(self, reader: Reader, writer: Writer) -> None:
        requests = (reflection_pb2.ServerReflectionRequest.FromString(message) async for message in reader)
        async for response in self._reflect.ServerReflectionInfo(requests, writer):
            await writer.write(response)


class Writer:
    """Sends messages one by one; what servicers of grpcio need of a context."""

    def __init__(self, send: Send, receive: Receive) -> None:
        self.receive = receive
        self._send = send
        self._begun = False

    async def write(self, message: Any) -> None:  # noqa: ANN401  (any message)
        """Send a message."""
        if not self._begun:
            self._begun = True
            await self._send(START)
        await self._send({"type": "http.response.body", "body": pack(message.SerializeToString()), "more_body": True})

    async def abort(self, code: Any, details: str = "") -> NoReturn:  # noqa: ANN401  (grpc.StatusCode)
        """End the call with a status."""
        raise WireError(code.value[0], details)

    async def end(self) -> None:
        """Say OK."""
        if not self._begun:
            await self._send(START)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        await self._send(END)


class _GoneError(Exception):
    """The client has gone: nobody is there to be told anything."""


async def _read_all(messages: Messages, receive: Receive) -> None:
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise _GoneError
        messages.feed(event.get("body", b""))
        if not event.get("more_body", False):
            return


async def _messages(messages: Messages, receive: Receive) -> Reader:
    """Messages as they come, to the end of the body."""
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise _GoneError
        messages.feed(event.get("body", b""))
        while (message := messages.next()) is not None:
            yield message
        more = event.get("more_body", False)


async def _while_awaited(answer: Awaitable[Answer], receive: Receive) -> Answer:
    """Wait for an answer, and give it up when the client does. Raises _GoneError."""
    answering = asyncio.current_task()
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        if answering:
            answering.cancel()

    def begin() -> None:
        watches.append(asyncio.create_task(watch()))

    watches: list[asyncio.Task[None]] = []
    beginning = asyncio.get_running_loop().call_soon(begin)  # an answer that waits for nothing needs no watch
    try:
        return await answer
    except asyncio.CancelledError:
        if gone:
            raise _GoneError from None
        raise
    finally:
        beginning.cancel()
        for watching in watches:
            watching.cancel()


async def _fail(send: Send, status: Headers) -> None:
    """Answer with a status alone ("trailers only")."""
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *status]})
    await send({"type": "http.response.body", "body": b""})
