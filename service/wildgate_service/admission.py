"""Admission: which calls a worker takes on, and which it refuses before any work, since nobody would be there for the answer.

A worker scores one listing at a time. What comes faster waits in gRPC, unseen, and of that gRPC drops what it has no room for (`server`).
Over HTTP nothing is dropped, and the line is in the worker. What is seen here: how much time the caller has left, how long answers take,
how late the event loop is, and how long the first in line has waited. No gRPC, and no clock but the one that it is given.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wildgate_service.status import overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEAT_SECONDS = 0.01
HURRY_SHARE = 0.1  # of the longest wait, from which on the slow tiers are left out
FIRST_ANSWER = 0.001  # seconds from the start to the answer, until it is known
LONGEST_ANSWER = 0.025  # of which more is not believed, for one bad second must not close the door
FIRST_PACE = 0.0005  # seconds a listing of a batch, likewise
WEIGHT = 1 / 16  # of the latest in what is remembered


class Admission:
    """The door of one worker. `longest_wait` in seconds, `limit` in listings taken on at a time."""

    def __init__(self, longest_wait: float, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.held = 0  # listings of calls taken on and not answered
        self.waited: Callable[[], float] = lambda: 0.0  # seconds that the first in a long line has waited to be scored
        self._longest_wait = longest_wait
        self._limit = limit
        self._clock = clock
        self._answer = FIRST_ANSWER
        self._pace = FIRST_PACE
        self._due = clock() + BEAT_SECONDS
        self._late = (0.0, 0.0)  # seconds, of the last two beats

    # --- how late the event loop is --------------------------------------------------------------

    async def keep_beating(self) -> None:
        """Measure, for ever, how much later than wanted the event loop wakes up what sleeps in it."""
        while True:
            self._due = self._clock() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self.beat()

    def beat(self) -> None:
        """Note how late it is; a beat is due BEAT_SECONDS after the one before."""
        now = self._clock()
        self._late = (self._late[1], now - self._due)
        self._due = now + BEAT_SECONDS

    @property
    def lag(self) -> float:
        """Seconds by which the event loop is late for good: a single hiccup, such as a reload, does not count."""
        return min(self._late)

    @property
    def hurried(self) -> bool:
        """Whether the slow tiers should be left out, since others wait for them."""
        return self.lag > HURRY_SHARE * self._longest_wait

    # --- the door --------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether a call may be read at all."""
        return self.held < self._limit and self.lag <= self._longest_wait and self.waited() <= self._longest_wait

    @contextmanager
    def hold(self, listings: int, deadline: float | None, recording: float = 0.0) -> Iterator[None]:
        """Take listings on until they are answered. `recording` is how many seconds a record waits now.

        Raises Refusal if too many are held, or there is too little time left before `deadline`.
        """
        start = self._clock()
        if not self._may_begin(listings, None if deadline is None else deadline - start - recording):
            self._answer -= WEIGHT * self._answer  # what refuses all would never be put right
            raise overloaded()
        self.held += listings
        try:
            yield
        finally:
            self.held -= listings
            if listings == 1:
                self._answer += WEIGHT * (min(self._clock() - start, LONGEST_ANSWER) - self._answer)

    def _may_begin(self, listings: int, left: float | None) -> bool:
        if self.held and self.held + listings > self._limit:
            return False
        if left is None:
            return True
        needed = self._answer if listings == 1 else (listings + self.held) * self._pace
        return left > (needed + self.lag if self.held else 0.0)

    def scored(self, listings: int, seconds: float) -> None:
        """Learn how long so many listings of a batch took."""
        self._pace += WEIGHT * (seconds / listings - self._pace)
