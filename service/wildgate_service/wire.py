"""Between the contract's messages and the types: nothing else knows both.

Spans are code points inside and the caller's unit outside; explanations are cut to its level.
"""

from __future__ import annotations

import re
from datetime import UTC
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from wildgate.v1 import types_pb2

from wildgate_service.pipeline import ATTRIBUTES_LIMIT
from wildgate_service.restricted import without_words
from wildgate_service.status import invalid, too_many
from wildgate_service.tags import language_tag, market_code
from wildgate_service.types import Action, Attribute, ContentKind, Listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from google.protobuf.timestamp_pb2 import Timestamp

    from wildgate_service.types import Decision, Match, Receipt

UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
ATTRIBUTE_FIELD = re.compile(r"attributes\[(\d+)\]\.(name|value)")

CONTENT_KINDS = {
    types_pb2.CONTENT_KIND_UNSPECIFIED: ContentKind.LISTING,
    types_pb2.CONTENT_KIND_LISTING: ContentKind.LISTING,
    types_pb2.CONTENT_KIND_SOCIAL_POST: ContentKind.SOCIAL_POST,
    types_pb2.CONTENT_KIND_CARGO_BOOKING: ContentKind.CARGO_BOOKING,
}
ACTIONS = {
    Action.ALLOW: types_pb2.ACTION_ALLOW,
    Action.REVIEW: types_pb2.ACTION_REVIEW,
    Action.BLOCK: types_pb2.ACTION_BLOCK,
}


class Explain(IntEnum):
    """How much is explained; numbers are the contract's, and each level holds those before it."""

    NONE = types_pb2.EXPLAIN_NONE
    TAXA = types_pb2.EXPLAIN_TAXA
    MATCHES = types_pb2.EXPLAIN_MATCHES
    FULL = types_pb2.EXPLAIN_FULL


class ScoreDetail(StrEnum):
    """How much of the score a caller sees. Who tries texts to learn words learns more from a number than from an action."""

    EXACT = "exact"
    TENTHS = "tenths"
    ACTION = "action"


class SpanUnit(IntEnum):
    """What spans are counted in; numbers are the contract's."""

    CODE_POINT = types_pb2.SPAN_UNIT_CODE_POINT
    UTF16 = types_pb2.SPAN_UNIT_UTF16
    UTF8 = types_pb2.SPAN_UNIT_UTF8


# What a caller sees as score who may see no more than the action.
ACTION_SCORES = {Action.ALLOW: 0.0, Action.REVIEW: 0.5, Action.BLOCK: 1.0}
EXPLAINS: dict[int, Explain] = {level.value: level for level in Explain}
SPAN_UNITS: dict[int, SpanUnit] = {
    types_pb2.SPAN_UNIT_UNSPECIFIED: SpanUnit.CODE_POINT,
    **{unit.value: unit for unit in SpanUnit},
}
# Encoding of each unit, and the bytes of one.
ENCODINGS = {SpanUnit.UTF16: ("utf-16-le", 2), SpanUnit.UTF8: ("utf-8", 1)}


# --- in ------------------------------------------------------------------------------------------


def to_listing(message: types_pb2.Listing) -> Listing:
    """Read a listing; its texts and their limits are the pipeline's to check.

    Raises Refusal for a kind, language, market or time that cannot be, for attributes of which a small message may hold millions, and for
    an id with the character NUL, which PostgreSQL cannot keep.
    """
    if len(message.attributes) > ATTRIBUTES_LIMIT:
        raise too_many("attributes", len(message.attributes), ATTRIBUTES_LIMIT)
    kind = CONTENT_KINDS.get(message.content_kind)
    if kind is None:
        raise invalid("content_kind")
    if "\0" in message.listing_id:
        raise invalid("listing_id")
    return Listing(
        id=message.listing_id,
        title=message.title,
        description=message.description,
        attributes=tuple(Attribute(each.name, each.value) for each in message.attributes),
        content_kind=kind,
        category=message.category,
        language=language_tag(message.language),
        market=market_code(message.market),
        seller_ref=message.seller_ref,
        posted_time=to_datetime(message.posted_time, "posted_time") if message.HasField("posted_time") else None,
    )


def _checked(text: str, pattern: re.Pattern[str], field: str) -> str:
    if text and not pattern.fullmatch(text):
        raise invalid(field)
    return text


def to_uuid(text: str, field: str) -> str:
    """Read a UUID, in lower case; raises Refusal if it is none. "" stays as it is."""
    return _checked(text, UUID, field).lower()


def to_datetime(message: Timestamp, field: str) -> datetime:
    """Read a time, in UTC; raises Refusal outside the years 1 to 9999."""
    try:
        return message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise invalid(field) from error


def to_explain(requested: int, default: Explain, cap: Explain) -> Explain:
    """Read the level asked for, or take the default; never above the cap."""
    level = EXPLAINS.get(requested) if requested else default
    if level is None:
        raise invalid("explain")
    return min(level, cap)


