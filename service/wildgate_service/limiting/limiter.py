"""Charges calls to score to their tenants, in a worker: before a message is read, or for a batch as soon as its items are counted."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from wildgate_service.limiting.limit import DAY_SECONDS, Bound
from wildgate_service.status import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wildgate_service.limiting.accounts import Accounts
    from wildgate_service.limiting.limit import Limit, Over, Placed


class Limiter:
    """Knows the tenants that have a limit; others cost a look into a dictionary. `wall` in seconds since 1970, `clock` in ns, monotonic."""

    def __init__(
        self,
        accounts: Accounts,
        placed: Mapping[str, Placed],
        clock: Callable[[], int] = time.monotonic_ns,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._accounts = accounts
        self._placed = placed
        self._clock = clock
        self._wall = wall

    def refusal(self, tenant: str, listings: int) -> Refusal | None:
        """Charge so many listings; for 0, only tell whether one more could be. What is refused costs nothing."""
        placed = self._placed.get(tenant)
        if placed is None:
            return None
        now, today = self._clock(), self._wall() / DAY_SECONDS
        if listings:
            over = self._accounts.charge(placed.place, placed.limit, listings, now=now, today=today)
        else:
            over = self._accounts.room(placed.place, placed.limit, now=now, today=today)
        return _refusal(over, placed.limit, int(today)) if over else None


def _refusal(over: Over, limit: Limit, day: int) -> Refusal:
    pushback_ms = math.ceil(over.seconds * 1000)
    if over.bound is Bound.RATE:
        return Refusal(Reason.RATE_LIMITED, {"limit": f"{limit.per_second:g}", "burst": str(limit.at_once)}, pushback_ms=pushback_ms)
    resets = datetime.fromtimestamp(0, UTC) + timedelta(days=day + 1)
    return Refusal(Reason.QUOTA_EXCEEDED, {"limit": str(limit.per_day), "resets": f"{resets:%Y-%m-%dT%H:%M:%SZ}"}, pushback_ms=pushback_ms)
