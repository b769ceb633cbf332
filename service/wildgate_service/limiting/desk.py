"""The supervisor's part in limits: it owns the memory, gives every tenant its place, and brings in what the store says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import structlog

from wildgate_service.control import Limits
from wildgate_service.limiting.accounts import PLACES, Accounts
from wildgate_service.limiting.attempts import MINUTE_SECONDS, Attempts
from wildgate_service.limiting.limit import DAY_SECONDS, Limit, Placed
from wildgate_service.settings import DEFAULT_TENANT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from wildgate_service.limiting.limit import TenantLimit
    from wildgate_service.settings import Settings

log = structlog.get_logger()


class LimitStore(Protocol):
    """Where limits and counts are kept."""

    def list_limits(self) -> Sequence[TenantLimit]:
        """What the operator set."""

    def counted_on(self, day: int, tenants: Collection[str]) -> Mapping[str, int]:
        """Decisions of a day, by tenant."""


class Desk:
    """Limits as the supervisor keeps them."""

    def __init__(self, settings: Settings) -> None:
        self.accounts = Accounts()
        self.attempts = Attempts(settings.bad_keys_per_minute)
        self._default = Limit(settings.limit_per_second, settings.limit_burst, settings.limit_per_day)
        self._places: dict[str, int] = {}
        self._told_due = time.monotonic() + MINUTE_SECONDS
        self._told = (0, 0)

    def read(self, store: LimitStore | None, tenants: Iterable[str]) -> Limits:
        """The limits now in force of the tenants that have any; what the store has counted today is brought in.

        Raises StoreError.
        """
        chosen = {each.tenant: each.over(self._default) for each in (store.list_limits() if store else ())}
        known = dict.fromkeys((DEFAULT_TENANT, *tenants), self._default) | chosen
        limits = Limits({tenant: placed for tenant, limit in known.items() if limit and (placed := self._placed(tenant, limit))})
        if store:
            self._bring_in_counts(store, limits.placed)
        return limits

    def _placed(self, tenant: str, limit: Limit) -> Placed | None:
        if tenant not in self._places and len(self._places) == PLACES:
            log.error("limits_full", tenant=tenant, places=PLACES)
            return None
        return Placed(self._places.setdefault(tenant, len(self._places)), limit)

    def _bring_in_counts(self, store: LimitStore, placed: Mapping[str, Placed]) -> None:
        counted = {tenant: each.place for tenant, each in placed.items() if each.limit.per_day}
        day = int(time.time()) // DAY_SECONDS
        for tenant, listings in (store.counted_on(day, tuple(counted)) if counted else {}).items():
            self.accounts.raise_to(counted[tenant], day, listings)

    def tell_attempts(self) -> None:
        """Once a minute, if there were bad keys since: log how many."""
        if time.monotonic() < self._told_due:
            return
        self._told_due = time.monotonic() + MINUTE_SECONDS
        before, self._told = self._told, self.attempts.totals()
        if self._told != before:
            log.warning("bad_keys", attempts=self._told[0] - before[0], limited=self._told[1] - before[1])