def to_span_unit(requested: int) -> SpanUnit:
    """Read the unit asked for; code points if none."""
    unit = SPAN_UNITS.get(requested)
    if unit is None:
        raise invalid("span_unit")
    return unit


# --- out -----------------------------------------------------------------------------------------


def from_decision(
    decision: Decision,
    listing: Listing,
    *,
    explain: Explain,
    unit: SpanUnit,
    restricted: bool,
    score_detail: ScoreDetail = ScoreDetail.EXACT,
    timings: Iterable[tuple[str, int]] = (),
) -> types_pb2.Decision:
    """Make the answer, without the ids that recording gives it.

    `restricted` says whether the caller may see the words of restricted rules; `timings` are
    (stage, nanoseconds).
    """
    message = types_pb2.Decision(
        listing_id=listing.id,
        action=ACTIONS[decision.action],
        score=_shown_score(decision, score_detail),
        language=decision.language,
        notice=decision.notice,
        lexicon_version=decision.versions.lexicon,
        model_version=decision.versions.model,
        policy_version=decision.versions.policy,
        shadow=decision.shadow,
        shadow_action=ACTIONS[decision.shadow_action],
    )
    if decision.sampled:
        message.sample_for_review = True
    if decision.degraded_reasons:
        message.degraded = True
        message.degraded_reasons.extend(decision.degraded_reasons)
    if explain >= Explain.TAXA and decision.taxa:
        message.taxa.extend(
            types_pb2.Taxon(group=taxon.group, scientific_name=taxon.scientific_name, appendix=taxon.appendix) for taxon in decision.taxa
        )
    if explain >= Explain.MATCHES:
        message.reason = decision.reason
        if decision.matches:
            message.matches.extend(_from_matches(decision.matches, listing, unit, restricted))
    if explain >= Explain.FULL:
        _add_evidence(message, decision, timings)
    return message


def _shown_score(decision: Decision, detail: ScoreDetail) -> float:
    if detail is ScoreDetail.EXACT:
        return decision.score
    return round(decision.score, 1) if detail is ScoreDetail.TENTHS else ACTION_SCORES[decision.shadow_action]


def _add_evidence(message: types_pb2.Decision, decision: Decision, timings: Iterable[tuple[str, int]]) -> None:
    message.evidence.extend(types_pb2.Evidence(name=each.name, weight=each.weight) for each in decision.evidence)
    message.timings.extend(types_pb2.StageTiming(stage=stage, microseconds=nanoseconds // 1000) for stage, nanoseconds in timings)


def _from_matches(
    matches: Sequence[Match],
    listing: Listing,
    unit: SpanUnit,
    restricted: bool,  # noqa: FBT001
) -> Iterable[types_pb2.Match]:
    shown = list(matches if restricted else without_words(matches))
    places = None if unit is SpanUnit.CODE_POINT else _Places(shown, listing, unit)
    for match in shown:
        start, end = match.start, match.end
        if places is not None:
            start, end = places.of(match.field, start), places.of(match.field, end)
        yield types_pb2.Match(
            rule_id=match.rule_id,
            kind=match.kind,
            form=match.form,
            gloss=match.gloss,
            surface=match.surface,
            field=match.field,
            span=types_pb2.Span(start=start, end=end),
            views=match.views,
        )


class _Places:
    """Positions of the matches in another unit; each field's text is walked once."""

    def __init__(self, matches: Sequence[Match], listing: Listing, unit: SpanUnit) -> None:
        points: dict[str, set[int]] = {}
        for match in matches:
            points.setdefault(match.field, set()).update((match.start, match.end))
        self._of = {field: positions_in(field_text(listing, field), wanted, unit) for field, wanted in points.items()}

    def of(self, field: str, position: int) -> int:
        return self._of[field][position]


def positions_in(text: str, positions: Iterable[int], unit: SpanUnit) -> dict[int, int]:
    """Each position in code points of `text`, and what it is in the unit.

    >>> positions_in("a🐘b", [1, 2], SpanUnit.UTF16)
    {1: 1, 2: 3}
    """
    if unit is SpanUnit.CODE_POINT or text.isascii():
        return {position: position for position in positions}
    encoding, width = ENCODINGS[unit]
    found: dict[int, int] = {}
    before = total = 0
    for position in sorted(positions):
        total += len(text[before:position].encode(encoding)) // width
        found[position] = total
        before = position
    return found


def field_text(listing: Listing, field: str) -> str:
    """Find the text of title, description, attributes[i].name or attributes[i].value."""
    if field == "title":
        return listing.title
    if field == "description":
        return listing.description
    parsed = ATTRIBUTE_FIELD.fullmatch(field)
    if parsed is None:
        message = f"no field {field} in a listing"
        raise LookupError(message)
    attribute = listing.attributes[int(parsed[1])]
    return attribute.name if parsed[2] == "name" else attribute.value


def from_receipt(receipt: Receipt) -> types_pb2.Receipt:
    """Make the receipt."""
    return types_pb2.Receipt(log_id=receipt.log_id, position=receipt.position, chain_hash=receipt.chain_hash)
