"""What the writer says of itself: how long groups take, and what has become of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildgate_service.monitoring.health import STORE, StoreState

if TYPE_CHECKING:
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
        self.store(usable=True)

    def attempted(self, decisions: int, outcomes: int, seconds: float, *, written: bool) -> None:
        """Count an attempt to write a group of so many, which took so long; without any it was to see whether the store can be used."""
        if not written:
            self._failures[()] += 1
        if decisions or outcomes:
            self._seconds.observe(seconds, "written" if written else "failed")
        if decisions and written:
            self._records[("decision",)] += decisions
            self._groups.observe(decisions)
        if outcomes and written:
            self._records[("outcome",)] += outcomes

    def store(self, *, usable: bool, spools: bool = False, spool_records: int = 0, spool_bytes: int = 0) -> None:
        """Say what becomes of records from now on: whether the store takes them, else the spool, and what that holds."""
        self._spool_records[()], self._spool_bytes[()] = float(spool_records), float(spool_bytes)
        state = StoreState.WRITABLE if usable else StoreState.SPOOLING if spools else StoreState.FAILING
        if self._tally.states.get(STORE) != state:
            self._tally.states[STORE] = state
            self._states.update({(each.value,): float(each is state) for each in StoreState})
            self._tally.publish()

    def beat(self) -> None:
        """Show the numbers, once a second; to be called at least that often."""
        self._tally.publish_if_due()
