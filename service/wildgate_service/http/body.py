"""The body of a request: read whole before anything is made of it, in bounded time and bounded memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from msgspec import Struct

from wildgate_service.http.errors import RefusedError
from wildgate_service.status import overloaded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Event = dict[str, Any]
    Receive = Callable[[], Awaitable[Event]]

SECONDS = 10.0  # from the head of a request to the end of its body
MOST_MESSAGES = 16  # of the largest size, that all requests of a worker together may have sent and not been answered
DISCARDED_MESSAGES = 4  # of the largest size, that are read past after a refusal, so that the client hears it


class Room(Struct):
    """What all bodies of a worker may take, in bytes, and take now."""

    most_message: int
    taken: int = 0

    @property
    def full(self) -> bool:
        """Whether there is none."""
        return self.taken > MOST_MESSAGES * self.most_message


class Body:
    """ASGI's `receive` for one request. `done` once the body has come whole; `leave` when the request is over."""

    def __init__(self, receive: Receive, room: Room) -> None:
        self.done = False
        self._receive = receive
        self._room = room
        self._due = asyncio.get_running_loop().time() + SECONDS
        self._size = 0

    async def receive(self) -> Event:
        """The next part. Raises ConnectError if it comes too late, or there is no room for it."""
        if self.done:
            return await self._receive()  # which waits for the client to go
        event = await self._next()
        size = len(event.get("body", b""))
        self._size += size
        self._room.taken += size
        if self._room.full:
            raise RefusedError(overloaded())
        return event

    async def discard(self) -> None:
        """Read past what is left, up to a bound: a client that is still sending would not hear an answer before."""
        left = DISCARDED_MESSAGES * self._room.most_message
        while not self.done and left > 0:
            try:
                event = await self._next()
            except ConnectError:
                return
            left -= len(event.get("body", b""))

    def leave(self) -> None:
        """Give the room back."""
        self._room.taken -= self._size
        self._size = 0

    async def _next(self) -> Event:
        try:
            async with asyncio.timeout_at(self._due):
                event = await self._receive()
        except TimeoutError:
            raise ConnectError(Code.DEADLINE_EXCEEDED, "the body did not come in time; send it at once") from None
        self.done = event["type"] != "http.request" or not event.get("more_body", False)
        return event
