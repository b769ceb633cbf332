"""One listing as a JSON object in, its decision as one out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from wildgate_service.errors import InvalidListingError
from wildgate_service.pipeline import Engine, score_listing
from wildgate_service.restricted import without_words
from wildgate_service.tags import language_tag, market_code
from wildgate_service.types import Attribute, ContentKind, Decision, Listing

FAILED = b'"error":'  # quotes inside a text are escaped, so that this is the key
MOST_LINE = 64 << 20  # bytes; the longest listing within its limits has a hundredth of it, however it is escaped

Score = Callable[[int | None, bytes], bytes]  # line number from 1, if there are lines, and one JSON object in; one JSON object out
Attributes = dict[str, str | None] | list[Attribute | str] | None


class InputRow(Struct, kw_only=True):
    """One line of input. `attributes` is a mapping (null: no such attribute), a list of {"name", "value"}, or a list of texts."""

    id: str | int | None = None
    title: str | None = None
    description: str | None = None
    kind: ContentKind = ContentKind.LISTING
    language: str | None = None
    market: str | None = None
    category: str | None = None
    attributes: Attributes = None
    posted_time: str | None = None


class _Identified(Struct):
    """What can still be read of an object that is otherwise no listing."""

    id: str | int | None = None


def decision_json(decision: Decision, listing_id: str | int | None) -> dict[str, Any]:
    """A decision as one line of output, which may travel: without the words of restricted rules."""
    return {
        "id": listing_id,
        "action": decision.action,
        "score": decision.score,
        "language": decision.language,
        "taxa": [{"group": taxon.group, "scientific_name": taxon.scientific_name, "appendix": taxon.appendix} for taxon in decision.taxa],
        "matches": [
            {
                "rule_id": match.rule_id,
                "kind": match.kind,
                "form": match.form,
                "surface": match.surface,
                "field": match.field,
                "start": match.start,
                "end": match.end,
                "views": match.views,
            }
            for match in without_words(decision.matches)
        ],
        "evidence": [{"name": evidence.name, "weight": evidence.weight} for evidence in decision.evidence],
        "reason": decision.reason,
        "notice": decision.notice,
        "lexicon_version": decision.versions.lexicon,
        "model_version": decision.versions.model,
        "policy_version": decision.versions.policy,
        **({"degraded": list(decision.degraded_reasons)} if decision.degraded_reasons else {}),
    }


def score_line(engine: Engine, line: int | None, text: bytes, today: datetime | None = None) -> bytes:
    """One JSON object in, one out. A listing that says no day of posting is of `today`, or of the day on which it is scored."""
    try:
        check_length(text)
        row = msgspec.json.decode(text, type=InputRow)
        return msgspec.json.encode(decision_json(score_listing(engine, listing_of(row, today)), row.id))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidListingError) as error:
        return failure_of(error, line, text)


def check_length(text: bytes) -> None:
    """Raise InvalidListingError for a line that is read no further."""
    if len(text) > MOST_LINE:
        message = f"the line is longer than {MOST_LINE >> 20} MiB"
        raise InvalidListingError(message, reason="FIELD_TOO_LONG", field="line", limit=str(MOST_LINE), actual=str(len(text)))


def failure_of(error: Exception, line: int | None, text: bytes) -> bytes:
    """The answer to a line that is no listing: its id, if it can be found, its number and what is wrong."""
    listing_id = None if isinstance(error, UnicodeDecodeError | RecursionError) else _id_of(text)
    known = {name: value for name, value in (("id", listing_id), ("line", line)) if value is not None}
    return msgspec.json.encode({**known, "error": _said(error)})


def _said(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, RecursionError):
        return "not a listing: nested too deeply"
    return f"not a listing: {error}" if isinstance(error, msgspec.DecodeError) else str(error)


def listing_of(row: InputRow, today: datetime | None = None) -> Listing:
    """A line of input as the listing it stands for, posted `today` if it does not say when."""
    return Listing(
        id=str(row.id if row.id is not None else ""),
        title=row.title or "",
        description=row.description or "",
        attributes=tuple(_attributes(row.attributes)),
        content_kind=row.kind,
        category=row.category or "",
        language=language_tag(row.language or ""),
        market=market_code(row.market or ""),
        posted_time=_time_of(row.posted_time) or today,
    )


def _time_of(text: str | None) -> datetime | None:
    """A day or time in ISO 8601, in UTC if it says no zone."""
    if not text:
        return None
    try:
        posted = datetime.fromisoformat(text)
    except ValueError:
        message = f"posted_time {text[:40]!r} is no ISO 8601 time such as 2026-03-31 or 2026-03-31T12:00:00Z"
        raise InvalidListingError(message, reason="FIELD_INVALID", field="posted_time") from None
    return posted if posted.tzinfo else posted.replace(tzinfo=UTC)


def _attributes(given: Attributes) -> Iterator[Attribute]:
    if isinstance(given, dict):
        yield from (Attribute(name, value) for name, value in given.items() if value is not None)
    for item in given if isinstance(given, list) else ():
        yield Attribute("", item) if isinstance(item, str) else item


def _id_of(text: bytes) -> str | int | None:
    """The id of an object that is otherwise no listing, if it can be found."""
    try:
        return msgspec.json.decode(text, type=_Identified).id
    except (ValueError, RecursionError):
        return None
