"""Findings: taxa and views of the decisions in which something was found, each combination kept once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from msgspec import json, msgpack

from wildgate_service.record import Findings, to_microseconds
from wildgate_service.report import CountedFindings
from wildgate_service.store._database import one
from wildgate_service.types import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wildgate_service.record import Entry
    from wildgate_service.store._database import Database

DAY = 86_400_000_000  # in microseconds
Species = tuple[tuple[str, str], ...]
Names = tuple[str, ...]

COUNT = """
WITH stopped AS (
    SELECT DISTINCT coalesce(nullif(o.decision_id, ''), r.decision_id) AS decision_id
    FROM outcomes_in_force AS o
    LEFT JOIN decisions AS r ON o.decision_id = '' AND r.tenant = o.tenant AND r.request_id = o.request_id
    WHERE o.kind IN ('removed', 'restricted') AND (:tenant IS NULL OR o.tenant = :tenant)
)
SELECT findings, action, CASE WHEN s.decision_id IS NULL THEN 0 ELSE 1 END, count(*)
FROM found JOIN decisions AS d USING (decision_id) LEFT JOIN stopped AS s USING (decision_id)
WHERE decided_time >= :start AND decided_time < :end AND (:tenant IS NULL OR tenant = :tenant)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

FIND = "SELECT id FROM findings WHERE species = ? AND views = ?"

_read = msgpack.Decoder(Findings).decode


def to_row(findings: Findings) -> tuple[str, str]:
    """The values of the columns: JSON arrays."""
    return _as_list(findings.species), _as_list(findings.views)


def know(database: Database, ids: dict[bytes, int], wanted: Iterable[bytes]) -> None:
    """Learn the ids of these findings (MessagePack), made for those that are new; as with facets."""
    rows = {encoded: to_row(_read(encoded)) for encoded in sorted(set(wanted) - ids.keys())}
    if rows:
        with database.transaction():
            database.insert("findings", "species, views", list(rows.values()), "ON CONFLICT DO NOTHING")
            ids.update((encoded, int(one(database, FIND, row)[0])) for encoded, row in rows.items())


def insert(database: Database, ids: Mapping[bytes, int], entries: Sequence[Entry]) -> None:
    """Keep what was found in these new decisions; most have nothing."""
    rows = [(entry.decision_id, ids[entry.findings]) for entry in entries if entry.findings]
    database.insert("found", "decision_id, findings", rows)


def count(database: Database, *, tenant: str | None, start: date, end: date) -> tuple[CountedFindings, ...]:
    """What was found in the UTC days `start` to `end`, both included; of all tenants if `tenant` is None."""
    known = by_id(database)
    rows = database.execute(COUNT, {"tenant": tenant, "start": _midnight(start), "end": _midnight(end) + DAY})
    return tuple(
        CountedFindings(findings=known[found], action=Action(action), stopped=bool(stopped), decisions=decisions)
        for found, action, stopped, decisions in rows
    )


def row_of(database: Database, decision_id: str) -> tuple[str, str] | None:
    """What is kept of a decision, None if nothing was found in it."""
    query = "SELECT species, views FROM found JOIN findings ON findings.id = found.findings WHERE decision_id = ?"
    row: tuple[str, str] | None = database.execute(query, (decision_id,)).fetchone()
    return row


def by_id(database: Database) -> dict[int, Findings]:
    """All that occurred."""
    rows = database.execute("SELECT id, species, views FROM findings")
    return {found: Findings(json.decode(species, type=Species), json.decode(views, type=Names)) for found, species, views in rows}


def _as_list(names: Sequence[object]) -> str:
    return json.encode(names).decode()


def _midnight(day: date) -> int:
    return to_microseconds(datetime(day.year, day.month, day.day, tzinfo=UTC))
