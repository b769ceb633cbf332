"""Decisions that came late, from the spool, and gave way to an earlier record on their request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.store._database import Database


INSERT = "INSERT INTO superseded (tenant, decision_id, standing_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

# The oldest row, which nobody else writes; the service's role may update this table.
TOUCH = """
UPDATE days SET first_decision_id = first_decision_id
WHERE tenant = (SELECT min(tenant) FROM days) AND day = (SELECT min(day) FROM days WHERE tenant = (SELECT min(tenant) FROM days))
"""


class Superseded(Struct, frozen=True):
    """The decision that was answered late, and the one that stands under the same request."""

    tenant: str
    decision_id: str
    standing_id: str


def keep_superseded(database: Database, superseded: Sequence[Superseded]) -> None:
    """Remember them, so that outcomes that name them find what stands; once, however often they are replayed."""
    with database.transaction():
        for each in superseded:
            database.execute(INSERT, (each.tenant, each.decision_id, each.standing_id))


def touch(database: Database) -> None:
    """Write something that changes nothing, as a record would be written."""
    with database.transaction():
        database.execute(TOUCH)


def standing_for(database: Database, tenant: str, decision_id: str) -> str:
    """The decision that stands for one that gave way; "" if it is none."""
    query = "SELECT standing_id FROM superseded WHERE tenant = ? AND decision_id = ?"
    row = database.execute(query, (tenant, decision_id)).fetchone()
    return str(row[0]) if row else ""
