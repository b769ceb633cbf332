"""What the supervisor says to its workers and its compiler, and they to it, over one socket pair each.

A message is its length in four bytes and its pickle: both ends are forks of one program, and nobody
else can open the pair. The end of the pipe is an order too: a worker whose supervisor closed it, or
died, drains and ends, and so does the compiler.
"""

from __future__ import annotations

import asyncio
import pickle
import select
import socket
from typing import TYPE_CHECKING

from msgspec import Struct

from wildgate_service.keys import ApiKey
from wildgate_service.limiting.limit import Placed
from wildgate_service.tls import Certificates

if TYPE_CHECKING:
    from typing import Self


LENGTH_BYTES = 4


class Keys(Struct, frozen=True):
    """To a worker: the API keys in force. `required` stays true once there was any."""

    keys: tuple[ApiKey, ...]
    required: bool


class Limits(Struct, frozen=True):
    """To a worker: the tenants that have a limit, with the places of their accounts."""

    placed: dict[str, Placed] = {}


class Load(Struct, frozen=True):
    """To a worker: serve this compiled lexicon, and the policy as it is on disk now."""

    number: int
    lexicon: str


class Mark(Struct, frozen=True):
    """To a worker: answer with `Marked` once all that was said before is in force."""

    number: int


class Fault(Struct, frozen=True):
    """What is broken in a lexicon or policy, and where; `line` is 0 where there is none."""

    message: str
    file: str = ""
    line: int = 0


class Compile(Struct, frozen=True):
    """To the compiler: compile what is on disk now."""


class Compiled(Struct, frozen=True):
    """From the compiler: a lexicon that can be served, and the hash of the policy that was on disk with it.

    `asked` is False if nobody asked, but a file changed. So it is for `Broken`.
    """

    lexicon: str
    policy: str
    asked: bool


class Broken(Struct, frozen=True):
    """From the compiler: what is on disk cannot be served."""

    fault: Fault
    asked: bool


class ReloadEnded(Struct, frozen=True):
    """To the worker that asked: how the reload went. `fault` set: nothing changed."""

    number: int
    version: str = ""
    serving: int = 0
    failed: tuple[str, ...] = ()
    fault: Fault | None = None


class Ready(Struct, frozen=True):
    """From a worker: it serves."""


class Loaded(Struct, frozen=True):
    """From a worker: the answer to `Load`; `failed` if it keeps serving what it had."""

    number: int
    version: str
    failed: bool = False


class Marked(Struct, frozen=True):
    """From a worker: the answer to `Mark`."""

    number: int


class ReloadWanted(Struct, frozen=True):
    """From a worker: somebody called ReloadLexicon."""

    number: int


ToWorker = Keys | Limits | Certificates | Load | Mark | ReloadEnded
ToSupervisor = Ready | Loaded | Marked | ReloadWanted | Compiled | Broken
Message = ToWorker | ToSupervisor | Compile


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

    def send(self, message: Message) -> None:
        """Queue a message; it is lost if the other end is gone, which `receive` tells."""
        self._writer.write(_framed(message))

    async def receive(self) -> Message | None:
        """Wait for the next message; None when the other end is closed."""
        try:
            length = int.from_bytes(await self._reader.readexactly(LENGTH_BYTES))
            body = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        message: Message = pickle.loads(body)  # noqa: S301  (from our own fork)
        return message

    def close(self) -> None:
        """Close this end."""
        self._writer.close()


class BlockingChannel:
    """One end of a pair, for a process without a loop."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(True)
        self._end = end

    def send(self, message: Message) -> None:
        """Send a message. Raises OSError if the other end is gone."""
        self._end.sendall(_framed(message))

    def receive(self, seconds: float | None) -> Message | None:
        """Wait up to so many seconds for a message; None if there came none. Raises EOFError when the other end is closed."""
        readable, _, _ = select.select([self._end], [], [], seconds)
        if not readable:
            return None
        message: Message = pickle.loads(self._exactly(int.from_bytes(self._exactly(LENGTH_BYTES))))  # noqa: S301  (from our own parent)
        return message

    def _exactly(self, size: int) -> bytes:
        content = self._end.recv(size, socket.MSG_WAITALL)
        if len(content) < size:
            raise EOFError
        return content


def _framed(message: Message) -> bytes:
    body = pickle.dumps(message)
    return len(body).to_bytes(LENGTH_BYTES) + body
