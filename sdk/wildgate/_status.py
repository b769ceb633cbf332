"""The few fields of `google.rpc.Status` that Wildgate sends, read and written by hand.

The messages are `google.rpc.Status`, `ErrorInfo` and `RetryInfo`. Their generated classes live in
`googleapis-common-protos`; registering them here too would clash with whatever version of it the
caller has in the process, so these thirty lines of the protobuf wire format stand in for it.
"""

# ruff: noqa: PLR2004 the numbers are fields and bits of the wire format

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

DOMAIN = "wildgate"
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """What a status says beside its code; everything may be missing."""

    message: str = ""
    reason: str = ""
    """Name of `wildgate.v1.ErrorReason` without its prefix; empty for another domain's."""
    metadata: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    retry_after: float | None = None
    """Seconds."""


def decode_status(data: bytes) -> ErrorDetails | None:
    """Read a serialized `google.rpc.Status`; None if it is not one."""
    try:
        return _read_status(data)
    except ValueError:
        return None


def encode_status(code: int, details: ErrorDetails) -> bytes:
    """Write a serialized `google.rpc.Status`, as the service does."""
    parts = [_write(1, code), _write(2, details.message.encode())]
    if details.reason:
        parts.append(_write(3, _any(_ERROR_INFO, _error_info(details))))
    if details.retry_after is not None:
        parts.append(_write(3, _any(_RETRY_INFO, _write(1, _duration(details.retry_after)))))
    return b"".join(parts)


def _read_status(data: bytes) -> ErrorDetails:
    message, reason, retry_after = "", "", None
    metadata: Mapping[str, str] = _NOTHING
    for number, value in _fields(data):
        if number == 2:
            message = _text(value)
        elif number == 3:
            type_url, body = _strings(value)
            if type_url.endswith("/google.rpc.ErrorInfo") and not reason:
                reason, metadata = _read_error_info(body)
            elif type_url.endswith("/google.rpc.RetryInfo"):
                retry_after = _read_retry_info(body)
    return ErrorDetails(message, reason, metadata, retry_after)


def _strings(data: int | bytes) -> tuple[str, bytes]:
    """Read a message whose fields 1 and 2 are a string and bytes: Any, or an entry of a map."""
    first, second = "", b""
    for number, value in _fields(_bytes(data)):
        if number == 1:
            first = _text(value)
        elif number == 2:
            second = _bytes(value)
    return first, second


def _read_error_info(data: bytes) -> tuple[str, dict[str, str]]:
    reason, domain = "", ""
    metadata: dict[str, str] = {}
    for number, value in _fields(data):
        if number == 1:
            reason = _text(value)
        elif number == 2:
            domain = _text(value)
        elif number == 3:
            key, text = _strings(value)
            metadata[key] = text.decode()
    return (reason, metadata) if domain == DOMAIN else ("", {})


def _read_retry_info(data: bytes) -> float | None:
    for number, value in _fields(data):
        if number == 1:
            parts = {part: _number(count) for part, count in _fields(_bytes(value))}
            return (_signed(parts.get(1, 0)) * 10**9 + _signed(parts.get(2, 0))) / 1e9
    return None


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        tag, position = _read_varint(data, position)
        wire_type = tag & 7
        length = {_VARINT: 0, _FIXED64: 8, _FIXED32: 4}.get(wire_type)
        value: int | bytes
        if wire_type == _VARINT:
            value, position = _read_varint(data, position)
        else:
            if wire_type == _BYTES:
                length, position = _read_varint(data, position)
            value, position = _take(data, position, length)
        yield tag >> 3, value


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, position + index + 1
    message = "a varint has no end"
    raise ValueError(message)


def _take(data: bytes, position: int, length: int | None) -> tuple[bytes, int]:
    if length is None or position + length > len(data):
        message = "a field is cut short or of a wire type that is not in use"
        raise ValueError(message)
    return data[position : position + length], position + length


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    message = "a number stands where bytes belong"
    raise ValueError(message)


def _number(value: int | bytes) -> int:
    if isinstance(value, int):
        return value
    message = "bytes stand where a number belongs"
    raise ValueError(message)


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def _write(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _any(type_url: str, body: bytes) -> bytes:
    return _write(1, type_url.encode()) + _write(2, body)


def _error_info(details: ErrorDetails) -> bytes:
    head = _write(1, details.reason.encode()) + _write(2, DOMAIN.encode())
    return head + b"".join(_write(3, _any(key, text.encode())) for key, text in details.metadata.items())


def _duration(seconds: float) -> bytes:
    nanoseconds = round(seconds * 1e9)
    return _write(1, nanoseconds // 10**9) + _write(2, nanoseconds % 10**9)
