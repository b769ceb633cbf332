"""HTTP for probes and scrapers: one GET a connection, few at a time, none for long. What it reads is parsed by h11."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import h11
from msgspec import Struct

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    Answering = Callable[[str, str], "Response"]

CONNECTION_SECONDS = 5.0  # from its first byte to the last of the answer
MOST_CONNECTIONS = 16
HEADER_BYTES = 8192
READ_BYTES = 4096
TEXT = "text/plain; charset=utf-8"


class Response(Struct, frozen=True):
    """What is answered."""

    status: int
    body: bytes
    content_type: str = TEXT


NOT_ALLOWED = Response(405, b"only GET and HEAD\n")
MALFORMED = Response(400, b"this is no HTTP request, or a header is too long\n")


class HttpServer:
    """Answers GET and HEAD; `answering` gets the path without its query, and the Accept header."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._open = 0

    async def serve(self, listener: socket.socket) -> None:
        """Answer for ever on a socket that is bound."""
        async with await asyncio.start_server(self._connected, sock=listener, limit=HEADER_BYTES) as server:
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._open += 1
        try:
            with suppress(TimeoutError, OSError, h11.LocalProtocolError):
                async with asyncio.timeout(CONNECTION_SECONDS):
                    await self._talk(reader, writer)
        finally:
            self._open -= 1
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEADER_BYTES)
        try:
            request = await _read(connection, reader)
        except h11.RemoteProtocolError:
            writer.write(_written(connection, MALFORMED))
        else:
            response = self._answer(request) if request.method in {b"GET", b"HEAD"} else NOT_ALLOWED
            writer.write(_written(connection, response, bare=request.method == b"HEAD"))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def _answer(self, request: h11.Request) -> Response:
        accept = next((value for name, value in request.headers if name == b"accept"), b"")
        path = request.target.partition(b"?")[0]
        return self._answering(path.decode("ascii", "replace"), accept.decode("ascii", "replace"))


async def _read(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Request:
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            raise h11.RemoteProtocolError("no request")
        connection.receive_data(await reader.read(READ_BYTES))


def _written(connection: h11.Connection, response: Response, *, bare: bool = False) -> bytes:
    """The answer as bytes, `bare` without its body."""
    headers = [
        ("content-type", response.content_type),
        ("content-length", str(len(response.body))),
        ("connection", "close"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ]
    head = connection.send(h11.Response(status_code=response.status, headers=headers)) or b""
    body = b"" if bare else connection.send(h11.Data(data=response.body)) or b""
    return head + body + (connection.send(h11.EndOfMessage()) or b"")
