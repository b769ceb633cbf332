"""What workers and writer say to each other: MessagePack frames behind their length in four bytes.

A request frame holds all that a worker recorded in one turn of its event loop, an answer frame all
that the writer has for that worker from one group.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct, msgpack

from wildgate_service.outcomes import Outcome
from wildgate_service.record import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec.msgpack import Decoder

LENGTH_BYTES = 4

Frame = TypeVar("Frame")


class Entries(Struct, frozen=True, array_like=True, tag="entries"):
    """Records to append. `calls` are numbers that the worker chose, one an entry."""

    calls: list[int]
    entries: list[Entry]


class Outcomes(Struct, frozen=True, array_like=True, tag="outcomes"):
    """Outcomes to append, likewise."""

    calls: list[int]
    outcomes: list[Outcome]


Request = Entries | Outcomes


class Code(IntEnum):
    """How it went. The last two are about the request, FAILED about the store."""

    RECORDED = 0
    REPEATED = 1
    FAILED = 2
    REQUEST_REUSED = 3
    DECISION_NOT_FOUND = 4


class Answer(Struct, frozen=True, array_like=True):
    """The answer to one call; `message` is an error's, `payload` the earlier record's of a repeat."""

    call: int
    code: Code
    log_id: str = ""
    position: int = 0
    chain_hash: bytes = b""
    payload: bytes = b""
    message: str = ""


class Answers(Struct, frozen=True, array_like=True):
    """Answers of one group to one worker."""

    answers: list[Answer]


_encoder = msgpack.Encoder()


def encode(frame: Request | Answers) -> bytes:
    """The frame with its length before it."""
    body = _encoder.encode(frame)
    return len(body).to_bytes(LENGTH_BYTES) + body


class FrameReader(Generic[Frame]):
    """Takes bytes as they come and gives whole frames."""

    def __init__(self, decoder: Decoder[Frame]) -> None:
        self._decode = decoder.decode
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole with `data`. Raises ValueError (msgspec.DecodeError, UnicodeDecodeError) for what is none."""
        buffer = self._buffer
        buffer += data
        start = 0
        with memoryview(buffer) as view:
            while (body := start + LENGTH_BYTES) <= len(view):
                end = body + int.from_bytes(view[start:body])
                if end > len(view):
                    break
                yield self._decode(view[body:end])
                start = end
        del buffer[:start]


def request_reader() -> FrameReader[Request]:
    """What the writer reads one worker with."""
    return FrameReader(msgpack.Decoder(Request))


def answer_reader() -> FrameReader[Answers]:
    """What a worker reads the writer with."""
    return FrameReader(msgpack.Decoder(Answers))
