"""A refusal as a Connect error: its code, its sentence, ErrorInfo and RetryInfo as details that curl's users can read too."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from connectrpc.code import Code
from connectrpc.errors import ConnectError, ErrorDetail
from google.protobuf import descriptor_pb2, duration_pb2
from google.rpc import error_details_pb2
from protobuf.wkt import Any, FileDescriptorSet

from wildgate_service.status import Refusal, to_status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.any_pb2 import Any as Packed

PUSHBACK = "grpc-retry-pushback-ms"  # in milliseconds, under the name that gRPC has for it
RETRY_AFTER = "retry-after"  # RFC 9110, section 10.2.3: whole seconds
# Of google.rpc.Code, from 1 on.
CODES = (
    Code.CANCELED,
    Code.UNKNOWN,
    Code.INVALID_ARGUMENT,
    Code.DEADLINE_EXCEEDED,
    Code.NOT_FOUND,
    Code.ALREADY_EXISTS,
    Code.PERMISSION_DENIED,
    Code.RESOURCE_EXHAUSTED,
    Code.FAILED_PRECONDITION,
    Code.ABORTED,
    Code.OUT_OF_RANGE,
    Code.UNIMPLEMENTED,
    Code.INTERNAL,
    Code.UNAVAILABLE,
    Code.DATA_LOSS,
    Code.UNAUTHENTICATED,
)


class RefusedError(ConnectError):
    """A refusal on its way through connectrpc."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(CODES[refusal.code - 1], refusal.message, _details(to_status(refusal).details))
        self.refusal = refusal


def retry_headers(refusal: Refusal) -> dict[str, str]:
    """When to come again, for whoever reads headers: whole seconds, rounded up, and exact milliseconds."""
    if refusal.pushback_ms is None:
        return {}
    return {RETRY_AFTER: str(math.ceil(refusal.pushback_ms / 1000)), PUSHBACK: str(refusal.pushback_ms)}


def error_body(code: Code, message: str) -> bytes:
    """The JSON of an error without details."""
    return json.dumps({"code": code.value, "message": message}).encode()


def _details(packed: Iterable[Packed]) -> list[ErrorDetail]:
    return [_detail(Any(type_url=each.type_url, value=each.value)) for each in packed]


def _detail(packed: Any) -> ErrorDetail:
    """Of a type that is known here connectrpc also writes what it says, as `debug`."""
    kind = KNOWN.message(packed.type_url.rpartition("/")[2])
    message = packed.unpack(kind) if kind else None
    return ErrorDetail(message or packed)


def _known_details() -> FileDescriptorSet:
    """google.rpc's details from the descriptors that googleapis-common-protos has, which lack the names that JSON gives the fields."""
    files = descriptor_pb2.FileDescriptorSet()
    for module in (duration_pb2, error_details_pb2):
        file = files.file.add()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _name_fields(message)
    return FileDescriptorSet.from_binary(files.SerializeToString())


def _name_fields(message: descriptor_pb2.DescriptorProto) -> None:
    for field in message.field:
        first, *rest = field.name.split("_")
        field.json_name = first + "".join(map(str.capitalize, rest))
    for nested in message.nested_type:
        _name_fields(nested)


KNOWN = _known_details().to_registry()
