"""What a limit is, and what a call costs of it. Pure: times come in as numbers.

The rate is GCRA, the leaky bucket as a single time: when the tenant will have worked off all that it was given. It needs no timer, holds
exactly over any span, and one number of 8 bytes can be stored in one step (ITU-T I.371, annex A).
"""

from __future__ import annotations

import math
from enum import Enum

from msgspec import Struct

from wildgate_service.errors import SettingsError
from wildgate_service.keys import check_tenant

SECOND_NS = 1_000_000_000
DAY_SECONDS = 86_400
MOST_LISTINGS = 10**12  # a second or a day: more than there are
LONGEST_NS = 10**15  # for one listing, eleven days: 256 of them fit into 8 bytes


class Limit(Struct, frozen=True):
    """How many listings a tenant may have scored. 0 is no limit; a burst of 0 is what one second allows."""

    per_second: float = 0.0
    burst: int = 0
    per_day: int = 0

    @property
    def at_once(self) -> int:
        """How many may come in one moment after a pause."""
        return self.burst or max(1, math.ceil(self.per_second))

    def __bool__(self) -> bool:
        return bool(self.per_second or self.per_day)


class Placed(Struct, frozen=True):
    """A tenant's limit, and the place of its account."""

    place: int
    limit: Limit


class TenantLimit(Struct, frozen=True, kw_only=True):
    """What the operator set for one tenant; None leaves it to the settings, 0 lifts it."""

    tenant: str
    per_second: float | None = None
    burst: int | None = None
    per_day: int | None = None

    def over(self, default: Limit) -> Limit:
        """The limit in force, where the settings say `default`."""
        return Limit(
            default.per_second if self.per_second is None else self.per_second,
            default.burst if self.burst is None else self.burst,
            default.per_day if self.per_day is None else self.per_day,
        )


def check_limit(limit: TenantLimit) -> None:
    """Raise SettingsError for a tenant or a number that cannot be."""
    check_tenant(limit.tenant)
    for name in ("per_second", "burst", "per_day"):
        number = getattr(limit, name)
        if number is not None and not 0 <= number <= MOST_LISTINGS:
            raise SettingsError(f"{name} is {number}: choose a number from 0 (no limit) to {MOST_LISTINGS:,}")


class Account(Struct, frozen=True):
    """What a tenant has used: `free` is when the rate will have worked it off (ns, monotonic), `counted` the listings of that `day`."""

    free: int
    day: int
    counted: int


class Bound(Enum):
    """Which part of a limit a call is over."""

    RATE = "rate"
    QUOTA = "quota"


class Over(Struct, frozen=True):
    """Why a call may not be charged, and in how many seconds it may be."""

    bound: Bound
    seconds: float


def charge(account: Account, limit: Limit, listings: int, *, now: int, today: float) -> Account | Over:
    """Charge so many listings, or nothing at all. `now` in ns, monotonic; `today` in days since 1970, UTC, with a fraction.

    A batch larger than the burst waits until all is worked off and then goes as a whole, so that the rate holds in the long run.
    """
    day = int(today)
    counted = account.counted if account.day == day else 0
    if limit.per_day and counted + listings > limit.per_day:
        return Over(Bound.QUOTA, (day + 1 - today) * DAY_SECONDS)
    free = account.free
    if limit.per_second:
        each = min(SECOND_NS / limit.per_second, LONGEST_NS)
        free = max(free, now)
        room = (limit.at_once - min(listings, limit.at_once)) * each
        if free - now > room:
            return Over(Bound.RATE, (free - now - room) / SECOND_NS)
        free += int(listings * each)
    return Account(free, day, counted + listings)
