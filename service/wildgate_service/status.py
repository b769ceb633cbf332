"""Errors on the wire: google.rpc.Status with one ErrorInfo of domain "wildgate".

A `Refusal` is what an RPC raises. Its message is made here from the reason and its metadata, so that
no exception's own text ever reaches the network. Imports no gRPC: the codes are google.rpc.Code's.
"""

from __future__ import annotations

import secrets

from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from wildgate.v1 import errors_pb2
from wildgate_service.errors import (
    InvalidListingError,
    LexiconError,
    PolicyError,
    RequestReusedError,
    StoreError,
)
from wildgate_service.store import DecisionNotFoundError
from wildgate_service.writer import WriterOverloadedError

DOMAIN = "wildgate"
REASON_PREFIX = "ERROR_REASON_"
OVERLOAD_PUSHBACK_MS = 100

# Each reason of the contract: its code, and what is said of it; {names} are metadata.
REASONS: dict[str, tuple[int, str]] = {
    "FIELD_TOO_LONG": (
        code_pb2.INVALID_ARGUMENT,
        "{field} has {actual} code points, at most {limit} are allowed; shorten it",
    ),
    "TOO_MANY_ITEMS": (
        code_pb2.INVALID_ARGUMENT,
        "{field} has {actual} items, at most {limit} are allowed; send fewer",
    ),
    "FIELD_MISSING": (code_pb2.INVALID_ARGUMENT, "{field} is missing; set it"),
    "FIELD_INVALID": (
        code_pb2.INVALID_ARGUMENT,
        "{field} holds what it cannot hold; see its documentation in the contract",
    ),
    "REQUEST_ID_REUSED": (
        code_pb2.ALREADY_EXISTS,
        "this request_id came before with another listing; make one per call",
    ),
    "API_KEY_INVALID": (
        code_pb2.UNAUTHENTICATED,
        "no valid API key; send the metadata authorization: Bearer KEY",
    ),
    "SCOPE_MISSING": (
        code_pb2.PERMISSION_DENIED,
        "the API key lacks the scope {scope}; use a key that has it",
    ),
    "DECISION_NOT_FOUND": (
        code_pb2.NOT_FOUND,
        "no such decision of this tenant; check decision_id and key",
    ),
    "OVERLOADED": (
        code_pb2.RESOURCE_EXHAUSTED,
        "the service is over its capacity; retry after the pushback",
    ),
    "STORE_UNAVAILABLE": (
        code_pb2.UNAVAILABLE,
        "the decision cannot be recorded now; retry with the same request_id",
    ),
    "DRAINING": (
        code_pb2.UNAVAILABLE,
        "this process is shutting down; retry with the same request_id",
    ),
    "LEXICON_INVALID": (
        code_pb2.FAILED_PRECONDITION,
        "{file} is broken at line {line}, the old version keeps serving; mend it and reload",
    ),
    "INTERNAL": (
        code_pb2.INTERNAL,
        "a defect of the service, logged as incident {incident}; report that number",
    ),
}


class Refusal(Exception):  # noqa: N818  (an answer, not a defect)
    """An RPC or an item of a batch that gets an error instead of a result.

    `metadata` goes into ErrorInfo; `pushback_ms` asks the client to wait that long before it retries.
    """

    def __init__(self, reason: str, *, pushback_ms: int | None = None, **metadata: str) -> None:
        code, template = REASONS[reason]
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.metadata = metadata
        self.message = template.format_map(_Blanks(metadata))
        self.pushback_ms = pushback_ms


class _Blanks(dict[str, str]):
    """Metadata in which a name that was not given reads as itself."""

    def __missing__(self, name: str) -> str:
        return name


def refusal_of(error: Exception) -> Refusal:
    """What the network is told of an exception; one without a reason becomes an incident.

    The caller logs the exception of an incident together with its number.
    """
    match error:
        case Refusal():
            return error
        case InvalidListingError():
            return Refusal(error.reason, **error.metadata)
        case LexiconError():
            return Refusal("LEXICON_INVALID", file=error.file, line=str(error.line))
        case PolicyError():
            return Refusal("LEXICON_INVALID", file="policy", line="0")
        case DecisionNotFoundError():
            return Refusal("DECISION_NOT_FOUND")
        case WriterOverloadedError():
            return Refusal("OVERLOADED", pushback_ms=OVERLOAD_PUSHBACK_MS)
        case StoreError():
            return Refusal("STORE_UNAVAILABLE")
        case RequestReusedError():
            return Refusal("REQUEST_ID_REUSED")
        case _:
            return Refusal("INTERNAL", incident=secrets.token_hex(8))


def to_status(refusal: Refusal) -> status_pb2.Status:
    """The refusal of a whole RPC."""
    info = error_details_pb2.ErrorInfo(
        reason=refusal.reason, domain=DOMAIN, metadata=refusal.metadata
    )
    detail = any_pb2.Any()
    detail.Pack(info)
    return status_pb2.Status(code=refusal.code, message=refusal.message, details=[detail])


def to_item_error(refusal: Refusal) -> errors_pb2.ItemError:
    """The refusal of one item of a batch."""
    return errors_pb2.ItemError(
        code=refusal.code,
        reason=errors_pb2.ErrorReason.Value(REASON_PREFIX + refusal.reason),
        message=refusal.message,
        metadata=refusal.metadata,
    )


def invalid(field: str, **metadata: str) -> Refusal:
    """A field that holds what it cannot hold."""
    return Refusal("FIELD_INVALID", field=field, **metadata)


def too_many(field: str, actual: int, limit: int) -> Refusal:
    """A repeated field with too many items."""
    return Refusal("TOO_MANY_ITEMS", field=field, actual=str(actual), limit=str(limit))


def too_long(field: str, actual: int, limit: int) -> Refusal:
    """A field with too many code points."""
    return Refusal("FIELD_TOO_LONG", field=field, actual=str(actual), limit=str(limit))


def missing(field: str) -> Refusal:
    """A field that is needed and empty."""
    return Refusal("FIELD_MISSING", field=field)
