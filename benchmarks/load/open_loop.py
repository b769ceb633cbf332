"""Load by the clock: requests go out when their time has come, whether others were answered or not, as those of many sellers do.

h2load waits for answers when a service is slow, and takes a refusal for a success. This speaks just enough HTTP/2 and gRPC itself, a
fifth of what a call costs a gRPC client in Python: every request has a body of its own and a deadline, latency counts from the moment
at which it should have gone out (a tick of a millisecond included), and what is not answered by its deadline is canceled, as gRPC clients
do.
"""

from __future__ import annotations

import asyncio
import heapq
import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import cast

from hpack import Decoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
MAX_STREAMS, INITIAL_WINDOW = 3, 4
FRAME_HEAD = 9
WINDOW = 65_535
LARGE = 1 << 30
CANCEL = 8
OK, GIVEN_UP = "0", "gave up"
TICK_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: `outcome` is its grpc-status, or GIVEN_UP at its deadline; both times in seconds, `due` monotonic."""

    due: float
    seconds: float
    outcome: str
    pushed_back: bool = False


@dataclass(slots=True)
class _Stream:
    due: float
    answered: bool = False


@dataclass
class Load:
    """`rate` requests/s in all over `connections`, each with the next of `bodies`, a deadline and the path of one method.

    With `in_flight` it is a closed loop: so many at a time on each connection, at most `rate`.
    """

    target: str
    path: str
    bodies: Sequence[bytes]
    rate: float
    seconds: float
    connections: int
    deadline: float = 0.05
    in_flight: int = 0
    answers: list[Answer] = field(default_factory=list)


async def fire(load: Load) -> list[Answer]:
    """Send the load; returns an answer for each request, when all are answered or given up."""
    loop = asyncio.get_running_loop()
    host, _, port = load.target.rpartition(":")
    links = [(await loop.create_connection(lambda: _Link(load), host, int(port)))[1] for _ in range(load.connections)]
    start, number, count = monotonic() + 0.1, 0, int(load.rate * load.seconds)
    while number < count or any(link.open for link in links):
        now = monotonic()
        if load.in_flight and now > start + load.seconds:
            count = 0
        while number < count and (due := start + number / load.rate) <= now:
            link = min(links, key=lambda each: each.open) if load.in_flight else links[number % len(links)]
            if load.in_flight and link.open >= load.in_flight:
                break
            link.ask(now if load.in_flight else due, load.bodies[number % len(load.bodies)])
            number += 1
        for link in links:
            link.turn(now)
        await asyncio.sleep(TICK_SECONDS)
    for link in links:
        link.close()
    return load.answers


class _Link(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._head = _literals(
            {":method": "POST", ":scheme": "http", ":path": load.path, ":authority": load.target}
            | {"te": "trailers", "content-type": "application/grpc"}
        )
        self._decoder = Decoder()
        self._received = bytearray()
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._streams: dict[int, _Stream] = {}
        self._ends: list[tuple[float, int]] = []
        self._next, self._room, self._limit = 1, WINDOW, LARGE
        self._sending: list[bytes] = []

    @property
    def open(self) -> int:
        """How many requests are not answered."""
        return len(self._waiting) + len(self._streams)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, and leave the server all the room it wants to answer in."""
        self._transport = cast("asyncio.Transport", transport)
        opening = _frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW, LARGE)) + _frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGE))
        self._transport.write(PREFACE + opening)

    def close(self) -> None:
        """End the connection."""
        self._transport.close()

    def ask(self, due: float, message: bytes) -> None:
        """Have a request sent as soon as the server has room for it."""
        self._waiting.append((due, message))

    def turn(self, now: float) -> None:
        """Send what may be sent and give up what is late."""
        deadline = self._load.deadline
        while self._waiting and self._waiting[0][0] + deadline <= now:
            self._end(self._waiting.popleft()[0], GIVEN_UP)
        while self._waiting and len(self._streams) < self._limit and self._room >= len(self._waiting[0][1]) + 5:
            self._send(*self._waiting.popleft(), now)
        while self._ends and self._ends[0][0] <= now:
            number = heapq.heappop(self._ends)[1]
            if stream := self._streams.pop(number, None):
                self._sending.append(_frame(RESET, 0, number, struct.pack(">I", CANCEL)))
                self._end(stream.due, GIVEN_UP)
        if self._sending:
            self._transport.write(b"".join(self._sending))
            self._sending.clear()

    def _send(self, due: float, message: bytes, now: float) -> None:
        number, self._next = self._next, self._next + 2
        left = due + self._load.deadline - now
        headers = self._head + _literals({"grpc-timeout": f"{max(1, round(left * 1e6))}u"})
        content = struct.pack(">BI", 0, len(message)) + message
        self._room -= len(content)
        self._streams[number] = _Stream(due)
        heapq.heappush(self._ends, (due + self._load.deadline, number))
        self._sending += (_frame(HEADERS, END_HEADERS, number, headers), _frame(DATA, END_STREAM, number, content))

    def data_received(self, data: bytes) -> None:
        """Frames, or a part of them."""
        received = self._received
        received += data
        place = 0
        while len(received) - place >= FRAME_HEAD:
            end = place + FRAME_HEAD + int.from_bytes(received[place : place + 3], "big")
            if end > len(received):
                break
            number = int.from_bytes(received[place + 5 : place + FRAME_HEAD], "big") & (LARGE * 2 - 1)
            self._take(received[place + 3], received[place + 4], number, bytes(received[place + FRAME_HEAD : end]))
            place = end
        del received[:place]

    def _take(self, kind: int, flags: int, number: int, content: bytes) -> None:
        if kind == HEADERS:
            fields = dict(self._decoder.decode(content))
            if flags & END_STREAM and (stream := self._streams.pop(number, None)):
                self._end(stream.due, str(fields.get("grpc-status", "none")), pushed_back="grpc-retry-pushback-ms" in fields)
        elif kind == RESET and (stream := self._streams.pop(number, None)):
            self._end(stream.due, f"reset {int.from_bytes(content, 'big')}")
        elif kind == WINDOW_UPDATE and not number:
            self._room += int.from_bytes(content, "big")
        elif kind in {SETTINGS, PING} and not flags & ACK:
            if kind == SETTINGS:
                self._limit = dict(struct.iter_unpack(">HI", content)).get(MAX_STREAMS, self._limit)
            self._transport.write(_frame(kind, ACK, 0, content if kind == PING else b""))
        elif kind == GOAWAY:
            self._limit = 0

    def _end(self, due: float, outcome: str, *, pushed_back: bool = False) -> None:
        self._load.answers.append(Answer(due, monotonic() - due, outcome, pushed_back))


def _frame(kind: int, flags: int, number: int, content: bytes) -> bytes:
    return struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, flags, number) + content


def _literals(fields: dict[str, str]) -> bytes:
    """Header fields as literals that nobody indexes; each name and value has fewer than 127 bytes."""
    return b"".join(bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode() for name, value in fields.items())
