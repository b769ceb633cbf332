"""The logs of a store: one hash chain per writer, so that replicas never wait for one another's.

Each has a number and an id. A position, as the tables have it, is the number of its log (24 bits) before the place in it (40 bits); what is
shown and proven is the place, beside the log's id. A writer holds one log as long as it is connected and takes over the first that
nobody holds, so there are as many as ever wrote at once. SQLite has one writer, and log 0, whose positions are places.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from wildgate_service.record import genesis
from wildgate_service.store._database import again
from wildgate_service.types import Receipt

if TYPE_CHECKING:
    from wildgate_service.store._database import Database

PLACE_BITS = 40

NEW = "INSERT INTO logs (number, log_id) SELECT coalesce(max(number) + 1, 0), ? FROM logs"
TAIL = """
SELECT last_position, chain_hash FROM log WHERE last_position >= ? AND last_position < ? ORDER BY last_position DESC LIMIT 1
"""


class Log(Struct, frozen=True):
    """One hash chain."""

    number: int
    log_id: str

    def position(self, place: int) -> int:
        """What the tables have for a place in this log, which counts from 1."""
        return (self.number << PLACE_BITS) + place


def number_of(position: int) -> int:
    """The number of a position's log."""
    return position >> PLACE_BITS


def place_of(position: int) -> int:
    """The place of a position in its log."""
    return position & ((1 << PLACE_BITS) - 1)


def every(database: Database) -> list[Log]:
    """All logs, by number."""
    return [Log(*row) for row in database.execute("SELECT number, log_id FROM logs ORDER BY number")]


def begin(database: Database) -> None:
    """Begin a further log; inside a transaction."""
    database.execute(NEW, (str(uuid.uuid4()),))


def claim(database: Database) -> Log:
    """The first log that nobody holds; it is held now."""
    while True:
        for log in every(database):
            if database.hold(log.number):
                return log
        again(partial(_make, database))


def _make(database: Database) -> None:
    with database.transaction():
        begin(database)


def tail(database: Database, log: Log) -> tuple[int, bytes]:
    """Place and chain hash of the last record; 0 and the genesis hash if there is none."""
    row = database.execute(TAIL, (log.position(0), log.position(1 << PLACE_BITS))).fetchone()
    return (place_of(row[0]), row[1]) if row else (0, genesis(log.log_id))


def heads(database: Database) -> tuple[Receipt, ...]:
    """Receipts of the last record of each log that has one."""
    tails = ((log, *tail(database, log)) for log in every(database))
    return tuple(Receipt(log.log_id, place, chain.hex()) for log, place, chain in tails if place)
