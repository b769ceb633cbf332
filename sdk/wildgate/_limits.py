"""Checks made before anything is sent: the same limits and reasons as the service's own.

Lengths are in code points. Messages name fields and sizes, never text.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from wildgate._errors import WildgateInvalidRequestError
from wildgate._outcomes import Outcome
from wildgate._types import Listing

MAX_TITLE = 1_000
MAX_DESCRIPTION = 20_000
MAX_ATTRIBUTES = 64
MAX_SHORT_TEXT = 256
MAX_BATCH = 256


def check_listing(listing: Listing) -> None:
    """Raise WildgateInvalidRequestError for the first field the service would refuse."""
    if not isinstance(listing, Listing):
        message = f"a Listing is needed, not {type(listing).__name__}"
        raise _invalid(message, "listing")
    check_text("title", listing.title, MAX_TITLE)
    check_text("description", listing.description, MAX_DESCRIPTION)
    for name in ("id", "category", "language", "market", "seller_ref"):
        check_text(name, getattr(listing, name), MAX_SHORT_TEXT)
    check_time("posted_time", listing.posted_time)
    if listing.attributes:
        _check_attributes(listing)


def check_text(name: str, text: str, limit: int) -> None:
    """Raise unless `text` is a `str` of at most `limit` code points that can be encoded."""
    if not isinstance(text, str):
        message = f"{name} must be str, not {type(text).__name__}"
        raise _invalid(message, name)
    if len(text) > limit:
        message = f"{name} has {len(text):,} code points; at most {limit:,} are allowed"
        raise _too_much("FIELD_TOO_LONG", message, name, limit, len(text))
    if not text.isascii():
        _check_encodable(name, text)


def check_id(name: str, value: object) -> str:
    """Return the UUID in its usual spelling."""
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        message = f"{name} must be a UUID, such as wildgate.uuid7() makes"
        raise _invalid(message, name) from None


def check_time(name: str, value: datetime | None) -> None:
    """Raise for a time without zone, which could be any of 26 hours."""
    if value is None:
        return
    if not isinstance(value, datetime) or value.utcoffset() is None:
        message = f"{name} must be a datetime with a time zone, such as datetime.now(UTC)"
        raise _invalid(message, name)


def check_outcome(outcome: Outcome) -> None:
    """Raise unless the outcome names exactly one subject, by an id."""
    if (outcome.decision_id is None) == (outcome.request_id is None):
        message = "an outcome needs either decision_id or request_id"
        raise _invalid(message, "subject", "FIELD_MISSING")
    check_id("outcome_id", outcome.outcome_id)
    if outcome.decision_id is not None:
        check_id("decision_id", outcome.decision_id)
    if outcome.request_id is not None:
        check_id("request_id", outcome.request_id)
    if outcome.corrects:
        check_id("corrects", outcome.corrects)
    check_time("occurred_time", outcome.occurred_time)
    check_time("restricted_until", outcome.restricted_until)
    check_text("degraded_reason", outcome.degraded_reason, MAX_SHORT_TEXT)


def _check_attributes(listing: Listing) -> None:
    count = len(listing.attributes)
    if count > MAX_ATTRIBUTES:
        message = f"the listing has {count} attributes; at most {MAX_ATTRIBUTES} are allowed"
        raise _too_much("TOO_MANY_ITEMS", message, "attributes", MAX_ATTRIBUTES, count)
    for index, attribute in enumerate(listing.attributes):
        check_text(f"attributes[{index}].name", attribute.name, MAX_SHORT_TEXT)
        check_text(f"attributes[{index}].value", attribute.value, MAX_SHORT_TEXT)


def _check_encodable(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = (
            f"{name} holds a lone surrogate, U+{ord(text[error.start]):04X}, at {error.start}: "
            "half of a character, left by a broken decoding; decode the text again or replace it"
        )
        raise _invalid(message, name) from None


def _invalid(message: str, name: str, reason: str = "FIELD_INVALID") -> WildgateInvalidRequestError:
    return WildgateInvalidRequestError(message, reason=reason, metadata={"field": name})


def _too_much(reason: str, message: str, name: str, limit: int, actual: int) -> WildgateInvalidRequestError:
    metadata = {"field": name, "limit": str(limit), "actual": str(actual)}
    return WildgateInvalidRequestError(message, reason=reason, metadata=metadata)
