"""What a connection may cost before it is a request: bounds that uvicorn's parser does not have by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

HEAD_BYTES = 32 * 1024  # of a request line with its headers, of a chunk's, or of trailers
HEAD_SECONDS = 10.0  # from a new connection, or the first byte of a further request, to the end of the head


class Connection(HttpToolsProtocol):
    """One connection. `most` is how many a worker keeps; what comes beyond is closed unread."""

    def __init__(self, *arguments: Any, most: int, **options: Any) -> None:  # noqa: ANN401  (uvicorn's own)
        super().__init__(*arguments, **options)
        self._most = most
        self._unread = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As asyncio asks for it."""
        super().connection_made(transport)
        if len(self.connections) > self._most:
            transport.abort()
        self._wait()

    def data_received(self, data: bytes) -> None:
        """As asyncio asks for it."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        self._unread += len(data)
        super().data_received(data)
        if self._unread > HEAD_BYTES:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """As the parser asks for it."""
        self._unread = 0
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """As the parser asks for it."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """As the parser asks for it."""
        self._unread = 0
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio asks for it."""
        self._stop_waiting()
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        """As uvicorn asks for it; closing alone would wait for a client that reads nothing."""
        self.transport.abort()

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
