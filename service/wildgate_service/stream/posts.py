"""One message as the listing it holds, and the request_id under which it is recorded."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from wildgate import Listing, WildgateInvalidRequestError

REQUEST_ID = "wildgate-request-id"  # header by which a producer may choose it
MESSAGE_ID = "nats-msg-id"
NAMESPACE = uuid.UUID("4b0e9c2e-6a1f-5d7c-9b39-7c1f5a1d8f10")
NOT_A_POST = "NOT_A_POST"


class PoisonError(Exception):
    """A message that can never be scored, with a reason for machines and a sentence for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Incoming(Struct, frozen=True):
    """A message as it came: its bytes, its headers in lower case, and its place in the stream, which is the same at every delivery."""

    body: bytes
    place: str
    headers: dict[str, str] = {}


class Row(Struct, kw_only=True):
    """The JSON of a message; what is left out is empty. Fields are those of a line of `wildgate score --input`, and `seller_ref`."""

    id: str | int = ""
    title: str | None = None
    description: str | None = None
    kind: str = "social_post"
    attributes: dict[str, str] | None = None
    category: str | None = None
    language: str | None = None
    market: str | None = None
    seller_ref: str | None = None
    posted_time: datetime | None = None


def read_post(message: Incoming) -> Listing:
    """The listing that a message holds. Raises PoisonError."""
    try:
        row = msgspec.json.decode(message.body, type=Row)
        return Listing(
            id=str(row.id),
            title=row.title or "",
            description=row.description or "",
            attributes=row.attributes or {},
            content_kind=row.kind,
            category=row.category or "",
            language=row.language or "",
            market=row.market or "",
            seller_ref=row.seller_ref or "",
            posted_time=_in_a_zone(row.posted_time),
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, WildgateInvalidRequestError) as error:
        said = "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise PoisonError(NOT_A_POST, f"not a post: {said}") from error


def request_id_of(message: Incoming) -> str:
    """The same UUID for every delivery of a message: the producer's, else made of its message id, else of its place. Raises PoisonError.

    >>> request_id_of(Incoming(b"{}", "POSTS:7")) == request_id_of(Incoming(b"{}", "POSTS:7"))
    True
    """
    given = message.headers.get(REQUEST_ID)
    if given:
        try:
            return str(uuid.UUID(given))
        except ValueError:
            raise PoisonError(NOT_A_POST, f"header {REQUEST_ID} is no UUID") from None
    named = message.headers.get(MESSAGE_ID)
    return str(uuid.uuid5(NAMESPACE, f"id:{named}" if named else f"place:{message.place}"))


def _in_a_zone(posted: datetime | None) -> datetime | None:
    return posted.replace(tzinfo=UTC) if posted and not posted.tzinfo else posted
