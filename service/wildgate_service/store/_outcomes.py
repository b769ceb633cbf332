"""Append outcomes: what the platform did or received after a decision."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from msgspec import Struct

from wildgate_service.errors import WildgateError
from wildgate_service.record import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.types import Outcome


class DecisionNotFoundError(WildgateError):
    """An outcome names a decision that this tenant does not have."""


class OutcomeRecorded(Struct, frozen=True):
    """The outcome is in the store; `duplicate` if it was there before, and nothing changed."""

    outcome_id: str
    duplicate: bool


def append_outcomes(connection: sqlite3.Connection, outcomes: Sequence[Outcome]) -> list[OutcomeRecorded | DecisionNotFoundError]:
    """Append in one transaction; an outcome about an unknown decision gets an error of its own."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [_append_outcome(connection, outcome) for outcome in outcomes]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _append_outcome(connection: sqlite3.Connection, outcome: Outcome) -> OutcomeRecorded | DecisionNotFoundError:
    known = _decision_of(connection, outcome)
    if outcome.decision_id and not known:
        return DecisionNotFoundError(f"decision_id {outcome.decision_id} is not of this tenant")
    inserted = connection.execute(
        "INSERT OR IGNORE INTO outcomes (tenant, outcome_id, decision_id, request_id, kind, means,"
        " notice_source, occurred_time, recorded_time, degraded_action, degraded_reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
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
        ),
    )
    return OutcomeRecorded(outcome.outcome_id, duplicate=inserted.rowcount == 0)


def _decision_of(connection: sqlite3.Connection, outcome: Outcome) -> str:
    """The decision an outcome is about, "" if there is none: a client may have answered itself."""
    column = "decision_id" if outcome.decision_id else "request_id"
    row = connection.execute(
        f"SELECT decision_id FROM decisions WHERE tenant = ? AND {column} = ?",  # noqa: S608
        (outcome.tenant, outcome.decision_id or outcome.request_id),
    ).fetchone()
    return row[0] if row else ""
