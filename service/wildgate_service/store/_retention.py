"""Find the records that may not be kept any longer, and erase them a part at a time, so that the writer never waits for long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wildgate_service.record import read_payload
from wildgate_service.store._groups import read_payloads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from wildgate_service.store._database import Database

AT_ONCE = 500  # records erased in one transaction: some 20 ms

# Those that were erased have a tombstone, and come no second time.
POSITIONS = """
SELECT position FROM decisions WHERE (:tenant = '' OR tenant = :tenant) AND (:action = '' OR action = :action)
AND (:listing_id = '' OR listing_id = :listing_id) AND decided_time < :before
AND position NOT IN (SELECT position FROM tombstones) ORDER BY position
"""
PAYLOADS = "SELECT first_position, payloads FROM payloads JOIN log USING (last_position) ORDER BY last_position"
FOREVER = 1 << 62  # microseconds


class Unwanted(Struct, frozen=True, kw_only=True):
    """Which records to erase: those that are all of what is said. `seller` is the keyed hash of one, as records have it."""

    tenant: str = ""
    before: datetime | None = None
    action: str = ""
    listing_id: str = ""
    seller: str = ""


def find(database: Database, unwanted: Unwanted) -> list[int]:
    """Their positions, in order. A seller is looked for in all payloads, about a second per million; the rest is in columns."""
    arguments = {
        "tenant": unwanted.tenant,
        "action": unwanted.action,
        "listing_id": unwanted.listing_id,
        "before": round(unwanted.before.timestamp() * 1e6) if unwanted.before else FOREVER,
    }
    with database.snapshot():
        positions = [position for (position,) in database.execute(POSITIONS, arguments)]
        if not unwanted.seller:
            return positions
        sellers = set(_of_seller(database, unwanted.seller))
    return [position for position in positions if position in sellers]


def _of_seller(database: Database, seller: str) -> Iterator[int]:
    """Positions of the records of a seller; most groups are passed over unread, for they do not hold the bytes of the hash."""
    wanted = seller.encode()
    for first, packed in database.stream(PAYLOADS):
        if wanted in packed:
            for position, payload in enumerate(read_payloads(packed), first):
                if wanted in payload and read_payload(payload).seller == seller:
                    yield position


def parts(positions: Sequence[int]) -> Iterator[Sequence[int]]:
    """The positions, so many as may be erased at once."""
    for start in range(0, len(positions), AT_ONCE):
        yield positions[start : start + AT_ONCE]
