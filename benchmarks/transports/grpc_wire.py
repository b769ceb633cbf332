"""The gRPC protocol above HTTP/2: timeouts, length-prefixed messages, trailers. Bytes in, bytes out, no sockets.

As described by https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from urllib.parse import quote

from wildgate_service.refusing import PUSHBACK, STATUS_DETAILS
from wildgate_service.status import Refusal, to_status

Headers = list[tuple[bytes, bytes]]

CONTENT_TYPE = b"application/grpc"
PREFIX = struct.Struct(">BI")  # compressed or not, length
UNITS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
TIMEOUT = re.compile(rb"(\d{1,8})([HMSmun])")
PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
WINDOWS = {b"gzip": 16 + zlib.MAX_WBITS, b"deflate": zlib.MAX_WBITS}
ENCODINGS = b"identity,deflate,gzip"
OK = (b"grpc-status", b"0")
CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 1, 4, 8, 12, 13


class WireError(Exception):
    """A call that is not as the protocol has it; `code` is gRPC's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def seconds_of(timeout: bytes | None) -> float | None:
    """Read grpc-timeout. Raises WireError.

    >>> seconds_of(b"50m")
    0.05
    """
    if timeout is None:
        return None
    found = TIMEOUT.fullmatch(timeout)
    if found is None:
        raise WireError(INTERNAL, "grpc-timeout is malformed")
    return int(found[1]) * UNITS[found[2]]


def pack(message: bytes) -> bytes:
    """Put the prefix before a message."""
    return PREFIX.pack(0, len(message)) + message


class Messages:
    """Cuts a body into messages of at most `limit` bytes, compressed or not."""

    def __init__(self, encoding: bytes, limit: int) -> None:
        if encoding not in (*WINDOWS, b"identity"):
            raise WireError(UNIMPLEMENTED, "this grpc-encoding is not supported")
        self._encoding = encoding
        self._limit = limit
        self._body = bytearray()

    def feed(self, data: bytes) -> None:
        """Take on a piece of the body. Raises WireError for a message that is too large, as soon as its prefix says so."""
        self._body += data
        if len(self._body) >= PREFIX.size:
            self._check(PREFIX.unpack_from(self._body)[1])

    def next(self) -> bytes | None:
        """The next message, if it is whole. Raises WireError."""
        if len(self._body) < PREFIX.size:
            return None
        compressed, length = PREFIX.unpack_from(self._body)
        self._check(length)
        end = PREFIX.size + length
        if len(self._body) < end:
            return None
        message = bytes(self._body[PREFIX.size : end])
        del self._body[:end]
        return self._decompressed(message) if compressed else message

    def only(self) -> bytes:
        """The one message of a body that has ended. Raises WireError if there is none, or more."""
        message = self.next()
        if message is None or self._body:
            raise WireError(INTERNAL, "the body is not one whole message")
        return message

    def _check(self, length: int) -> None:
        if length > self._limit:
            raise WireError(RESOURCE_EXHAUSTED, f"Received message larger than max ({length} vs. {self._limit})")

    def _decompressed(self, message: bytes) -> bytes:
        if self._encoding not in WINDOWS:
            raise WireError(INTERNAL, "a message is compressed, and grpc-encoding does not say how")
        engine = zlib.decompressobj(WINDOWS[self._encoding])
        try:
            plain = engine.decompress(message, self._limit + 1)
        except zlib.error as error:
            raise WireError(INTERNAL, "a compressed message is broken") from error
        self._check(len(plain))
        if not engine.eof:
            raise WireError(INTERNAL, "a compressed message is cut short")
        return plain


def trailers(code: int, message: str) -> Headers:
    """The status of a call."""
    return [(b"grpc-status", str(code).encode()), (b"grpc-message", quote(message, safe=PRINTABLE).encode())]


def trailers_of(refusal: Refusal) -> Headers:
    """The status of a refusal, with details for machines and the time to come again."""
    details = base64.b64encode(to_status(refusal).SerializeToString()).rstrip(b"=")
    made = [*trailers(refusal.code, refusal.message), (STATUS_DETAILS.encode(), details)]
    return made if refusal.pushback_ms is None else [*made, (PUSHBACK.encode(), str(refusal.pushback_ms).encode())]
