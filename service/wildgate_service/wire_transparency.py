"""Between the contract's outcomes and reports and the types."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import structs
from wildgate.v1 import transparency_pb2, types_pb2

from wildgate_service.outcomes import AccountType, Ground, Means, Misuse, NoticeSource, Outcome, OutcomeKind, Restriction, wrong_fields
from wildgate_service.statements.make import Complete, Incomplete
from wildgate_service.status import invalid, missing
from wildgate_service.types import Action
from wildgate_service.wire import from_receipt, to_datetime, to_uuid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from wildgate_service.statements.make import Made
    from wildgate_service.types import ReportCount, TransparencyReport

Number = TypeVar("Number")
Value = TypeVar("Value")
Word = TypeVar("Word", bound=StrEnum)

NO_MEDIAN = -1.0
DEGRADED_REASONS = frozenset({"", "unavailable", "deadline_exceeded", "resource_exhausted"})


def _with_default(numbers: Any, prefix: str, values: type[Word]) -> dict[Any, Word]:  # noqa: ANN401  (each enum has a type of its own)
    """Members by number; the first of `values` stands for what is not said."""
    unsaid, *said = values
    return {0: unsaid} | {numbers.Value(f"{prefix}_{value.name}"): value for value in said}


KINDS = {transparency_pb2.OutcomeKind.Value(f"OUTCOME_KIND_{kind.name}"): kind for kind in OutcomeKind}
RESTRICTIONS = {transparency_pb2.Restriction.Value(f"RESTRICTION_{each.name}"): each for each in Restriction}
MEANS = _with_default(transparency_pb2.Means, "MEANS", Means)
NOTICE_SOURCES = _with_default(transparency_pb2.NoticeSource, "NOTICE_SOURCE", NoticeSource)
GROUNDS = _with_default(transparency_pb2.Ground, "GROUND", Ground)
MISUSES = _with_default(transparency_pb2.Misuse, "MISUSE", Misuse)
ACCOUNT_TYPES = _with_default(transparency_pb2.AccountType, "ACCOUNT_TYPE", AccountType)
DEGRADED_ACTIONS = {
    types_pb2.ACTION_UNSPECIFIED: None,
    types_pb2.ACTION_ALLOW: Action.ALLOW,
    types_pb2.ACTION_REVIEW: Action.REVIEW,
    types_pb2.ACTION_BLOCK: Action.BLOCK,
}


def to_outcome(message: transparency_pb2.Outcome, *, tenant: str, now: datetime) -> Outcome:
    """Read an outcome; `now` stands for a time not said. Raises Refusal naming the field."""
    subject = message.WhichOneof("subject")
    if subject is None:
        raise missing("decision_id")
    outcome = Outcome(
        tenant=tenant,
        outcome_id=_needed_uuid(message.outcome_id, "outcome_id"),
        kind=_known(KINDS, message.kind, "kind"),
        occurred_time=to_datetime(message.occurred_time, "occurred_time") if message.HasField("occurred_time") else now,
        recorded_time=now,
        means=_known(MEANS, message.means, "means"),
        notice_source=_known(NOTICE_SOURCES, message.notice_source, "notice_source"),
        degraded_action=_known(DEGRADED_ACTIONS, message.degraded_action, "degraded_action"),
        degraded_reason=_degraded_reason(message.degraded_reason),
        restrictions=tuple(_known(RESTRICTIONS, number, "restrictions") for number in message.restrictions),
        ground=_known(GROUNDS, message.ground, "ground"),
        corrects=to_uuid(message.corrects, "corrects"),
        reference=message.reference,
        items=message.items or 1,
        misuse=_known(MISUSES, message.misuse, "misuse"),
        authority=message.authority,
        restricted_until=to_datetime(message.restricted_until, "restricted_until") if message.HasField("restricted_until") else None,
        account_type=_known(ACCOUNT_TYPES, message.account_type, "account_type"),
        territories=tuple(message.territories),
        taxon_group=message.taxon_group,
        **{subject: _needed_uuid(getattr(message, subject), subject)},
    )
    for field in wrong_fields(outcome):
        raise invalid(field)
    return outcome


def _needed_uuid(text: str, field: str) -> str:
    if not text:
        raise missing(field)
    return to_uuid(text, field)


def _known(table: Mapping[Number, Value], number: Number, field: str) -> Value:
    if number not in table:
        raise invalid(field)
    return table[number]


def _degraded_reason(text: str) -> str:
    if text not in DEGRADED_REASONS:
        raise invalid("degraded_reason")
    return text


def to_date(text: str, field: str) -> date:
    """Read a day; raises Refusal if it is none."""
    if not text:
        raise missing(field)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise invalid(field) from error


def from_report(report: TransparencyReport) -> transparency_pb2.TransparencyReport:
    """Make the report."""
    message = transparency_pb2.TransparencyReport(
        start_date=report.start.isoformat(),
        end_date=report.end.isoformat(),
        total=_from_count(report.total),
        counts=map(_from_count, report.counts),
        shares=[
            transparency_pb2.ReportShare(
                name=share.name,
                count=share.count,
                total=share.total,
                lower=share.lower,
                upper=share.upper,
            )
            for share in report.shares
        ],
        outcomes=report.outcomes,
        degraded_answers=report.degraded_answers,
        median_hours_to_act=NO_MEDIAN if report.median_hours_to_act is None else report.median_hours_to_act,
    )
    if report.measured_error:
        numbers = structs.asdict(report.measured_error)
        estimates = [transparency_pb2.ErrorEstimate(**structs.asdict(each)) for each in numbers.pop("estimates")]
        message.measured_error.CopyFrom(transparency_pb2.MeasuredErrors(estimates=estimates, **numbers))
    message.checkpoints.extend(map(from_receipt, report.checkpoints))
    return message


def _from_count(count: ReportCount) -> transparency_pb2.ReportCount:
    return transparency_pb2.ReportCount(
        dimension=count.dimension,
        value=count.value,
        decisions=count.decisions,
        allowed=count.allowed,
        reviewed=count.reviewed,
        blocked=count.blocked,
        stopped=count.stopped,
    )


def from_made(made: Made) -> transparency_pb2.StatementOfReasons:
    """Make a statement of reasons, or what says why there is none."""
    message = transparency_pb2.StatementOfReasons(outcome_id=made.outcome_id)
    if isinstance(made, Complete):
        message.json = msgspec.json.encode(made.statement).decode()
    elif isinstance(made, Incomplete):
        message.incomplete.extend(dict.fromkeys(each.field for each in made.wrong))
    else:
        message.left_out = made.reason
    return message
