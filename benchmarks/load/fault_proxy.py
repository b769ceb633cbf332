"""A TCP proxy on this machine that breaks what it carries, in the ways in which networks, balancers and servers do.

It is between a client and a real server, takes `fault` at any moment, and applies it to open connections and to new ones. To break a certain
part of a call it looks at the heads of HTTP/2 frames (RFC 9113, section 4.1); `framed=False` carries TLS, where only whole chunks are seen.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from threading import Thread
from types import TracebackType
from typing import Self

from hyperframe.frame import GoAwayFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9
DATA, HEADERS = 0, 1
NO_ERROR, ENHANCE_YOUR_CALM = 0, 11
LAST_STREAM = 2**31 - 1
DRIP_SECONDS = 0.02
SETTLE_SECONDS = 0.02
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of no time: close sends RST


class Fault(StrEnum):
    """What happens to connections."""

    NONE = "none"
    REFUSED = "refused"
    """Nobody listens, and open connections are reset."""
    RESET_AT_CONNECT = "reset at connect"
    """So are new ones, once they are accepted."""
    RESET_IN_REQUEST = "reset in request"
    """When the head of a call arrives."""
    RESET_IN_RESPONSE = "reset in response"
    """In the middle of the answer."""
    CUT_MID_FRAME = "cut in a frame"
    """The same with an orderly end of the connection."""
    HALF_CLOSED = "half-closed"
    """The server's side ends when a call arrives; the client's stays open and is read."""
    BLACK_HOLE = "black hole"
    """Connections are accepted and stay open, and nothing passes until the fault is over."""
    STUCK = "stuck peer"
    """Connections that were open carry nothing any more, ever; new ones work."""
    DRIP = "slow drip"
    """Answers come one byte at a time."""
    GOAWAY = "GOAWAY after an answer"
    """An orderly one, as before a restart."""
    GOAWAY_UNREAD = "GOAWAY for a call"
    """It says that the call was not read."""
    GOAWAY_CALM = "GOAWAY too_many_pings"
    """In place of an answer."""
    BAD_HEADERS = "corrupt headers"
    BAD_LENGTH = "corrupt frame length"
    BAD_MESSAGE = "corrupt message"
    NOT_HTTP2 = "HTTP/1.1 answer"
    """As from a web server at the address."""


class FaultProxy:
    """Carries connections to `target` until told otherwise; a context manager."""

    def __init__(self, target: str, *, host: str = "127.0.0.1", port: int = 0, framed: bool = True) -> None:
        self.framed = framed
        self.fault = Fault.NONE
        self.connections = 0
        """Accepted so far."""
        self.upstream = target
        self.port = port
        """0 until it listens, if any will do."""
        self.host = host
        self._open: dict[int, tuple[asyncio.Task[None], _Carried]] = {}
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="fault-proxy")

    @property
    def target(self) -> str:
        """Where to connect."""
        return f"{self.host}:{self.port}"

    def set(self, fault: Fault) -> None:
        """From now on. Returns when it holds."""
        asyncio.run_coroutine_threadsafe(self._set(fault), self._loop).result()

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        """Reset all connections and end."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _set(self, fault: Fault) -> None:
        self.fault = fault
        if fault is Fault.REFUSED:
            self._unlisten()
        elif self._server is None:
            await self._listen()
        if fault in {Fault.REFUSED, Fault.RESET_AT_CONNECT, Fault.NOT_HTTP2}:
            await self._reset_all()
        if fault is Fault.STUCK:
            for _, carried in self._open.values():
                carried.stuck = True

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _unlisten(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _end(self) -> None:
        self._unlisten()
        await asyncio.sleep(SETTLE_SECONDS)  # what was accepted and is not carried yet
        await self._reset_all()
        await asyncio.sleep(SETTLE_SECONDS)

    async def _reset_all(self) -> None:
        opened = tuple(self._open.values())
        for task, carried in opened:
            _reset(carried.writer)
            task.cancel()
        await asyncio.gather(*(task for task, _ in opened), *(_closed(carried.writer) for _, carried in opened), return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        carried = _Carried(self, reader, writer)
        task = asyncio.create_task(self._answer(carried))
        self._open[id(carried)] = task, carried
        task.add_done_callback(lambda _: self._open.pop(id(carried)))

    async def _answer(self, carried: _Carried) -> None:
        if self.fault is Fault.NOT_HTTP2:
            carried.writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            carried.writer.close()
        elif self.fault in {Fault.RESET_AT_CONNECT, Fault.REFUSED}:
            _reset(carried.writer)
        else:
            await carried.run()


class _Carried:
    """One connection of a client's, and that to the server."""

    def __init__(self, proxy: FaultProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.stuck = False
        self._proxy = proxy
        self.writer = writer
        self._reader = reader

    async def run(self) -> None:
        """Carry until either end closes or breaks, or nobody wants it any more; what the client had not ended is reset."""
        try:
            await self._flow()
            host, _, port = self._proxy.upstream.rpartition(":")
            up_reader, up_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            _reset(self.writer)
            return
        pumps = {
            asyncio.create_task(self._pump(self._reader, up_writer, self._request)),
            asyncio.create_task(self._pump(up_reader, self.writer, self._response)),
        }
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up_writer.transport.abort()
            if not self.writer.is_closing():
                _reset(self.writer)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, _closed(up_writer), _closed(self.writer), return_exceptions=True)

    async def _flow(self) -> None:
        """Wait while nothing may pass."""
        while self.stuck or self._proxy.fault is Fault.BLACK_HOLE:
            await asyncio.sleep(0.005)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, broken: Callable[[bytes], bytes | None]) -> None:
        frames = _Frames() if self._proxy.framed else None
        while chunk := await _read(reader):
            await self._flow()
            for piece in frames.split(chunk) if frames else (chunk,):
                kept = broken(piece) if frames else piece
                if kept is None:
                    return
                await self._write(writer, kept)

    async def _write(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        if self._proxy.fault is not Fault.DRIP or writer is not self.writer:
            writer.write(piece)
            return
        for byte in piece:
            writer.write(bytes([byte]))
            await asyncio.sleep(DRIP_SECONDS if self._proxy.fault is Fault.DRIP else 0)

    def _request(self, frame: bytes) -> bytes | None:
        """What the server gets of a frame of the client's; None ends the connection."""
        if _kind(frame) != HEADERS:
            return frame
        writer = self.writer
        match self._proxy.fault:
            case Fault.RESET_IN_REQUEST:
                return None
            case Fault.HALF_CLOSED if writer.can_write_eof():
                writer.write_eof()
                return b""
            case Fault.GOAWAY_UNREAD:
                writer.write(GoAwayFrame(last_stream_id=0, error_code=NO_ERROR).serialize())
                return b""
            case Fault.GOAWAY_CALM:
                writer.write(GoAwayFrame(last_stream_id=0, error_code=ENHANCE_YOUR_CALM, additional_data=b"too_many_pings").serialize())
                return b""
        return frame

    def _response(self, frame: bytes) -> bytes | None:
        """What the client gets of a frame of the server's; None resets the connection."""
        fault, kind, writer = self._proxy.fault, _kind(frame), self.writer
        if fault is Fault.HALF_CLOSED and writer.transport.is_closing():
            return b""
        match fault, kind:
            case Fault.RESET_IN_RESPONSE | Fault.CUT_MID_FRAME, 0:
                writer.write(frame[: len(frame) // 2])
                if fault is Fault.CUT_MID_FRAME:
                    writer.close()
                return None
            case Fault.GOAWAY, 0:
                return frame + GoAwayFrame(last_stream_id=LAST_STREAM, error_code=NO_ERROR).serialize()
            case Fault.BAD_HEADERS, 1:
                return frame[:HEAD_BYTES] + b"\xff" * (len(frame) - HEAD_BYTES)
            case Fault.BAD_LENGTH, 0:
                return b"\xff\xff\xff" + frame[3:]
            case Fault.BAD_MESSAGE, 0:
                return frame[: HEAD_BYTES + 5] + bytes(byte ^ 0x55 for byte in frame[HEAD_BYTES + 5 :])
        return frame


class _Frames:
    """Splits a stream into the preface and whole frames."""

    def __init__(self) -> None:
        self._rest = b""

    def split(self, chunk: bytes) -> Iterator[bytes]:
        """Take what came; the end of a frame that is not there yet is waited for."""
        self._rest += chunk
        while size := self._size():
            piece, self._rest = self._rest[:size], self._rest[size:]
            yield piece

    def _size(self) -> int:
        """Bytes of the first piece; 0 while it is not whole."""
        if PREFACE.startswith(self._rest[: len(PREFACE)]):
            size = len(PREFACE)
        elif len(self._rest) < HEAD_BYTES:
            return 0
        else:
            size = HEAD_BYTES + int.from_bytes(self._rest[:3])
        return size if len(self._rest) >= size else 0


def _kind(frame: bytes) -> int | None:
    """The type of a frame; None for the preface and for what is no answer's: an empty DATA frame, another type."""
    if frame == PREFACE or len(frame) <= HEAD_BYTES:
        return None
    return frame[3]


async def _read(reader: asyncio.StreamReader) -> bytes:
    """What comes next; nothing once the other end is gone, however it went."""
    try:
        return await reader.read(65_536)
    except ConnectionError:
        return b""


async def _closed(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        await writer.wait_closed()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Have the other end see a reset."""
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
