"""The store in a thread of its own, so that a commit that takes too long never keeps the writer from answering."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from wildgate_service.errors import StoreError, WildgateError
from wildgate_service.record import read_payload
from wildgate_service.store import DecisionNotFoundError, OutcomeRecorded, Store, Superseded, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from wildgate_service.record import Entry
    from wildgate_service.store import Durability
    from wildgate_service.store._decisions import Appended
    from wildgate_service.writer._spool import Group

log = structlog.get_logger()

CLOSE_SECONDS = 5.0
MINUTE_SECONDS = 60.0
BUSY_SHARE = 0.5  # of the patience, for somebody else's lock


class Done(Struct, frozen=True):
    """What the store said of each item of a group, in order; `superseded` late decisions gave way to others."""

    places: Sequence[Appended | WildgateError] = ()
    results: Sequence[OutcomeRecorded | DecisionNotFoundError] = ()
    superseded: int = 0


class StoreKeeper:
    """Opens the store, and opens it again after it broke; never makes one, lest a lost file go unnoticed.

    One group at a time: `submit` it, `take` what became of it; where that is not there in time, the group is still on its way, and nothing
    else may be submitted before `busy` is over. `patience` is how many seconds a commit may take.
    """

    def __init__(self, url: str, durability: Durability, patience: float) -> None:
        self.busy = False
        self._url = url
        self._durability = durability
        self._patience = patience
        self._store: Store | None = None
        self._said = ("", 0.0)  # the last failure that was logged, and when
        self._unsaid = 0  # the same ones since
        self._wanted: queue.SimpleQueue[Group | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Done | BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store, unless it hangs: then the end of the process does."""
        self._wanted.put(None)
        self._thread.join(CLOSE_SECONDS)

    def submit(self, group: Group) -> None:
        """Have a group appended; without records it only sees whether the store can be used."""
        self.busy = True
        self._wanted.put(group)

    def take(self, seconds: float) -> Done | StoreError | None:
        """What became of the group, waited for at most so long; None if it is still on its way. A defect of the thread is raised here."""
        try:
            done = self._done.get(timeout=seconds) if seconds > 0 else self._done.get_nowait()
        except queue.Empty:
            return None
        self.busy = False
        if isinstance(done, Done | StoreError):
            return done
        raise done

    # --- in the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        while (group := self._wanted.get()) is not None:
            try:
                self._done.put(self._attempt(group))
            except BaseException as error:  # noqa: BLE001  (the process ends by it, and its successor begins anew)
                self._done.put(error)
        self._close()

    def _attempt(self, group: Group) -> Done | StoreError:
        try:
            if self._store is None:
                self._store = self._open()
            self._store.check()
            done = self._append(self._store, group)
        except StoreError as error:
            self._say(str(error), len(group))
            self._close()
            return error
        self._said = ("", 0.0)
        return done

    def _say(self, error: str, items: int) -> None:
        """Log a failure that is new, and every minute one that goes on."""
        now = time.monotonic()
        if error == self._said[0] and now < self._said[1] + MINUTE_SECONDS:
            self._unsaid += 1
            return
        log.error("store_failed", items=items, error=error, unsaid=self._unsaid)
        self._said, self._unsaid = (error, now), 0

    def _open(self) -> Store:
        store = open_store(
            self._url, durability=self._durability, create=False, busy_seconds=BUSY_SHARE * self._patience, patience=self._patience
        )
        log.info("store_opened")
        return store

    def _close(self) -> None:
        """Close the store; the next group opens it again."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _append(self, store: Store, group: Group) -> Done:
        if not group:
            store.check_writable()
        places = store.append_entries(group.entries) if group.entries else ()
        superseded = list(_superseded(group.entries, places)) if group.late else []
        if superseded:
            store.keep_superseded(superseded)
        results = store.append_outcomes(group.outcomes) if group.outcomes else ()
        return Done(places, results, len(superseded))


def _superseded(entries: Sequence[Entry], places: Sequence[Appended | WildgateError]) -> Iterator[Superseded]:
    """The late decisions under whose request another stands."""
    for entry, place in zip(entries, places, strict=True):
        if not isinstance(place, WildgateError) and place.payload:
            standing = read_payload(place.payload).decision_id
            if standing != entry.decision_id:
                log.warning("late_decision_superseded", decision_id=entry.decision_id, standing=standing, request_id=entry.request_id)
                yield Superseded(entry.tenant, entry.decision_id, standing)
