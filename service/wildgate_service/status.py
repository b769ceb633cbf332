"""Errors on the wire: google.rpc.Status with one ErrorInfo of domain "wildgate", and RetryInfo where a retry should wait.

A `Refusal` is what an RPC raises. Its message is made here from the reason and its metadata, so
that no exception's own text ever reaches the network. No gRPC: the codes are google.rpc.Code's.
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from wildgate.v1 import errors_pb2

from wildgate_service.errors import (
    InvalidListingError,
    RequestReusedError,
    StoreError,
)
from wildgate_service.store import DecisionNotFoundError
from wildgate_service.writer import WriterOverloadedError

if TYPE_CHECKING:
    from collections.abc import Mapping

DOMAIN = "wildgate"
REASON_PREFIX = "ERROR_REASON_"
OVERLOAD_PUSHBACK_MS = 100
EMPTY: Mapping[str, str] = MappingProxyType({})
# What sentences say where nothing else is said.
WORDS: Mapping[str, str] = MappingProxyType({"unit": "code points", "place": "the log says which"})


class Reason(StrEnum):
    """The contract's ErrorReason without its prefix, as ErrorInfo has it."""

    FIELD_TOO_LONG = "FIELD_TOO_LONG"
    TOO_MANY_ITEMS = "TOO_MANY_ITEMS"
    FIELD_MISSING = "FIELD_MISSING"
    FIELD_INVALID = "FIELD_INVALID"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    API_KEY_INVALID = "API_KEY_INVALID"
    SCOPE_MISSING = "SCOPE_MISSING"
    DECISION_NOT_FOUND = "DECISION_NOT_FOUND"
    OVERLOADED = "OVERLOADED"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    DRAINING = "DRAINING"
    LEXICON_INVALID = "LEXICON_INVALID"
    INTERNAL = "INTERNAL"
    RATE_LIMITED = "RATE_LIMITED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"


# The code of each reason, and what is said of it; {names} are metadata or words.
SENTENCES: dict[Reason, tuple[int, str]] = {
    Reason.FIELD_TOO_LONG: (
        code_pb2.INVALID_ARGUMENT,
        "{field} has {actual} {unit}, at most {limit} are allowed; shorten it",
    ),
    Reason.TOO_MANY_ITEMS: (
        code_pb2.INVALID_ARGUMENT,
        "{field} has {actual} items, at most {limit} are allowed; send fewer",
    ),
    Reason.FIELD_MISSING: (code_pb2.INVALID_ARGUMENT, "{field} is missing; set it"),
    Reason.FIELD_INVALID: (
        code_pb2.INVALID_ARGUMENT,
        "{field} holds what it cannot hold; see its documentation in the contract",
    ),
    Reason.REQUEST_ID_REUSED: (
        code_pb2.ALREADY_EXISTS,
        "this request_id came before with another listing; make one per call",
    ),
    Reason.API_KEY_INVALID: (
        code_pb2.UNAUTHENTICATED,
        "no valid API key; send the metadata authorization: Bearer KEY",
    ),
    Reason.SCOPE_MISSING: (
        code_pb2.PERMISSION_DENIED,
        "the API key lacks the scope {scope}; use a key that has it",
    ),
    Reason.DECISION_NOT_FOUND: (
        code_pb2.NOT_FOUND,
        "no such decision of this tenant; check decision_id and key",
    ),
    Reason.OVERLOADED: (
        code_pb2.RESOURCE_EXHAUSTED,
        "the service is over its capacity; retry after the pushback",
    ),
    Reason.STORE_UNAVAILABLE: (
        code_pb2.UNAVAILABLE,
        "the decision cannot be recorded now; retry with the same request_id",
    ),
    Reason.DRAINING: (
        code_pb2.UNAVAILABLE,
        "this process is shutting down; retry with the same request_id",
    ),
    Reason.LEXICON_INVALID: (
        code_pb2.FAILED_PRECONDITION,
        "a lexicon or policy is broken ({place}) and the old one keeps serving; mend it and reload",
    ),
    Reason.INTERNAL: (
        code_pb2.INTERNAL,
        "a defect of the service, logged as incident {incident}; report that number",
    ),
    Reason.RATE_LIMITED: (
        code_pb2.RESOURCE_EXHAUSTED,
        "over this tenant's {limit} listings a second ({burst} at once); retry after the pushback, or have the limit raised",
    ),
    Reason.QUOTA_EXCEEDED: (
        code_pb2.RESOURCE_EXHAUSTED,
        "over this tenant's {limit} listings a day; it begins anew at {resets}, or have the limit raised",
    ),
    Reason.TOO_MANY_ATTEMPTS: (
        code_pb2.RESOURCE_EXHAUSTED,
        "too many calls without a valid API key came from this address; send the metadata authorization: Bearer KEY",
    ),
}


