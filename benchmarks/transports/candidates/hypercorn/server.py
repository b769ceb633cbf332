"""On hypercorn, an ASGI server in Python over the package h2."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from asgi import Application
from calls import listen, refuse_tls, stop_listening
from hypercorn.asyncio import serve
from hypercorn.config import Config
from wildgate_service.rpc import Rpc, Serving

STREAMS = 2**31 - 1
MOST_METADATA_BYTES = 16 * 1024


class Server:
    """Serves the RPCs at an address shared with the other workers."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc], address: str) -> None:
        refuse_tls(serving.settings, "hypercorn")
        self._application = Application(serving, rpcs)
        self._ending = asyncio.Event()
        self._socket = listen(address)
        self._config = Config()
        self._config.bind = [f"fd://{self._socket.fileno()}"]
        self._config.graceful_timeout = serving.settings.drain_seconds
        self._config.h2_max_concurrent_streams = STREAMS
        self._config.h2_max_header_list_size = MOST_METADATA_BYTES
        self._config.h2_max_inbound_frame_size = 2**20
        self._config.keep_alive_timeout = 10**6
        self._config.keep_alive_max_requests = 10**9
        self._config.errorlog = None
        self._running: asyncio.Task[None]

    async def start(self) -> None:
        """Listen; from the first answer on health says SERVING."""
        await self._application.serve_health()
        self._running = asyncio.create_task(
            serve(self._application, self._config, shutdown_trigger=self._ending.wait, mode="asgi")  # type: ignore[arg-type]
        )

    async def drain(self, seconds: float) -> None:
        """Take no more calls, let those in flight finish within `seconds`, and end."""
        await self._application.health.enter_graceful_shutdown()
        stop_listening(self._socket)
        self._ending.set()
        await self._application.calls.drain(seconds)
        self._application.end_streams()
        await asyncio.wait([self._running], timeout=seconds)
