"""Count what a report is made of, in one snapshot of the store."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from wildgate_service.measured_error import Counted, ErrorFacts, Judged
from wildgate_service.record import to_microseconds
from wildgate_service.report import CountedDecisions, ReportFacts
from wildgate_service.store import _facets
from wildgate_service.store._database import one
from wildgate_service.store._decisions import DAY
from wildgate_service.store._logs import heads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wildgate_service.store._database import Database

EPOCH = date(1970, 1, 1)
HOUR = 3_600_000_000  # in microseconds

# What was told of the decisions of the period, one table after the other; all is small beside the decisions. `told` are the outcomes of
# these (also of those that were recorded after them, under the same request), `stopped` the first removal or restriction of each listing,
# `judged` the last word of a moderator on it: of those of one time the one recorded last. `cause` is 2 for a word after a notice or an
# order, 1 after a complaint: what has only such words (`own` is false) was not looked at by the moderators' own choice, and is no sample.
# `looked` is the last word on drawn listings, without notices.
TABLES = """
CREATE TEMP TABLE told AS
SELECT
    d.decision_id, d.decided_time, d.facets, d.action,
    o.kind, o.means, o.occurred_time, o.recorded_time, o.outcome_id, o.taxon_group
FROM (
    SELECT
        o.*, coalesce(nullif(o.decision_id, ''), (
            SELECT r.decision_id FROM decisions AS r WHERE o.decision_id = '' AND r.tenant = o.tenant AND r.request_id = o.request_id
        )) AS of_decision
    FROM outcomes_in_force AS o WHERE :tenant IS NULL OR o.tenant = :tenant
) AS o CROSS JOIN decisions AS d
WHERE d.decision_id = o.of_decision AND d.decided_time >= :start AND d.decided_time < :end;

CREATE INDEX told_of ON told (decision_id, kind);

CREATE TEMP TABLE stopped AS
SELECT decision_id, decided_time, facets, action, means, occurred_time AS stopped_time FROM (
    SELECT *, row_number() OVER (PARTITION BY decision_id ORDER BY occurred_time, recorded_time, outcome_id) AS place
    FROM told WHERE kind IN ('removed', 'restricted')
) AS t WHERE place = 1;

CREATE TEMP TABLE acted AS
SELECT decided_time / 86400000000 AS day, facets, means, count(*) AS decisions FROM stopped GROUP BY 1, 2, 3;

CREATE TEMP TABLE words AS
SELECT
    told.*, CASE WHEN kind IN ('published', 'reinstated', 'complaint_upheld', 'notice_rejected') THEN 0 ELSE 1 END AS confirmed,
    coalesce((
        SELECT max(CASE before.kind WHEN 'complaint_received' THEN 1 ELSE 2 END) FROM told AS before
        WHERE before.decision_id = told.decision_id AND before.kind IN ('complaint_received', 'notice_received', 'order_received')
        AND before.occurred_time <= told.occurred_time
    ), 0) AS cause
FROM told
WHERE means = 'moderator'
AND kind IN (
    'published', 'removed', 'restricted', 'account_suspended', 'account_terminated', 'confirmed', 'reinstated', 'complaint_upheld',
    'complaint_partly_upheld', 'complaint_rejected', 'notice_upheld', 'notice_rejected'
);

CREATE TEMP TABLE judged AS
SELECT decision_id, facets, action, confirmed, own FROM (
    SELECT
        words.*, CASE WHEN min(cause) OVER (PARTITION BY decision_id) = 0 THEN 1 ELSE 0 END AS own,
        row_number() OVER (PARTITION BY decision_id ORDER BY occurred_time DESC, recorded_time DESC, outcome_id DESC) AS place
    FROM words
) AS w WHERE place = 1;