class Refusal(Exception):  # noqa: N818  (an answer, not a defect)
    """An RPC or an item of a batch that gets an error instead of a result.

    `metadata` goes into ErrorInfo, `words` into the message alone, `pushback_ms` asks the client to wait before it retries.
    """

    def __init__(
        self,
        reason: Reason,
        metadata: Mapping[str, str] = EMPTY,
        *,
        words: Mapping[str, str] = EMPTY,
        pushback_ms: int | None = None,
    ) -> None:
        code, template = SENTENCES[reason]
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.metadata = metadata
        self.message = template.format_map(_Blanks({**WORDS, **words, **metadata}))
        self.pushback_ms = pushback_ms


class _Blanks(dict[str, str]):
    """Metadata in which a name that was not given reads as itself."""

    def __missing__(self, name: str) -> str:
        return name


# Errors that say nothing but their kind.
KINDS: tuple[tuple[type[Exception], Reason], ...] = (
    (DecisionNotFoundError, Reason.DECISION_NOT_FOUND),
    (RequestReusedError, Reason.REQUEST_ID_REUSED),
    (StoreError, Reason.STORE_UNAVAILABLE),
)


def refusal_of(error: Exception) -> Refusal:
    """Say to the network what became of an exception; one without a reason becomes an incident.

    The caller logs the exception of an incident together with its number.
    """
    if isinstance(error, Refusal):
        return error
    if isinstance(error, InvalidListingError):
        return Refusal(Reason(error.reason), error.metadata)
    if isinstance(error, WriterOverloadedError):
        return overloaded()
    for kind, reason in KINDS:
        if isinstance(error, kind):
            return Refusal(reason)
    return Refusal(Reason.INTERNAL, {"incident": secrets.token_hex(8)})


def to_status(refusal: Refusal) -> status_pb2.Status:
    """Make the status of an RPC that was refused."""
    info = error_details_pb2.ErrorInfo(reason=refusal.reason, domain=DOMAIN, metadata=refusal.metadata)
    details = [_packed(info)]
    if refusal.pushback_ms is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(refusal.pushback_ms)
        details.append(_packed(error_details_pb2.RetryInfo(retry_delay=delay)))
    return status_pb2.Status(code=refusal.code, message=refusal.message, details=details)


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def to_item_error(refusal: Refusal) -> errors_pb2.ItemError:
    """Make the error of an item of a batch that was refused."""
    return errors_pb2.ItemError(
        code=refusal.code,
        reason=errors_pb2.ErrorReason.Value(REASON_PREFIX + refusal.reason),
        message=refusal.message,
        metadata=refusal.metadata,
    )


def invalid(field: str) -> Refusal:
    """Refuse a field that holds what it cannot hold."""
    return Refusal(Reason.FIELD_INVALID, {"field": field})


def missing(field: str) -> Refusal:
    """Refuse an empty field that is needed."""
    return Refusal(Reason.FIELD_MISSING, {"field": field})


def too_many(field: str, actual: int, limit: int) -> Refusal:
    """Refuse a repeated field with too many items."""
    return _over(Reason.TOO_MANY_ITEMS, field, actual, limit)


def too_long(field: str, actual: int, limit: int, *, unit: str = WORDS["unit"]) -> Refusal:
    """Refuse a text that is too long."""
    return _over(Reason.FIELD_TOO_LONG, field, actual, limit, {"unit": unit})


def _over(reason: Reason, field: str, actual: int, limit: int, words: Mapping[str, str] = EMPTY) -> Refusal:
    return Refusal(reason, {"field": field, "actual": str(actual), "limit": str(limit)}, words=words)


def broken_lexicon(file: str, line: int) -> Refusal:
    """Refuse to serve a lexicon or policy that is broken there; "" and 0 where no place is known."""
    words = {"place": f"{file}, line {line}"} if file else EMPTY
    return Refusal(Reason.LEXICON_INVALID, {"file": file, "line": str(line)}, words=words)


def overloaded() -> Refusal:
    """Refuse a call that the service has no room for, and say when to come again."""
    return Refusal(Reason.OVERLOADED, pushback_ms=OVERLOAD_PUSHBACK_MS)
