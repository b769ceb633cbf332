"""A name server on this machine that gives one IPv4 address for every name, and another as soon as it is told to."""

from __future__ import annotations

import socket
import struct
from threading import Thread
from types import TracebackType
from typing import Self

HEAD_BYTES = 12  # RFC 1035, section 4.1.1
TYPE_A = b"\x00\x01"
ANSWERED = b"\x85\x80"  # a response, authoritative, recursion available, no error
NAME_OF_QUESTION = b"\xc0\x0c"


class NameServer:
    """Answers on UDP; a context manager. gRPC asks it for the target `dns://HOST:PORT/name:port`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = Thread(target=self._serve, name="name-server")

    @property
    def authority(self) -> str:
        """Where it answers."""
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        """End: an empty datagram says so."""
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while query := self._receive():
            self._socket.sendto(self._answer(query[0]), query[1])

    def _receive(self) -> tuple[bytes, tuple[str, int]] | None:
        content, sender = self._socket.recvfrom(512)
        return (content, sender) if content else None

    def _answer(self, query: bytes) -> bytes:
        end_of_name = query.index(0, HEAD_BYTES) + 1
        kind, question = query[end_of_name : end_of_name + 2], query[HEAD_BYTES : end_of_name + 4]
        if kind != TYPE_A:
            return query[:2] + ANSWERED + struct.pack(">4H", 1, 0, 0, 0) + question
        record = NAME_OF_QUESTION + kind + b"\x00\x01" + struct.pack(">IH", 0, 4) + socket.inet_aton(self.address)
        return query[:2] + ANSWERED + struct.pack(">4H", 1, 1, 0, 0) + question + record
