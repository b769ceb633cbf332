"""Between outcomes and their messages."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from wildgate import _outcomes as t
from wildgate._convert import ACTION_OF, ACTIONS, item_error, time_from_proto, time_to_proto
from wildgate.v1 import transparency_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message

E = TypeVar("E", bound=StrEnum)


def _numbers(words: type[E], numbers: Any, prefix: str) -> dict[E, Any]:  # noqa: ANN401  (each enum has a type of its own)
    return {word: numbers.Value(f"{prefix}_{word.name}") for word in words}


_KINDS = _numbers(t.OutcomeKind, transparency_pb2.OutcomeKind, "OUTCOME_KIND")
_MEANS = _numbers(t.Means, transparency_pb2.Means, "MEANS")
_NOTICE_SOURCES = _numbers(t.NoticeSource, transparency_pb2.NoticeSource, "NOTICE_SOURCE")
_RESTRICTIONS = _numbers(t.Restriction, transparency_pb2.Restriction, "RESTRICTION")
_GROUNDS = _numbers(t.Ground, transparency_pb2.Ground, "GROUND")
_MISUSES = _numbers(t.Misuse, transparency_pb2.Misuse, "MISUSE")
_ACCOUNT_TYPES = _numbers(t.AccountType, transparency_pb2.AccountType, "ACCOUNT_TYPE")


def outcome_to_proto(outcome: t.Outcome) -> transparency_pb2.Outcome:
    """Write an outcome."""
    message = transparency_pb2.Outcome(
        outcome_id=outcome.outcome_id,
        kind=_KINDS[outcome.applied],
        means=_number(_MEANS, outcome.means),
        notice_source=_number(_NOTICE_SOURCES, outcome.notice_source),
        occurred_time=time_to_proto(outcome.occurred_time),
        degraded_action=_number(ACTIONS, outcome.degraded_action),
        degraded_reason=outcome.degraded_reason,
        restrictions=[_RESTRICTIONS[each] for each in outcome.restrictions],
        ground=_number(_GROUNDS, outcome.ground),
        corrects=outcome.corrects,
        reference=outcome.reference,
        items=outcome.items,
        misuse=_number(_MISUSES, outcome.misuse),
        authority=outcome.authority,
        restricted_until=time_to_proto(outcome.restricted_until),
        account_type=_number(_ACCOUNT_TYPES, outcome.account_type),
        territories=outcome.territories,
        taxon_group=outcome.taxon_group,
    )
    if outcome.decision_id is not None:
        message.decision_id = outcome.decision_id
    if outcome.request_id is not None:
        message.request_id = outcome.request_id
    return message


def outcome_from_proto(message: transparency_pb2.Outcome) -> t.Outcome:
    """Read an outcome, as the fake service does; raises KeyError for a kind or restriction that is not known."""
    restrictions = _words(_RESTRICTIONS)
    return t.Outcome(
        applied=_words(_KINDS)[message.kind],
        decision_id=message.decision_id or None,
        request_id=message.request_id or None,
        means=_words(_MEANS).get(message.means),
        notice_source=_words(_NOTICE_SOURCES).get(message.notice_source),
        occurred_time=_time_of(message, "occurred_time"),
        degraded_action=ACTION_OF.get(message.degraded_action),
        degraded_reason=message.degraded_reason,
        restrictions=tuple(restrictions[number] for number in message.restrictions),
        ground=_words(_GROUNDS).get(message.ground),
        corrects=message.corrects,
        reference=message.reference,
        items=message.items or 1,
        misuse=_words(_MISUSES).get(message.misuse),
        authority=message.authority,
        restricted_until=_time_of(message, "restricted_until"),
        account_type=_words(_ACCOUNT_TYPES).get(message.account_type),
        territories=tuple(message.territories),
        taxon_group=message.taxon_group,
        outcome_id=message.outcome_id,
    )


def outcome_result(message: transparency_pb2.OutcomeResult) -> t.OutcomeResult:
    """Read the result of one outcome."""
    error = item_error(message.error) if message.HasField("error") else None
    return t.OutcomeResult(message.outcome_id, message.duplicate, error)


def _number(numbers: Mapping[E, Any], word: E | None) -> Any:  # noqa: ANN401
    return 0 if word is None else numbers[word]


def _words(numbers: Mapping[E, Any]) -> dict[Any, E]:
    return {number: word for word, number in numbers.items()}


def _time_of(message: Message, field: str) -> datetime | None:
    return time_from_proto(getattr(message, field)) if message.HasField(field) else None
