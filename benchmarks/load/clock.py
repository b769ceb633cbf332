"""Sending by the clock, so that a call that waits does not hide those that should have followed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

LATE_SECONDS = 0.001  # a loop that wakes later than this counts from when it woke


async def due_times(rate: float) -> AsyncIterator[float]:
    """Waits for each moment at which one of `rate` calls a second is due, for ever; gives the moment, by `time.perf_counter`."""
    start, number = time.perf_counter(), 0
    while True:
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        yield max(due, time.perf_counter() - LATE_SECONDS)
        number += 1


def percentile(ordered: list[float], share: float) -> float:
    """The value that so large a share does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
