"""Append outcomes: what the platform did or received after a decision."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, json

from wildgate_service.errors import WildgateError
from wildgate_service.record import to_microseconds
from wildgate_service.store import _late
from wildgate_service.store._database import again, marks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.outcomes import Outcome
    from wildgate_service.store._database import Database


COLUMNS = (
    "tenant, outcome_id, decision_id, request_id, kind, means, notice_source, occurred_time, recorded_time, degraded_action,"
    " degraded_reason, restrictions, ground, corrects, reference, items, misuse, authority, restricted_until, account_type, territories,"
    " taxon_group"
)
INSERT = f"INSERT INTO outcomes ({COLUMNS}) VALUES ({marks(COLUMNS.count(',') + 1)}) ON CONFLICT DO NOTHING"  # noqa: S608


class DecisionNotFoundError(WildgateError):
    """An outcome names a decision that this tenant does not have."""


class OutcomeRecorded(Struct, frozen=True):
    """The outcome is in the store; `duplicate` if it was there before, and nothing changed."""

    outcome_id: str
    duplicate: bool


def append_outcomes(database: Database, outcomes: Sequence[Outcome]) -> list[OutcomeRecorded | DecisionNotFoundError]:
    """Append in one transaction; an outcome about an unknown decision gets an error of its own."""
    return again(partial(_append, database, outcomes))


def _append(database: Database, outcomes: Sequence[Outcome]) -> list[OutcomeRecorded | DecisionNotFoundError]:
    with database.transaction():
        return [_append_outcome(database, outcome) for outcome in outcomes]


def _append_outcome(database: Database, outcome: Outcome) -> OutcomeRecorded | DecisionNotFoundError:
    known = _decision_of(database, outcome)
    if outcome.decision_id and not known:
        return DecisionNotFoundError(f"decision_id {outcome.decision_id} is not of this tenant")
    values = (
        outcome.tenant,
        outcome.outcome_id,
        known,
        outcome.request_id,
        outcome.kind,
        outcome.means,
        outcome.notice_source,
        to_microseconds(outcome.occurred_time),
        to_microseconds(outcome.recorded_time),
        outcome.degraded_action or "",
        outcome.degraded_reason,
        _as_list(outcome.restrictions),
        outcome.ground,
        outcome.corrects,
        outcome.reference,
        outcome.items,
        outcome.misuse,
        outcome.authority,
        to_microseconds(outcome.restricted_until) if outcome.restricted_until else None,
        outcome.account_type,
        _as_list(outcome.territories),
        outcome.taxon_group,
    )
    inserted = database.execute(INSERT, values)
    return OutcomeRecorded(outcome.outcome_id, duplicate=inserted.rowcount == 0)


def _as_list(names: tuple[str, ...]) -> str:
    return json.encode(names).decode()


def _decision_of(database: Database, outcome: Outcome) -> str:
    """The decision an outcome is about, "" if there is none: a client may have answered itself."""
    column = "decision_id" if outcome.decision_id else "request_id"
    row = database.execute(
        f"SELECT decision_id FROM decisions WHERE tenant = ? AND {column} = ?",  # noqa: S608
        (outcome.tenant, outcome.decision_id or outcome.request_id),
    ).fetchone()
    if row is None and outcome.decision_id:
        return _late.standing_for(database, outcome.tenant, outcome.decision_id)
    return row[0] if row else ""
