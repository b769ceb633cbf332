"""A TCP proxy on this machine that breaks what it carries, in the ways in which networks, balancers and servers do.

It stands between a client and a real server, takes a fault at any moment, and applies it to open connections and to new ones. To break a
certain part of a call it looks at the heads of HTTP/2 frames (RFC 9113, section 4.1); `framed=False` carries TLS, where only whole chunks
are seen.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from functools import partial
from threading import Thread
from types import TracebackType
from typing import Self

from hyperframe.frame import GoAwayFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9
MESSAGE_AT = HEAD_BYTES + 5  # after the head that gRPC gives a message
DATA, HEADERS = 0, 1
NO_ERROR, ENHANCE_YOUR_CALM = 0, 11
LAST_STREAM = 2**31 - 1
DRIP_SECONDS = 0.02
SETTLE_SECONDS = 0.01
WAIT_SECONDS = 0.005
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
        self._open: dict[_Carried, asyncio.Task[None]] = {}
        self._listener: socket.socket | None = None
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
        self.set(self.fault)
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
        elif self._listener is None:
            self._listen()
        if fault in {Fault.REFUSED, Fault.RESET_AT_CONNECT, Fault.NOT_HTTP2}:
            await self._reset_all()
        if fault is Fault.STUCK:
            for carried in self._open:
                carried.stuck = True

    def _listen(self) -> None:
        self._listener = socket.create_server((self.host, self.port))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._loop.add_reader(self._listener, self._accept)

    def _unlisten(self) -> None:
        if self._listener:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        """Without a server of asyncio's, which loses what it has accepted when it closes."""
        if self._listener is None:
            return
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # which asyncio does for sockets that it accepts itself
        self.connections += 1
        carried = _Carried(self, connection)
        self._open[carried] = task = self._loop.create_task(self._answer(carried))
        task.add_done_callback(partial(self._forget, carried))

    def _forget(self, carried: _Carried, _: asyncio.Task[None]) -> None:
        del self._open[carried]
        carried.reset()

    async def _end(self) -> None:
        self._unlisten()
        await self._reset_all()

    async def _reset_all(self) -> None:
        opened = dict(self._open)
        for task in opened.values():
            task.cancel()
        await asyncio.gather(*opened.values(), return_exceptions=True)
        await asyncio.gather(*(carried.closed() for carried in opened))

    async def _answer(self, carried: _Carried) -> None:
        await carried.open()
        if self.fault is Fault.NOT_HTTP2:
            carried.writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            carried.writer.close()
        elif self.fault not in {Fault.RESET_AT_CONNECT, Fault.REFUSED}:
            await carried.run()


class _Carried:
    """One connection of a client's, and that to the server."""

    def __init__(self, proxy: FaultProxy, connection: socket.socket) -> None:
        self.stuck = False
        self._proxy = proxy
        self._connection = connection
        self._opened = False
        self.writer: asyncio.StreamWriter
        self._reader: asyncio.StreamReader

    async def open(self) -> None:
        """Before anything else."""
        self._reader, self.writer = await asyncio.open_connection(sock=self._connection)
        self._opened = True

    def reset(self) -> None:
        """Have the client see a reset, if it has not seen an end."""
        if self._connection.fileno() < 0 or (self._opened and self.writer.is_closing()):
            return
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        if self._opened:
            self.writer.transport.abort()
        else:
            self._connection.close()

    async def closed(self) -> None:
        """Wait until it is."""
        await (_closed(self.writer) if self._opened else asyncio.sleep(SETTLE_SECONDS))

    async def run(self) -> None:
        """Carry until either end closes or breaks, or nobody wants it any more."""
        await self._flow()
        host, _, port = self._proxy.upstream.rpartition(":")
        try:
            up_reader, up_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return
        pumps = {
            asyncio.create_task(self._pump(self._reader, up_writer, self._request)),
            asyncio.create_task(self._pump(up_reader, self.writer, self._response)),
        }
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up_writer.transport.abort()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, _closed(up_writer), return_exceptions=True)

    async def _flow(self) -> None:
        """Wait while nothing may pass."""
        while self.stuck or self._proxy.fault is Fault.BLACK_HOLE:  # noqa: ASYNC110  (set from a thread, for many connections)
            await asyncio.sleep(WAIT_SECONDS)

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
        fault, kind = self._proxy.fault, _kind(frame)
        if fault is Fault.HALF_CLOSED and self.writer.transport.is_closing():
            return b""
        if fault in {Fault.RESET_IN_RESPONSE, Fault.CUT_MID_FRAME} and kind == DATA:
            self.writer.write(frame[: len(frame) // 2])
            if fault is Fault.CUT_MID_FRAME:
                self.writer.close()
            return None
        change = CHANGES.get((fault, kind))
        return change(frame) if change else frame


CHANGES: dict[tuple[Fault, int | None], Callable[[bytes], bytes]] = {
    (Fault.GOAWAY, DATA): lambda frame: frame + GoAwayFrame(last_stream_id=LAST_STREAM, error_code=NO_ERROR).serialize(),
    (Fault.BAD_HEADERS, HEADERS): lambda frame: frame[:HEAD_BYTES] + b"\xff" * (len(frame) - HEAD_BYTES),
    (Fault.BAD_LENGTH, DATA): lambda frame: b"\xff\xff\xff" + frame[3:],
    (Fault.BAD_MESSAGE, DATA): lambda frame: frame[:MESSAGE_AT] + bytes(byte ^ 0x55 for byte in frame[MESSAGE_AT:]),
}
"""What becomes of a frame of the server's, by fault and type."""


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