CREATE TEMP TABLE looked AS
SELECT decision_id, facets, confirmed, said AS taxon_group FROM (
    SELECT
        w.*, max(taxon_group) OVER (PARTITION BY decision_id) AS said,
        CASE WHEN min(cause) OVER (PARTITION BY decision_id) = 0 THEN 1 ELSE 0 END AS own,
        row_number() OVER (PARTITION BY decision_id ORDER BY occurred_time DESC, recorded_time DESC, outcome_id DESC) AS place
    FROM words AS w JOIN facets AS f ON f.id = w.facets
    WHERE f.sampled = 1 AND f.shadow_action = 'allow' AND cause < 2
) AS l WHERE place = 1 AND own = 1;
"""
# The counts of all decisions come from what was counted when they were appended; only those that were stopped are read one by one.
DECISIONS = """
SELECT day, facets, '' AS means, 0 AS stopped, CAST(sum(decisions) AS BIGINT) AS decisions FROM (
    SELECT day, facets, decisions FROM daily_counts
    WHERE day >= :first_day AND day <= :last_day AND (:tenant IS NULL OR tenant = :tenant)
    UNION ALL SELECT day, facets, -decisions FROM acted
) AS unstopped GROUP BY 1, 2
UNION ALL
SELECT day, facets, means, 1, decisions FROM acted
ORDER BY 1, 2, 3, 4
"""
SHARES = {
    "precision": "SELECT coalesce(sum(confirmed), 0), count(*) FROM judged WHERE action <> 'allow'",
    "recall_of_notices": """
        SELECT coalesce(sum(CASE WHEN action <> 'allow' THEN 1 ELSE 0 END), 0), count(*) FROM stopped
        WHERE decision_id IN (SELECT decision_id FROM told WHERE kind = 'notice_received')
    """,
    "reversal_rate": """
        SELECT coalesce(sum(
            CASE WHEN decision_id IN (SELECT decision_id FROM told WHERE kind IN ('reinstated', 'complaint_upheld')) THEN 1 ELSE 0 END
        ), 0), count(*)
        FROM stopped
    """,
}
HOURS = "SELECT CASE WHEN stopped_time > decided_time THEN stopped_time - decided_time ELSE 0 END FROM stopped ORDER BY 1"
STOPPED = """
SELECT facets, confirmed, '', count(*) FROM judged JOIN facets AS f ON f.id = facets
WHERE f.shadow_action <> 'allow' AND own = 1 GROUP BY 1, 2 ORDER BY 1, 2
"""
LOOKS = "SELECT facets, confirmed, taxon_group, count(*) FROM looked GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
NOTICED_FIRST = """
SELECT count(DISTINCT decision_id) FROM told JOIN facets AS f ON f.id = facets
WHERE kind IN ('notice_received', 'order_received') AND f.sampled = 1 AND f.shadow_action = 'allow'
AND decision_id NOT IN (SELECT decision_id FROM looked)
"""
NOTICES_UPHELD = """
SELECT count(DISTINCT decision_id) FROM told JOIN facets AS f ON f.id = facets WHERE kind = 'notice_upheld' AND f.shadow_action = 'allow'
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


def count(database: Database, *, tenant: str | None, start: date, end: date) -> ReportFacts:
    """The facts of the UTC days `start` to `end`, both included; of all tenants if `tenant` is None."""
    arguments = {
        "tenant": tenant,
        "start": _midnight(start),
        "end": _midnight(end) + DAY,  # the day after it may be beyond what dates can say
        "first_day": (start - EPOCH).days,
        "last_day": (end - EPOCH).days,
    }
    with database.snapshot():  # after which the tables are gone, too
        for statement in filter(str.strip, TABLES.split(";")):
            database.execute(statement, arguments if ":" in statement else {})
        decisions = _decisions(database, arguments)
        return ReportFacts(
            decisions=decisions,
            shares={name: _share(database, query) for name, query in SHARES.items()},
            outcomes=dict(database.execute(OUTCOMES, arguments)),
            degraded_answers=dict(database.execute(DEGRADED_ANSWERS, arguments)),
            median_hours_to_act=_median_hours(database),
            checkpoints=heads(database),
            error=_error(database, decisions),
        )


def _share(database: Database, query: str) -> tuple[int, int]:
    number, total = one(database, query)
    return number, total


def _error(database: Database, decisions: tuple[CountedDecisions, ...]) -> ErrorFacts:
    facets = _facets.by_id(database)
    (noticed_first,) = one(database, NOTICED_FIRST)
    (upheld,) = one(database, NOTICES_UPHELD)
    return ErrorFacts(
        decisions=tuple(Counted(each.facets, each.decisions) for each in decisions),
        stopped=tuple(Judged(facets[of], bool(offer), group, number) for of, offer, group, number in database.execute(STOPPED)),
        looks=tuple(Judged(facets[of], bool(offer), group, number) for of, offer, group, number in database.execute(LOOKS)),
        noticed_first=noticed_first,
        notices_upheld=upheld,
    )


def _decisions(database: Database, arguments: Mapping[str, object]) -> tuple[CountedDecisions, ...]:
    facets = _facets.by_id(database)
    return tuple(
        CountedDecisions(
            day=EPOCH + timedelta(days=day),
            facets=facets[facets_id],
            means=means,
            stopped=bool(stopped),
            decisions=decisions,
        )
        for day, facets_id, means, stopped, decisions in database.execute(DECISIONS, arguments)
        if decisions
    )


def _median_hours(database: Database) -> float | None:
    waits = [wait for (wait,) in database.execute(HOURS)]
    return median(waits) / HOUR if waits else None


def _midnight(day: date) -> int:
    return to_microseconds(datetime(day.year, day.month, day.day, tzinfo=UTC))
