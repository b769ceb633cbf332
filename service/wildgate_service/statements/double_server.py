"""The double at an address of this machine, by the standard library's HTTP server: a thread a connection, as many calls each as wanted."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from wildgate_service.statements.double import Double, Reply

LOOPBACK = "127.0.0.1"


class _Server(ThreadingHTTPServer):
    """Says nothing of callers that went away; the library would print it."""

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  (the library's)
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@contextmanager
def serving(double: Double, port: int = 0) -> Iterator[str]:
    """Serve the double until the context ends; the address. Port 0 takes a free one. Raises OSError if the port is taken."""
    server = _Server((LOOPBACK, port), _handler(double))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(double: Double) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Hands calls to the double."""

        protocol_version = "HTTP/1.1"  # connections are kept
        wbufsize = -1  # an answer goes out in one piece

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _answer(self, body: bytes) -> None:
            reply = double.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            if reply.after:
                time.sleep(reply.after)
            try:
                self._send(reply)
            except OSError:
                self.close_connection = True  # nobody waited for the answer

        def _send(self, reply: Reply) -> None:
            if not reply.status:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in (("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body))), *reply.headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Say nothing: the double counts its calls."""

    return Handler
