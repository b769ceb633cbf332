"""The EU's transparency database over HTTP: one call in, one plain answer out. No retries here, and the token never in a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2
import msgspec
from msgspec import Struct

from wildgate_service.errors import WildgateError

MOST_STATEMENTS = 100  # of one call
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
CREATED, FOUND, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_LARGE, INVALID, TOO_MANY = 201, 302, 401, 403, 404, 413, 422, 429
SERVER_ERROR = 500
ITEM = "statement_"


class SubmissionError(WildgateError):
    """The database cannot be used as things are: its address, the token or its answers are wrong. What was sent is in the journal."""


class Stored(Struct, frozen=True):
    """All statements of the call were stored; the database's ids in their order, () if it did not say them."""

    ids: tuple[str, ...]


class Invalid(Struct, frozen=True):
    """None was stored: what is wrong by place in the call; {} if the answer names no place."""

    problems: dict[int, list[str]]


class Duplicate(Struct, frozen=True):
    """None was stored: these puids are there, or are being stored at the moment."""

    puids: frozenset[str]


class Busy(Struct, frozen=True):
    """None was stored: too many calls. `seconds` to wait if the database says."""

    seconds: float | None


class Unclear(Struct, frozen=True):
    """Nobody knows whether they were stored."""

    problem: str


Answer = Stored | Invalid | Duplicate | Busy | Unclear


class Database:
    """A connection to the database at `url`. A context manager.

    `seconds` is how long one answer may take. A token goes over plain HTTP to this machine alone.
    """

    def __init__(self, url: str, token: str, *, seconds: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SubmissionError(f"{url!r} is no address: give one like https://transparency.dsa.ec.europa.eu")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise SubmissionError(f"{url} would carry the token in the clear: use https")
        self._client = httpx2.Client(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=seconds,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, statements: Sequence[dict[str, Any]]) -> Answer:
        """Send at most MOST_STATEMENTS in one call: all of them are stored or none. Raises SubmissionError."""
        body = msgspec.json.encode({"statements": statements})
        response = self._call("POST", "/api/v1/statements", body)
        if isinstance(response, str):
            return Unclear(response)
        if response.status_code == CREATED:
            return Stored(_ids(response, len(statements)))
        if response.status_code == TOO_LARGE:
            return Invalid({})
        if response.status_code == INVALID:
            return _invalid(response)
        return _not_now(response)

    def exists(self, puid: str) -> bool | Busy | Unclear:
        """Whether a statement is stored. Raises SubmissionError."""
        response = self._call("GET", f"/api/v1/statement/existing-puid/{puid}")
        if isinstance(response, str):
            return Unclear(response)
        if response.status_code in {FOUND, NOT_FOUND} and _json(response).get("puid") == puid:
            return response.status_code == FOUND
        return _not_now(response)

    def _call(self, method: str, path: str, body: bytes | None = None) -> httpx2.Response | str:
        """The response, or what kept it away."""
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            response = self._client.request(method, path, content=body, headers=headers)
        except httpx2.RequestError as error:
            return f"no answer ({type(error).__name__})"
        if response.status_code in {UNAUTHORIZED, FORBIDDEN}:
            reason = "does not know the token: a new one makes the old one void" if response.status_code == UNAUTHORIZED else "forbids it"
            raise SubmissionError(f"{self._client.base_url} {reason} ({response.status_code})")
        return response


def _not_now(response: httpx2.Response) -> Busy | Unclear:
    if response.status_code == TOO_MANY:
        return Busy(_seconds(response.headers.get("Retry-After", "")))
    if response.status_code >= SERVER_ERROR:
        return Unclear(f"answer {response.status_code}")
    raise SubmissionError(f"{response.request.url} answers {response.status_code}, which the database would not: check the address")


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None


def _ids(response: httpx2.Response, count: int) -> tuple[str, ...]:
    """The ids in the answer; it names no puids, so they count only if there is one for each."""
    stored = _json(response).get("statements")
    ids = tuple(str(each.get("uuid", "")) for each in stored if isinstance(each, dict)) if isinstance(stored, list) else ()
    return ids if len(ids) == count else ()


def _invalid(response: httpx2.Response) -> Invalid | Duplicate:
    errors = _json(response).get("errors")
    if not isinstance(errors, dict):
        return Invalid({})
    existing = errors.get("existing_puids")
    if isinstance(existing, list):
        return Duplicate(frozenset(map(str, existing)))
    named = {name.removeprefix(ITEM): fields for name, fields in errors.items() if name.startswith(ITEM)}
    return Invalid({int(place): _told(fields) for place, fields in named.items() if place.isascii() and place.isdigit()})


def _told(fields: object) -> list[str]:
    """Which fields are wrong and why, without what the answer may repeat of values beyond that."""
    return [f"{name}: {' '.join(map(str, texts))}" for name, texts in fields.items()] if isinstance(fields, dict) else [str(fields)]


def _json(response: httpx2.Response) -> dict[str, Any]:
    """The object in the answer, {} if it is none."""
    try:
        return msgspec.json.decode(response.content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
