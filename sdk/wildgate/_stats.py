"""What a client counts and, for degraded decisions, logs."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from threading import Lock

_logger = logging.getLogger("wildgate")
LOG_INTERVAL = 60.0


class Stats:
    """Counters of one client since it was made; safe to read from any thread.

    `calls` counts calls of methods, `decisions` listings that the service decided. A listing
    answered by `on_unavailable` counts in `degraded` under its reason, and in no other place.
    `errors` counts failures, raised or standing in a batch, by `WildgateError.reason`.
    """

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = Lock()
        self._calls = 0
        self._decisions = 0
        self._degraded: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()

    @property
    def calls(self) -> int:
        """Calls of methods that ask the service."""
        return self._calls

    @property
    def decisions(self) -> int:
        """Listings that the service decided."""
        return self._decisions

    @property
    def degraded(self) -> dict[str, int]:
        """Listings that the client decided itself, by reason."""
        with self._lock:
            return dict(self._degraded)

    @property
    def errors(self) -> dict[str, int]:
        """Failures by reason."""
        with self._lock:
            return dict(self._errors)

    def as_dict(self) -> dict[str, int | dict[str, int]]:
        """Return all counters at one moment, for a metrics endpoint."""
        with self._lock:
            return {
                "calls": self._calls,
                "decisions": self._decisions,
                "degraded": dict(self._degraded),
                "errors": dict(self._errors),
            }

    def __repr__(self) -> str:
        """Show all counters."""
        return f"Stats({self.as_dict()})"

    def count_call(self) -> None:
        """Count one call."""
        with self._lock:
            self._calls += 1

    def count_decision(self) -> None:
        """Count one decision of the service."""
        with self._lock:
            self._decisions += 1

    def count_degraded(self, reason: str) -> None:
        """Count one decision that the client made itself."""
        with self._lock:
            self._degraded[reason] += 1

    def count_error(self, reason: str) -> None:
        """Count one failure."""
        with self._lock:
            self._errors[reason] += 1

    def renew_lock(self) -> None:
        """Replace the lock, which another thread may have held when this process was forked."""
        self._lock = Lock()


class DegradedLog:
    """Warns through the logger "wildgate": at once, then at most once per interval with a count."""

    def __init__(self, interval: float = LOG_INTERVAL, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep the seconds between warnings and the clock that counts them."""
        self._interval = interval
        self._clock = clock
        self._lock = Lock()
        self._unsaid = 0
        self._next = float("-inf")

    def add(self, reason: str, action: str) -> None:
        """Note one degraded decision."""
        with self._lock:
            self._unsaid += 1
            now, count = self._clock(), self._unsaid
            if now < self._next:
                return
            self._next, self._unsaid = now + self._interval, 0
        _logger.warning(
            "wildgate.degraded reason=%s action=%s count=%d: the service gave no decision",
            reason,
            action,
            count,
        )

    def renew_lock(self) -> None:
        """Replace the lock, which another thread may have held when this process was forked."""
        self._lock = Lock()
