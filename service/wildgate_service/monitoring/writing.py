"""What the writer says of itself: how long groups take, and what has become of the store."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wildgate_service.monitoring.health import STORE, StoreState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wildgate_service.monitoring.tally import Tally


class WritingWatch:
    """Counts what the writer does. The state of the store is shown at once, for calls are refused by it."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._records = tally.counter("wildgate_writer_records_total")
        self._groups = tally.histogram("wildgate_writer_group_records")
        self._seconds = tally.histogram("wildgate_writer_commit_seconds")
        self._failures = tally.counter("wildgate_store_failures_total")
        self._states = tally.gauge("wildgate_store_state")
        self._spool_records = tally.gauge("wildgate_spool_records")
        self._spool_bytes = tally.gauge("wildgate_spool_bytes")
        self._failures[()] += 0
        self.spool(0, 0)
        self._set(StoreState.WRITABLE)

    @contextmanager
    def attempt(self, items: int) -> Iterator[None]:
        """Time an attempt to write so many items; one that raises nothing is a store that can be written."""
        start, result = time.perf_counter(), "failed"
        try:
            yield
            result = "written"
        finally:
            if items:
                self._seconds.observe(time.perf_counter() - start, result)

    def written(self, kind: str, items: int) -> None:
        """So many items of a kind (decision, outcome) are in the store."""
        self._records[(kind,)] += items
        if kind == "decision":
            self._groups.observe(items)

    def failed(self) -> None:
        """An attempt failed."""
        self._failures[()] += 1

    def state(self, state: StoreState) -> None:
        """Say what becomes of a record from now on."""
        if self._tally.states.get(STORE) != state:
            self._set(state)

    def _set(self, state: StoreState) -> None:
        self._tally.states[STORE] = state
        self._states.update({(each.value,): float(each is state) for each in StoreState})
        self._tally.publish()

    def spool(self, records: int, size: int) -> None:
        """Say how many records, and bytes, the spool holds."""
        self._spool_records[()], self._spool_bytes[()] = float(records), float(size)

    def beat(self) -> None:
        """Show the numbers, once a second; to be called at least that often."""
        self._tally.publish_if_due()
