"""Findings: taxa and views of the decisions in which something was found, each combination kept once."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import msgspec

from wildgate_service.record import Findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.record import Entry

_read = msgspec.msgpack.Decoder(Findings).decode


def to_row(findings: Findings) -> tuple[str, str]:
    """The values of the columns: JSON arrays."""
    return _as_list(findings.scientific_names), _as_list(findings.views)


def insert(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Keep what was found in these new decisions; most have nothing."""
    for entry in entries:
        if entry.findings:
            row = to_row(_read(entry.findings))
            connection.execute("INSERT OR IGNORE INTO findings (scientific_names, views) VALUES (?, ?)", row)
            connection.execute(
                "INSERT INTO found (decision_id, findings) SELECT ?, id FROM findings WHERE scientific_names = ? AND views = ?",
                (entry.decision_id, *row),
            )


def row_of(connection: sqlite3.Connection, decision_id: str) -> tuple[str, str] | None:
    """What is kept of a decision, None if nothing was found in it."""
    query = "SELECT scientific_names, views FROM found JOIN findings ON findings.id = found.findings WHERE decision_id = ?"
    row: tuple[str, str] | None = connection.execute(query, (decision_id,)).fetchone()
    return row


def by_id(connection: sqlite3.Connection) -> dict[int, Findings]:
    """All that occurred."""
    rows = connection.execute("SELECT id, scientific_names, views FROM findings")
    return {found: Findings(_list(names), _list(views)) for found, names, views in rows}


def _as_list(names: Sequence[str]) -> str:
    return msgspec.json.encode(names).decode()


def _list(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])
