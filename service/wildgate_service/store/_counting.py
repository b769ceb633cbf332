"""Count what a report is made of, in one snapshot of the store."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from wildgate_service.record import to_microseconds
from wildgate_service.report import CountedDecisions, ReportFacts
from wildgate_service.store import _facets
from wildgate_service.store._decisions import DAY, tail
from wildgate_service.types import Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCH = date(1970, 1, 1)
HOUR = 3_600_000_000  # in microseconds

# `decided` are the decisions of the period, `followed` the outcomes of decisions (also of those that
# were recorded after them, under the same request), `stopped` the first removal or restriction of each
# listing, `judged` the last word of a moderator on it: of those of one time the one recorded last.
# SQLite takes the other columns of a group from the row that has the min.
WITH = """
WITH decided AS (
    SELECT decision_id, decided_time, facets, action FROM decisions
    WHERE decision_id >= (
        SELECT min(first_decision_id) FROM days
        WHERE day >= :first_day AND (:tenant IS NULL OR tenant = :tenant)
    )
    AND decided_time >= :start AND decided_time < :end AND (:tenant IS NULL OR tenant = :tenant)
),
followed AS (
    SELECT
        coalesce(nullif(o.decision_id, ''), d.decision_id) AS decision_id,
        o.kind, o.means, o.occurred_time, o.recorded_time, o.outcome_id
    FROM outcomes_in_force AS o LEFT JOIN decisions AS d
    ON o.decision_id = '' AND d.tenant = o.tenant AND d.request_id = o.request_id
    WHERE (o.decision_id <> '' OR d.decision_id IS NOT NULL) AND (:tenant IS NULL OR o.tenant = :tenant)
),
stopped AS (
    SELECT decision_id, means, min(occurred_time) AS stopped_time FROM followed
    WHERE kind IN ('removed', 'restricted') GROUP BY decision_id
),
judged AS (
    SELECT decision_id, kind IN (
        'removed', 'restricted', 'account_suspended', 'account_terminated', 'complaint_rejected', 'complaint_partly_upheld', 'notice_upheld'
    ) AS confirmed
    FROM (
        SELECT decision_id, kind, row_number() OVER (
            PARTITION BY decision_id ORDER BY occurred_time DESC, recorded_time DESC, outcome_id DESC
        ) AS place
        FROM followed
        WHERE means = 'moderator'
        AND kind IN (
            'published', 'removed', 'restricted', 'account_suspended', 'account_terminated', 'reinstated', 'complaint_upheld',
            'complaint_partly_upheld', 'complaint_rejected', 'notice_upheld', 'notice_rejected'
        )
    )
    WHERE place = 1
)
"""
DECISIONS = """
SELECT decided_time / 86400000000, facets, coalesce(means, ''), stopped_time IS NOT NULL, count(*)
FROM decided LEFT JOIN stopped USING (decision_id) GROUP BY 1, 2, 3, 4
"""
SHARES = {
    "precision": """
        SELECT coalesce(sum(confirmed), 0), count(*) FROM judged JOIN decided USING (decision_id)
        WHERE action <> 'allow'
    """,
    "recall_of_notices": """
        SELECT coalesce(sum(action <> 'allow'), 0), count(*)
        FROM stopped JOIN decided USING (decision_id)
        WHERE decision_id IN (SELECT decision_id FROM followed WHERE kind = 'notice_received')
    """,
    "reversal_rate": """
        SELECT coalesce(sum(decision_id IN (
            SELECT decision_id FROM followed WHERE kind IN ('reinstated', 'complaint_upheld')
        )), 0), count(*)
        FROM stopped JOIN decided USING (decision_id)
    """,
}
HOURS = """
SELECT max(stopped_time - decided_time, 0) FROM stopped JOIN decided USING (decision_id) ORDER BY 1
"""
OUTCOMES = """
SELECT kind, count(*) FROM outcomes_in_force
WHERE occurred_time >= :start AND occurred_time < :end AND (:tenant IS NULL OR tenant = :tenant)
GROUP BY kind ORDER BY kind
"""
DEGRADED_ANSWERS = """
SELECT degraded_reason, count(DISTINCT request_id) FROM outcomes_in_force
WHERE occurred_time >= :start AND occurred_time < :end AND (:tenant IS NULL OR tenant = :tenant)
AND degraded_reason <> '' GROUP BY degraded_reason ORDER BY degraded_reason
"""


def count(connection: sqlite3.Connection, log_id: str, *, tenant: str | None, start: date, end: date) -> ReportFacts:
    """The facts of the UTC days `start` to `end`, both included; of all tenants if `tenant` is None."""
    arguments = {
        "tenant": tenant,
        "start": _midnight(start),
        "end": _midnight(end) + DAY,  # the day after it may be beyond what dates can say
        "first_day": (start - EPOCH).days,
    }
    connection.execute("BEGIN")
    try:
        return ReportFacts(
            decisions=_decisions(connection, arguments),
            shares={name: connection.execute(WITH + query, arguments).fetchone() for name, query in SHARES.items()},
            outcomes=dict(connection.execute(OUTCOMES, arguments)),
            degraded_answers=dict(connection.execute(DEGRADED_ANSWERS, arguments)),
            median_hours_to_act=_median_hours(connection, arguments),
            checkpoint=head(connection, log_id),
        )
    finally:
        connection.execute("ROLLBACK")


def head(connection: sqlite3.Connection, log_id: str) -> Receipt | None:
    """Receipt of the last record, None for an empty log."""
    position, chain = tail(connection, log_id)
    return Receipt(log_id, position, chain.hex()) if position else None


def _decisions(connection: sqlite3.Connection, arguments: Mapping[str, object]) -> tuple[CountedDecisions, ...]:
    facets = _facets.by_id(connection)
    return tuple(
        CountedDecisions(
            day=EPOCH + timedelta(days=day),
            facets=facets[facets_id],
            means=means,
            stopped=bool(stopped),
            decisions=decisions,
        )
        for day, facets_id, means, stopped, decisions in connection.execute(WITH + DECISIONS, arguments)
    )


def _median_hours(connection: sqlite3.Connection, arguments: Mapping[str, object]) -> float | None:
    waits = [wait for (wait,) in connection.execute(WITH + HOURS, arguments)]
    return median(waits) / HOUR if waits else None


def _midnight(day: date) -> int:
    return to_microseconds(datetime(day.year, day.month, day.day, tzinfo=UTC))
