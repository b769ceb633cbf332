"""The accounts of all tenants, in shared memory: one place each, charged exactly, whichever workers the calls reach."""

from __future__ import annotations

import struct

from wildgate_service.limiting.limit import Account, Limit, Over, charge
from wildgate_service.limiting.shared import Shared

PLACES = 65_536
PLACE = struct.Struct("=qqqxxxxxxxx")


class Accounts:
    """What tenants have used. Make it before workers are forked; memory is taken as places come into use."""

    def __init__(self) -> None:
        self._shared = Shared(PLACES * PLACE.size)

    def charge(self, place: int, limit: Limit, listings: int, *, now: int, today: float) -> Over | None:
        """Charge listings to the account at a place, or say why not; see `limit.charge`."""
        offset = place * PLACE.size
        memory = self._shared.memory
        self._shared.lock(offset)
        try:
            charged = charge(Account(*PLACE.unpack_from(memory, offset)), limit, listings, now=now, today=today)
            if isinstance(charged, Over):
                return charged
            PLACE.pack_into(memory, offset, charged.free, charged.day, charged.counted)
        finally:
            self._shared.unlock(offset)
        return None

    def room(self, place: int, limit: Limit, *, now: int, today: float) -> Over | None:
        """Say why not even one listing could be charged now; charge nothing."""
        charged = charge(self.read(place), limit, 1, now=now, today=today)
        return charged if isinstance(charged, Over) else None

    def read(self, place: int) -> Account:
        """What has been used at a place, perhaps just before another process charges it."""
        return Account(*PLACE.unpack_from(self._shared.memory, place * PLACE.size))

    def raise_to(self, place: int, day: int, counted: int) -> None:
        """Let the day's count be at least this, for the store has counted more: before a restart, or from other replicas."""
        offset = place * PLACE.size
        self._shared.lock(offset)
        try:
            account = self.read(place)
            if account.day <= day:
                before = account.counted if account.day == day else 0
                PLACE.pack_into(self._shared.memory, offset, account.free, day, max(before, counted))
        finally:
            self._shared.unlock(offset)
