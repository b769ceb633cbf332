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


class StateWanted(Struct, frozen=True, array_like=True, tag="state"):
    """How do store and spool stand? Answered by a `WriterState`."""

    call: int


Request = Entries | Outcomes | StateWanted


class WriterState(Struct, frozen=True, kw_only=True):
    """How store and spool stand, and what was counted since the writer started.

    `usable`: the last that was tried with the store went well. `spools`: records are put into the spool while it is not. `late` records
    were spooled so far. Of those replayed `superseded` gave way to an earlier decision on their request, and `rejected` cannot be in the
    store: their request_id was used for another listing meanwhile, or an outcome's decision is not the tenant's. `cut_bytes` were cut off a
    spool that a kill or the disk had left with a torn end.
    """

    usable: bool = True
    spools: bool = False
    spool_records: int = 0
    spool_bytes: int = 0
    spool_max_bytes: int = 0
    late: int = 0
    superseded: int = 0
    rejected: int = 0
    cut_bytes: int = 0


class Code(IntEnum):
    """How it went. REQUEST_REUSED and DECISION_NOT_FOUND are about the request, FAILED about the store."""

    RECORDED = 0
    REPEATED = 1
    FAILED = 2
    REQUEST_REUSED = 3
    DECISION_NOT_FOUND = 4
    SPOOLED = 5
    STATE = 6


class Answer(Struct, frozen=True, array_like=True):
    """The answer to one call; `message` is an error's, `payload` the earlier record's of a repeat, what was spooled, or a WriterState."""

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


def encode_state(state: WriterState) -> bytes:
    """The payload of an answer to StateWanted."""
    return _encoder.encode(state)


read_state = msgpack.Decoder(WriterState).decode


def request_reader() -> FrameReader[Request]:
    """What the writer reads one worker with."""
    return FrameReader(msgpack.Decoder(Request))


def answer_reader() -> FrameReader[Answers]:
    """What a worker reads the writer with."""
    return FrameReader(msgpack.Decoder(Answers))
