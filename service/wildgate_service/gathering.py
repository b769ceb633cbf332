"""Gathering: calls that arrive together are scored together, one right after the other.

Scoring one listing between two pieces of gRPC's work costs twice what it costs after another listing: each time the tables and the code of
one push those of the other out of the core's caches. So a call waits until no other has joined for a few turns of the event loop, which is
how long gRPC takes to hand over one that has arrived, and then all are scored in a row. A call that is alone waits some microseconds.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

QUIET_TURNS = 6  # in which nobody joined
MOST = 32
# Scored in a row for so long at most; then others may arrive, and be refused, in time.
SLICE_SECONDS = 0.002


class Gathering:
    """Runs what it is given in rows. For one event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.Future[Any], Callable[[], Any], float]] = []

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return len(self._waiting)

    @property
    def waited(self) -> float:
        """Seconds that the first in line has waited for its turn; 0 if nobody waits."""
        return time.monotonic() - self._waiting[0][2] if self._waiting else 0.0

    async def run(self, score: Callable[[], Answer]) -> Answer:
        """What `score` returns or raises, after it was its turn; one that is no longer awaited is left out."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((future, score, time.monotonic()))
        if len(self._waiting) == 1:
            loop.call_soon(self._gather, loop, QUIET_TURNS, 1)
        return await future

    def _gather(self, loop: asyncio.AbstractEventLoop, turns: int, before: int) -> None:
        """Wait another turn if somebody joined since the last, or there are turns left."""
        count = len(self._waiting)
        left = QUIET_TURNS if count > before else turns - 1
        if left and count < MOST:
            loop.call_soon(self._gather, loop, left, count)
        else:
            self._run_row(loop)

    def _run_row(self, loop: asyncio.AbstractEventLoop) -> None:
        row, self._waiting = self._waiting, []
        end = time.monotonic() + SLICE_SECONDS
        for number, (future, score, _) in enumerate(row, 1):
            _settle(future, score)
            if number < len(row) and time.monotonic() > end:
                self._waiting = row[number:]
                loop.call_soon(self._gather, loop, QUIET_TURNS, len(self._waiting))
                return


def _settle(future: asyncio.Future[Any], score: Callable[[], Any]) -> None:
    if future.done():
        return
    try:
        future.set_result(score())
    except Exception as error:  # noqa: BLE001  (it is the caller's)
        future.set_exception(error)
