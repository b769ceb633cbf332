"""Between the plain types of `_types` and the messages of `wildgate.v1`, both ways.

Reading is tolerant: an enum value that this version does not know is never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from types import MappingProxyType

from google.protobuf.timestamp_pb2 import Timestamp

from wildgate import _types as t
from wildgate._errors import WildgateError, make_error
from wildgate._status import ErrorDetails
from wildgate.v1 import errors_pb2, lexicon_pb2, transparency_pb2, types_pb2

UNKNOWN_ACTION = "unknown_action"

ACTIONS = {
    t.Action.ALLOW: types_pb2.ACTION_ALLOW,
    t.Action.REVIEW: types_pb2.ACTION_REVIEW,
    t.Action.BLOCK: types_pb2.ACTION_BLOCK,
}
_CONTENT_KINDS = {
    t.ContentKind.LISTING: types_pb2.CONTENT_KIND_LISTING,
    t.ContentKind.SOCIAL_POST: types_pb2.CONTENT_KIND_SOCIAL_POST,
    t.ContentKind.CARGO_BOOKING: types_pb2.CONTENT_KIND_CARGO_BOOKING,
}
EXPLAINS = {
    t.Explain.NONE: types_pb2.EXPLAIN_NONE,
    t.Explain.TAXA: types_pb2.EXPLAIN_TAXA,
    t.Explain.MATCHES: types_pb2.EXPLAIN_MATCHES,
    t.Explain.FULL: types_pb2.EXPLAIN_FULL,
}
SPAN_UNITS = {
    t.SpanUnit.CODE_POINT: types_pb2.SPAN_UNIT_CODE_POINT,
    t.SpanUnit.UTF16: types_pb2.SPAN_UNIT_UTF16,
    t.SpanUnit.UTF8: types_pb2.SPAN_UNIT_UTF8,
}
ACTION_OF: dict[int, t.Action] = {number: name for name, number in ACTIONS.items()}
_CONTENT_KIND_OF: dict[int, t.ContentKind] = {n: name for name, n in _CONTENT_KINDS.items()}


def listing_to_proto(listing: t.Listing) -> types_pb2.Listing:
    """Write a listing."""
    return types_pb2.Listing(
        listing_id=listing.id,
        content_kind=_CONTENT_KINDS[listing.content_kind],
        title=listing.title,
        description=listing.description,
        attributes=[types_pb2.Attribute(name=a.name, value=a.value) for a in listing.attributes],
        category=listing.category,
        language=listing.language,
        market=listing.market,
        seller_ref=listing.seller_ref,
        posted_time=time_to_proto(listing.posted_time),
    )


def listing_from_proto(message: types_pb2.Listing) -> t.Listing:
    """Read a listing; a kind that is not said or not known is a listing."""
    return t.Listing(
        id=message.listing_id,
        title=message.title,
        description=message.description,
        attributes=[(attribute.name, attribute.value) for attribute in message.attributes],
        content_kind=_CONTENT_KIND_OF.get(message.content_kind, t.ContentKind.LISTING),
        category=message.category,
        language=message.language,
        market=message.market,
        seller_ref=message.seller_ref,
        posted_time=time_from_proto(message.posted_time) if message.HasField("posted_time") else None,
    )


def decision_to_proto(decision: t.Decision) -> types_pb2.Decision:
    """Write a decision, as the fake service does."""
    shadow_action = decision.shadow_action or decision.action
    return types_pb2.Decision(
        decision_id=decision.decision_id or "",
        request_id=decision.request_id,
        listing_id=decision.listing_id,
        action=ACTIONS[decision.action],
        score=decision.score or 0.0,
        taxa=[_taxon_to_proto(taxon) for taxon in decision.taxa],
        matches=[_match_to_proto(match) for match in decision.matches],
        evidence=[types_pb2.Evidence(name=e.name, weight=e.weight) for e in decision.evidence],
        language=decision.language,
        reason=decision.reason,
        notice=decision.notice,
        lexicon_version=decision.lexicon_version,
        model_version=decision.model_version,
        policy_version=decision.policy_version,
        shadow=decision.shadow,
        shadow_action=ACTIONS[shadow_action],
        degraded=decision.degraded,
        degraded_reasons=decision.degraded_reasons,
        receipt=_receipt_to_proto(decision.receipt),
        timings=[types_pb2.StageTiming(stage=timing.stage, microseconds=timing.microseconds) for timing in decision.timings],
        sample_for_review=decision.sample_for_review,
    )


def decision_from_proto(message: types_pb2.Decision, span_unit: t.SpanUnit = t.SpanUnit.CODE_POINT) -> t.Decision:
    """Read a decision; an action that is not known becomes REVIEW and says so."""
    action = ACTION_OF.get(message.action)
    unknown = (UNKNOWN_ACTION,) if action is None else ()
    return t.Decision(
        action=action or t.Action.REVIEW,
        request_id=message.request_id,
        decision_id=message.decision_id or None,
        listing_id=message.listing_id,
        score=message.score,
        taxa=tuple(_taxon(taxon) for taxon in message.taxa),
        matches=tuple(_match(match) for match in message.matches),
        evidence=tuple(t.Evidence(fact.name, fact.weight) for fact in message.evidence),
        language=message.language,
        reason=message.reason,
        notice=message.notice,
        lexicon_version=message.lexicon_version,
        model_version=message.model_version,
        policy_version=message.policy_version,
        shadow=message.shadow,
        shadow_action=ACTION_OF.get(message.shadow_action, action or t.Action.REVIEW),
        degraded=message.degraded or action is None,
        degraded_reasons=(*message.degraded_reasons, *unknown),
        receipt=_receipt(message.receipt) if message.HasField("receipt") else None,
        timings=tuple(t.StageTiming(each.stage, each.microseconds) for each in message.timings),
        span_unit=span_unit,
        sample_for_review=message.sample_for_review,
    )


def item_error(message: errors_pb2.ItemError, request_id: str | None = None) -> WildgateError:
    """Read the error of one item of a batch."""
    names = errors_pb2.ErrorReason.values()
    known = message.reason in names and message.reason
    reason = errors_pb2.ErrorReason.Name(message.reason) if known else ""
    details = ErrorDetails(reason=reason.removeprefix("ERROR_REASON_"), metadata=dict(message.metadata))
    return make_error(message.code, message.message, details, request_id)


def report_to_proto(report: t.TransparencyReport) -> transparency_pb2.TransparencyReport:
    """Write a report, as the fake service does."""
    hours = report.median_hours_to_act
    return transparency_pb2.TransparencyReport(
        start_date=report.start_date,
        end_date=report.end_date,
        total=_count_to_proto(report.total),
        counts=[_count_to_proto(count) for count in report.counts],
        shares=[_share_to_proto(share) for share in report.shares],
        outcomes=report.outcomes,
        degraded_answers=report.degraded_answers,
        median_hours_to_act=-1.0 if hours is None else hours,
        checkpoints=filter(None, map(_receipt_to_proto, report.checkpoints)),
        measured_error=_error_to_proto(report.measured_error),
    )


def report_from_proto(message: transparency_pb2.TransparencyReport) -> t.TransparencyReport:
    """Read a report."""
    hours = message.median_hours_to_act
    return t.TransparencyReport(
        start_date=message.start_date,
        end_date=message.end_date,
        total=_count(message.total),
        counts=tuple(_count(count) for count in message.counts),
        shares=tuple(_share(share) for share in message.shares),
        outcomes=_frozen(message.outcomes),
        degraded_answers=_frozen(message.degraded_answers),
        median_hours_to_act=None if hours < 0 else hours,
        checkpoints=tuple(_receipt(receipt) for receipt in message.checkpoints),
        measured_error=_error(message.measured_error) if message.HasField("measured_error") else None,
    )


def lexicon_from_proto(message: lexicon_pb2.GetLexiconResponse) -> t.LexiconInfo:
    """Read versions and counts of the lexicons."""
    languages = tuple(t.LexiconLanguage(each.language, each.rules, each.forms, each.sourced_forms) for each in message.languages)
    return t.LexiconInfo(message.lexicon_version, languages)


def _taxon(message: types_pb2.Taxon) -> t.Taxon:
    return t.Taxon(message.group, message.scientific_name, message.appendix)


def _taxon_to_proto(taxon: t.Taxon) -> types_pb2.Taxon:
    return types_pb2.Taxon(group=taxon.group, scientific_name=taxon.scientific_name, appendix=taxon.appendix)


def _match(message: types_pb2.Match) -> t.Match:
    return t.Match(
        rule_id=message.rule_id,
        kind=message.kind,
        form=message.form,
        gloss=message.gloss,
        surface=message.surface,
        field=message.field,
        span=t.Span(message.span.start, message.span.end),
        views=tuple(message.views),
    )


def _match_to_proto(match: t.Match) -> types_pb2.Match:
    return types_pb2.Match(
        rule_id=match.rule_id,
        kind=match.kind,
        form=match.form,
        gloss=match.gloss,
        surface=match.surface,
        field=match.field,
        span=types_pb2.Span(start=match.span.start, end=match.span.end),
        views=match.views,
    )


def _receipt(message: types_pb2.Receipt) -> t.Receipt:
    return t.Receipt(message.log_id, message.position, message.chain_hash)


def _receipt_to_proto(receipt: t.Receipt | None) -> types_pb2.Receipt | None:
    if receipt is None:
        return None
    return types_pb2.Receipt(log_id=receipt.log_id, position=receipt.position, chain_hash=receipt.chain_hash)


def _count(message: transparency_pb2.ReportCount) -> t.ReportCount:
    return t.ReportCount(
        dimension=message.dimension,
        value=message.value,
        decisions=message.decisions,
        allowed=message.allowed,
        reviewed=message.reviewed,
        blocked=message.blocked,
        stopped=message.stopped,
    )


def _count_to_proto(count: t.ReportCount) -> transparency_pb2.ReportCount:
    return transparency_pb2.ReportCount(
        dimension=count.dimension,
        value=count.value,
        decisions=count.decisions,
        allowed=count.allowed,
        reviewed=count.reviewed,
        blocked=count.blocked,
        stopped=count.stopped,
    )


def _share(message: transparency_pb2.ReportShare) -> t.ReportShare:
    return t.ReportShare(message.name, message.count, message.total, message.lower, message.upper)


def _share_to_proto(share: t.ReportShare) -> transparency_pb2.ReportShare:
    return transparency_pb2.ReportShare(name=share.name, count=share.count, total=share.total, lower=share.lower, upper=share.upper)


def _error(message: transparency_pb2.MeasuredErrors) -> t.MeasuredErrors:
    return t.MeasuredErrors(
        estimates=tuple(_estimate(each) for each in message.estimates),
        allowed=message.allowed,
        covered=message.covered,
        drawn=message.drawn,
        looked_at=message.looked_at,
        noticed_first=message.noticed_first,
        notices_upheld=message.notices_upheld,
        fewest=message.fewest,
    )


def _estimate(message: transparency_pb2.ErrorEstimate) -> t.ErrorEstimate:
    return t.ErrorEstimate(
        measure=message.measure,
        dimension=message.dimension,
        value=message.value,
        estimate=message.estimate if message.HasField("estimate") else None,
        lower=message.lower if message.HasField("lower") else None,
        upper=message.upper if message.HasField("upper") else None,
        judged=message.judged,
        offers=message.offers,
        listings=message.listings,
    )


def _error_to_proto(error: t.MeasuredErrors | None) -> transparency_pb2.MeasuredErrors | None:
    if error is None:
        return None
    numbers = {field.name: getattr(error, field.name) for field in fields(error) if field.name != "estimates"}
    estimates = (transparency_pb2.ErrorEstimate(**asdict(each)) for each in error.estimates)
    return transparency_pb2.MeasuredErrors(estimates=estimates, **numbers)


def _frozen(counts: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType(dict(counts))


def time_from_proto(message: Timestamp) -> datetime:
    return message.ToDatetime(tzinfo=UTC)


def time_to_proto(value: datetime | None) -> Timestamp | None:
    if value is None:
        return None
    message = Timestamp()
    message.FromDatetime(value)
    return message
