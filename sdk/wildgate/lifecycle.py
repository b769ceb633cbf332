"""Clients whose lives fit the process that hosts them: made at first use, one per process or event loop, closed when it ends.

from wildgate.lifecycle import Clients

wildgate = Clients.from_environment()      # at import, also before a fork: checks the options and connects to nothing

wildgate.sync.score(listing)               # Flask, Django, Celery: one `Client` per process, shared by its threads
await wildgate.aio.score(listing)          # FastAPI, Starlette, Quart: one `AsyncClient` per event loop
app = FastAPI(lifespan=wildgate.lifespan)  # made when the server starts, closed when it ends

A `Client` bears forks by itself; this adds when it is made and closed, and the options from the environment.
"""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from threading import Lock
from typing import Any, Required, Self, TypedDict, Unpack
from weakref import WeakKeyDictionary

import grpc

from wildgate._aio import AsyncClient
from wildgate._client import Client
from wildgate._config import DEFAULT_TIMEOUT, OnUnavailable, make_settings
from wildgate._environment import options_from_environment
from wildgate._errors import WildgateUsageError
from wildgate._types import Decision, Explain, SpanUnit

__all__ = ["ClientOptions", "Clients"]


class ClientOptions(TypedDict, total=False):
    """What a `Client` and an `AsyncClient` take beside the target; see there."""

    on_unavailable: Required[OnUnavailable]
    api_key: str | None
    insecure: bool
    root_certificates: bytes | None
    credentials: grpc.ChannelCredentials | None
    timeout: float
    explain: Explain | str | None
    span_unit: SpanUnit | str
    on_degraded: Callable[[Decision], None] | None


class Clients:
    """Hands out the client of the process, or of the event loop, that asks.

    What a fork inherits is never used nor closed in the child, which gets a client, and `stats` from zero, of its own. When the
    interpreter ends, the process's `Client` is closed; an `AsyncClient` is closed by `lifespan` or `aclose`, since only its loop can.
    """

    def __init__(self, target: str, **options: Unpack[ClientOptions]) -> None:
        """Keep the options; raises WildgateConfigurationError for what is wrong or unsafe."""
        _check(target, options)
        self._target = target
        self._options = options
        self._processes: dict[int, _Process] = {}
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncClient] = WeakKeyDictionary()
        atexit.register(self.close)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **options: Any) -> Self:  # noqa: ANN401 any of ClientOptions
        """Read the variables WILDGATE_CLIENT_*; `options` go before them.

        Raises WildgateConfigurationError for a variable that is unknown or cannot be read, and as the constructor does.
        """
        found = options_from_environment(os.environ if environment is None else environment) | options
        return cls(found.pop("target", ""), **{"on_unavailable": "", **found})

    @property
    def sync(self) -> Client:
        """The `Client` of this process, made at first use; threads share it."""
        process = self._processes.get(os.getpid()) or self._processes.setdefault(os.getpid(), _Process())
        if process.client is None:
            with process.lock:
                process.client = process.client or Client(self._target, **self._options)
        return process.client

    @property
    def aio(self) -> AsyncClient:
        """The `AsyncClient` of the running event loop, made at first use; raises WildgateUsageError where none runs."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            message = "no event loop runs here: use `sync`, or ask for `aio` inside of a coroutine"
            raise WildgateUsageError(message, reason="UNUSABLE") from None
        if loop not in self._by_loop:
            self._by_loop[loop] = AsyncClient(self._target, **self._options)
        return self._by_loop[loop]

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[dict[str, AsyncClient]]:
        """Connect when a server starts and close when it ends: the `lifespan` of FastAPI, Starlette and others.

        Yields what they make `request.state` of: `request.state.wildgate` is `aio`.
        """
        del app
        try:
            yield {"wildgate": self.aio}
        finally:
            await self.aclose()

    def close(self) -> None:
        """Close the `Client` of this process, if it made one; the next use makes another."""
        process = self._processes.pop(os.getpid(), None)
        if process is not None and process.client is not None:
            process.client.close()

    async def aclose(self) -> None:
        """Close the `AsyncClient` of the running loop, if it made one; the next use makes another."""
        client = self._by_loop.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()

    def __repr__(self) -> str:
        """Show the target and the policy, never the key."""
        return f"Clients({self._target!r}, on_unavailable={self._options['on_unavailable']!r})"


class _Process:
    """What belongs to one process; a child of a fork finds its parent's under another number."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.client: Client | None = None


def _check(target: str, options: ClientOptions) -> None:
    given: Any = {"timeout": DEFAULT_TIMEOUT, "span_unit": SpanUnit.CODE_POINT, "insecure": False} | options
    absent = dict.fromkeys(("api_key", "root_certificates", "credentials", "explain", "on_degraded"))
    make_settings(target, **(absent | given), own_channel=True)
