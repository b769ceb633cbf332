"""What supervisor and workers say to each other, over one socket pair per worker.

A message is its length in four bytes and its MessagePack, tagged with its type's name. The end of the
pipe is an order too: a worker whose supervisor closed it, or died, drains and ends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    import socket
    from typing import Self

    from wildgate_service.keys import ApiKey

LENGTH_BYTES = 4


class Keys(Struct, frozen=True, tag=True):
    """To a worker: the API keys in force. `required` stays true once there was any."""

    keys: tuple[ApiKey, ...]
    required: bool


class Load(Struct, frozen=True, tag=True):
    """To a worker: serve this compiled lexicon, and the policy as it is on disk now."""

    number: int
    lexicon: str


class Fault(Struct, frozen=True):
    """What is broken in a lexicon or policy, and where; `line` is 0 where there is none."""

    message: str
    file: str = ""
    line: int = 0


class ReloadEnded(Struct, frozen=True, tag=True):
    """To the worker that asked: how the reload went. `fault` set: nothing changed."""

    number: int
    version: str = ""
    serving: int = 0
    failed: tuple[str, ...] = ()
    fault: Fault | None = None


class Ready(Struct, frozen=True, tag=True):
    """From a worker: it serves."""


class Loaded(Struct, frozen=True, tag=True):
    """From a worker: the answer to `Load`; `failed` if it keeps serving what it had."""

    number: int
    version: str
    failed: bool = False


class ReloadWanted(Struct, frozen=True, tag=True):
    """From a worker: somebody called ReloadLexicon."""

    number: int


ToWorker = Keys | Load | ReloadEnded
ToSupervisor = Ready | Loaded | ReloadWanted

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ToWorker | ToSupervisor).decode


class Channel:
    """One end of a pair, on the running loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Self:
        """Take over one end of a socket pair."""
        end.setblocking(False)
        return cls(*await asyncio.open_unix_connection(sock=end))

    def send(self, message: ToWorker | ToSupervisor) -> None:
        """Queue a message; lost without an error if the other end is gone, which `receive` tells."""
        body = _encode(message)
        self._writer.write(len(body).to_bytes(LENGTH_BYTES) + body)

    async def receive(self) -> ToWorker | ToSupervisor | None:
        """The next message; None when the other end is closed."""
        try:
            length = int.from_bytes(await self._reader.readexactly(LENGTH_BYTES))
            return _decode(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def close(self) -> None:
        """Close this end."""
        self._writer.close()
