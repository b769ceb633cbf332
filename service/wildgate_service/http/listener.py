"""The HTTP port of one worker: shared with the other workers, in the same event loop as gRPC's, with the same certificates."""

from __future__ import annotations

import asyncio
import logging
import ssl
import tempfile
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.server import ServerState

from wildgate_service.http.application import Application
from wildgate_service.http.connection import Connection
from wildgate_service.port import listen_shared, stop_listening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.port import Address
    from wildgate_service.rpc import Rpc, Serving
    from wildgate_service.tls import Certificates

KEEP_ALIVE_SECONDS = 75  # that a connection may rest: longer than the 60 s of usual load balancers, which must be the first to end it
HANDSHAKE_SECONDS = 10.0
LOOK_SECONDS = 0.05


class HttpServer:
    """Serves the RPCs over HTTP at an address. uvicorn's own server would take the process's signals; its connections do not."""

    def __init__(self, serving: Serving, rpcs: Sequence[Rpc], address: Address) -> None:
        self._serving = serving
        self._state = ServerState()
        self._listener = listen_shared(address)
        self._server: asyncio.Server | None = None
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # a line for each request that is none would be anybody's to write
        config = uvicorn.Config(
            Application(serving, rpcs),
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        config.load()
        self._connect = partial(Connection, config, self._state, {}, most=serving.settings.http_connections)

    async def start(self) -> None:
        """Listen, with the certificates in force."""
        certificates = self._serving.certificates
        context = None if certificates is None else tls_context(certificates)
        self._server = await asyncio.get_running_loop().create_server(
            self._connect,
            sock=self._listener.dup(),
            ssl=context,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if context else None,
        )

    async def renew(self) -> None:
        """Serve the certificates in force from the next handshake on; connections that are open stay, and those that wait lose nothing."""
        before = self._server
        await self.start()
        if before:
            before.close()

    async def drain(self, seconds: float) -> None:
        """Take no more connections, let calls in flight finish within `seconds`, and end all that is left."""
        if self._server:
            self._server.close()
        stop_listening(self._listener)
        for connection in list(self._state.connections):
            connection.shutdown()
        end = asyncio.get_running_loop().time() + seconds
        while self._state.connections and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110  (uvicorn tells nobody when one ends)
            await asyncio.sleep(LOOK_SECONDS)
        for connection in list(self._state.connections):
            connection.transport.abort()


def tls_context(certificates: Certificates) -> ssl.SSLContext:
    """TLS 1.2 and 1.3 with these certificates; OpenSSL reads a chain and its key from a file alone, which is gone when this returns."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificates.private_key + b"\n" + certificates.chain)
        file.flush()
        context.load_cert_chain(file.name)
    if certificates.client_ca is not None:
        context.load_verify_locations(cadata=certificates.client_ca.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return context
