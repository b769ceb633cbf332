"""Admission: which calls a worker takes on, and which it refuses before any work, since nobody would be there for the answer.

A worker scores one listing at a time. What comes faster waits first in gRPC, which drops what it has no room for (`server`), then in the
event loop; here it is seen how long that took, and whether there is time left. No gRPC, and no clock but the one that it is given.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from wildgate_service.status import overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HURRY_SHARE = 0.5  # of the longest wait, from which on the slow tiers are left out
FIRST_ANSWER = 0.001  # seconds from the start to the answer, until it is known
LONGEST_ANSWER = 0.025  # of which more is not believed, for one bad second must not close the door
FIRST_PACE = 0.0005  # seconds a listing of a batch, likewise
WEIGHT = 1 / 16  # of the latest in what is remembered

_ARRIVED: ContextVar[float] = ContextVar("arrived")


class Admission:
    """The door of one worker. `longest_wait` in seconds, `limit` in listings taken on at a time."""

    def __init__(self, longest_wait: float, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.held = 0  # listings of calls taken on and not answered
        self._longest_wait = longest_wait
        self._limit = limit
        self._clock = clock
        self._lag = 0.0  # seconds from the arrival of the latest call to its start
        self._answer = FIRST_ANSWER
        self._pace = FIRST_PACE

    @property
    def hurried(self) -> bool:
        """Whether calls wait for so long that slow tiers should be left out."""
        return self._lag > HURRY_SHARE * self._longest_wait

    def arrive(self) -> bool:
        """Note when a call came; whether there is room for it. Belongs to the same context as the call's `hold`."""
        _ARRIVED.set(self._clock())
        return self.held < self._limit

    @contextmanager
    def hold(self, listings: int, deadline: float | None, recording: float = 0.0) -> Iterator[None]:
        """Take listings on until they are answered.

        `recording` is how many seconds a record waits now. Raises Refusal if the call has waited for too long, if there is no time left
        before `deadline`, or too many are held.
        """
        start = self._clock()
        self._lag = start - _ARRIVED.get(start)
        if not self._may_begin(listings, None if deadline is None else deadline - start - recording):
            self._answer -= WEIGHT * self._answer  # what refuses all would never be put right
            raise overloaded()
        self.held += listings
        try:
            yield
        finally:
            self.held -= listings
            self._answer += WEIGHT * (min(self._clock() - start, LONGEST_ANSWER) - self._answer)

    def _may_begin(self, listings: int, left: float | None) -> bool:
        if self._lag > self._longest_wait or (self.held and self.held + listings > self._limit):
            return False
        if left is None:
            return True
        needed = self._answer if listings <= 1 else (listings + self.held) * self._pace
        return left > (needed if self.held else 0)

    def scored(self, listings: int, seconds: float) -> None:
        """Learn how long so many listings of a batch took."""
        self._pace += WEIGHT * (seconds / listings - self._pace)
