"""On h2corn, an ASGI server in Rust that does HTTP/2 and its trailers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import h2corn
from asgi import Application
from calls import listen, stop_listening
from wildgate_service.rpc import Rpc, Serving
from wildgate_service.settings import Settings

STREAMS = 2**31 - 1  # as many as gRPC allows: what may be in flight is for the service to say
MOST_METADATA_BYTES = 16 * 1024  # as grpcio has it
MOST_FIELDS = 256


class Server:
    """Serves the RPCs at an address shared with the other workers."""

    application: type[Application] = Application

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc], address: str) -> None:
        self._application = self.application(serving, rpcs)
        self._serving = serving
        self._socket = listen(address)
        self._server = h2corn.Server(self._application, _config(serving.settings, self._socket.fileno()))
        self._running: asyncio.Task[None]

    async def start(self) -> None:
        """Listen; from the first answer on health says SERVING."""
        await self._application.serve_health()
        self._running = asyncio.create_task(self._server.serve())
        await self._server.wait_started()

    async def drain(self, seconds: float) -> None:
        """Take no more connections, tell clients to go elsewhere, let calls in flight finish within `seconds`, and end."""
        await self._application.health.enter_graceful_shutdown()
        self._server.shutdown()
        stop_listening(self._socket)
        await self._application.calls.drain(seconds)
        self._application.end_streams()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._running, seconds)


def _config(settings: Settings, listener: int) -> h2corn.Config:
    authorities = settings.tls_client_ca
    return h2corn.Config(
        bind=(f"fd://{listener}",),
        lifespan="off",
        grpc=True,
        http1=False,
        runtime_threads=1,
        access_log=False,
        log_format="json",
        date_header=False,
        max_concurrent_streams=STREAMS,
        h2_max_header_list_size=MOST_METADATA_BYTES,
        h2_max_header_block_size=4 * MOST_METADATA_BYTES,  # over it the connection ends, over the list alone the call
        limit_request_fields=MOST_FIELDS,
        timeout_graceful_shutdown=settings.drain_seconds,
        timeout_keep_alive=0,
        certfile=settings.tls_certificate,
        keyfile=settings.tls_private_key,
        ca_certs=authorities,
        cert_reqs="required" if authorities else "none",
    )
