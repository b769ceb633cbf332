"""What can go wrong, as a tree.

    WildgateError
    ├── WildgateUnavailableError          nothing answered: retryable, covered by on_unavailable
    │   ├── WildgateDeadlineExceededError   not within the deadline
    │   └── WildgateOverloadedError         the service is over its capacity, and refused or dropped the call
    │       └── WildgateLimitExceededError    the tenant is over its rate or its quota of the day
    ├── WildgateInvalidRequestError       (ValueError) a field is too long, missing or malformed
    ├── WildgateAuthenticationError       no API key, or one that is unknown, expired or revoked
    ├── WildgatePermissionError           the API key lacks a scope
    ├── WildgateNotFoundError             the decision is not known to this tenant
    ├── WildgateConflictError             the same request_id came with another listing
    ├── WildgateUnimplementedError        the service is older than this client, or another service
    ├── WildgateInternalError             a defect of the service, or an answer that makes no sense
    ├── WildgateConfigurationError        (ValueError) the client was set up wrongly
    └── WildgateUsageError                (RuntimeError) closed, forked, or used from another loop

Only the first branch may be answered by `on_unavailable`; the others are always raised, so that a
bad key or a bad request is never taken for an outage.

Each error carries `reason` (stable, for machines: a name of `wildgate.v1.ErrorReason`, or else of
the gRPC status), `metadata` (field, limit, actual, scope, …), `request_id` where there is one, and
`retry_after`. No error carries listing text.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import ClassVar

from wildgate._status import ErrorDetails


class Code(IntEnum):
    """Status codes of gRPC, by the numbers that items of a batch carry too."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class WildgateError(Exception):
    """Any failure of this package."""

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        """Keep the message and the facts for machines."""
        super().__init__(message)
        self.message = message
        self.reason = reason or type(self).__name__
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after
        """Seconds to wait before trying again, if the service said so."""
        self.request_id = request_id

    def is_retryable(self) -> bool:
        """Tell whether the same call may succeed later."""
        return False


class WildgateUnavailableError(WildgateError):
    """The service could not be reached, or could not answer for now."""

    why: ClassVar[str] = "unavailable"
    """As in `Decision.degraded_reasons`."""

    def is_retryable(self) -> bool:
        """Tell that it is: with the same `request_id` a repeat gets the recorded answer."""
        return True


class WildgateDeadlineExceededError(WildgateUnavailableError):
    """No answer within the deadline; the service may have decided all the same."""

    why = "deadline_exceeded"


class WildgateOverloadedError(WildgateUnavailableError):
    """The service refuses work that it has no capacity for."""

    why = "resource_exhausted"


class WildgateLimitExceededError(WildgateOverloadedError):
    """The tenant is over its limit: `reason` tells the rate from the quota of the day, `retry_after` when to come again."""

    why = "limit_exceeded"


class WildgateInvalidRequestError(WildgateError, ValueError):
    """The request cannot be answered as it is; often found before anything is sent."""


class WildgateAuthenticationError(WildgateError):
    """The API key is missing, unknown, expired or revoked."""


class WildgatePermissionError(WildgateError):
    """The API key lacks the scope that `metadata["scope"]` names."""


class WildgateNotFoundError(WildgateError):
    """The decision or request is not known to this tenant."""


class WildgateConflictError(WildgateError):
    """The same `request_id` was used before for another listing."""


class WildgateUnimplementedError(WildgateError):
    """The service does not know this call."""


class WildgateInternalError(WildgateError):
    """A defect of the service; `metadata["incident"]` helps its operators find it."""


class WildgateConfigurationError(WildgateError, ValueError):
    """The client was set up in a way that is wrong or unsafe."""


class WildgateUsageError(WildgateError, RuntimeError):
    """The client is closed, was inherited by a fork that cannot use it, or has another loop."""


_BY_REASON: dict[str, type[WildgateError]] = {
    "OVERLOADED": WildgateOverloadedError,
    "STORE_UNAVAILABLE": WildgateUnavailableError,
    "DRAINING": WildgateUnavailableError,
    "RATE_LIMITED": WildgateLimitExceededError,
    "QUOTA_EXCEEDED": WildgateLimitExceededError,
    # A bad key, told in fewer words: never an outage.
    "TOO_MANY_ATTEMPTS": WildgateAuthenticationError,
}

_BY_CODE: dict[int, type[WildgateError]] = {
    # How gRPC in the service drops calls that it has no room for, unread; the client itself cancels none.
    Code.CANCELLED: WildgateOverloadedError,
    Code.INVALID_ARGUMENT: WildgateInvalidRequestError,
    Code.DEADLINE_EXCEEDED: WildgateDeadlineExceededError,
    Code.NOT_FOUND: WildgateNotFoundError,
    Code.ALREADY_EXISTS: WildgateConflictError,
    Code.PERMISSION_DENIED: WildgatePermissionError,
    Code.RESOURCE_EXHAUSTED: WildgateOverloadedError,
    Code.FAILED_PRECONDITION: WildgateInvalidRequestError,
    Code.OUT_OF_RANGE: WildgateInvalidRequestError,
    Code.UNIMPLEMENTED: WildgateUnimplementedError,
    Code.UNAVAILABLE: WildgateUnavailableError,
    Code.UNAUTHENTICATED: WildgateAuthenticationError,
}


_TOO_LARGE = "message larger than max"
"""In what gRPC itself says of a message over its limit, at either end."""

_BROKEN = "Stream removed"
"""How gRPC begins what it says, as UNKNOWN or INTERNAL, of a call whose connection it gave up for bytes that are not HTTP/2."""


def make_error(code: int, message: str, details: ErrorDetails | None = None, request_id: str | None = None) -> WildgateError:
    """Choose the error for a status: by Wildgate's reason where that says more, else by code.

    Codes that are not listed in the tree (UNKNOWN, ABORTED, DATA_LOSS, a number not defined yet)
    are defects of the service. A connection that broke is an outage, whatever broke it.
    """
    details = details or ErrorDetails()
    if code in {Code.UNKNOWN, Code.INTERNAL} and message.startswith(_BROKEN):
        code = Code.UNAVAILABLE
    kind = _BY_REASON.get(details.reason) or _kind_of(code, message, details.reason)
    return kind(
        message or details.message or "the service gave no message",
        reason=details.reason or code_name(code),
        metadata=details.metadata,
        retry_after=details.retry_after,
        request_id=request_id,
    )


def _kind_of(code: int, message: str, reason: str) -> type[WildgateError]:
    """The error for a status whose reason says no more.

    gRPC refuses a message over its limit with the code of an overload; that no second attempt and no
    `on_unavailable` can mend.
    """
    if code == Code.RESOURCE_EXHAUSTED and (reason or _TOO_LARGE in message.lower()):
        return WildgateInvalidRequestError
    return _BY_CODE.get(code, WildgateInternalError)


def code_name(code: int) -> str:
    """Name a status code, also one that gRPC has not defined yet."""
    return Code(code).name if code in Code.__members__.values() else f"CODE_{code}"
