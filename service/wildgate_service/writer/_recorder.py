"""What becomes of a group: it goes into the store; where that fails, into the spool or back to the callers, as the settings say.

While anything is in the spool it comes first: what is new joins its end, and slices of it are replayed beside, until it is empty.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog
from msgspec import Struct
from msgspec.structs import replace

from wildgate_service.errors import RequestReusedError, StoreError, WildgateError
from wildgate_service.record import Entry, make_entry, read_payload
from wildgate_service.store import OutcomeRecorded
from wildgate_service.writer._keeper import Done, StoreKeeper
from wildgate_service.writer._spool import Group, Slice, Spool
from wildgate_service.writer._wire import WriterState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

    from wildgate_service.store import Durability
    from wildgate_service.store._decisions import Appended

log = structlog.get_logger()

RECORDED_LATE = "recorded_late"  # among the degraded reasons of a decision that was answered before the store had it
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.1, 2.0
POLL_SECONDS = 0.005  # while something is on its way to the store beside the loop
DOUBTFUL_SHARE = 0.25  # of the patience, with a store that failed or was too slow the last time
KNOWN_SECONDS = 5.0  # for which a commit that went well says that the store can be used
SLOW = "the store is too slow or hangs: a commit took longer than store_patience"
BEHIND = "what was spooled is still being brought into the store"
NO_GROUP = Group([], [])


class Recording(Struct, frozen=True, kw_only=True):
    """How to record: the settings of these names, `patience` and `on_failure` being those of the store."""

    durability: Durability = "process"
    patience: float = 1.0
    on_failure: Literal["refuse", "spool"] = "refuse"
    spool: Path | None = None
    spool_max_bytes: int = 1 << 28


class Spooled(Struct, frozen=True):
    """An entry is in the spool; `payload` is what stands there under its request."""

    payload: bytes


class Answered(Struct, frozen=True):
    """What to answer to each item of a group, in order."""

    places: Sequence[Appended | Spooled | WildgateError]
    results: Sequence[OutcomeRecorded | WildgateError]


class Recorder:
    """Store and spool of one writer. It never waits for the store for longer than the patience."""

    def __init__(self, url: str, how: Recording, clock: Callable[[], float] = time.monotonic) -> None:
        self._how = how
        self._clock = clock
        self._store = StoreKeeper(url, how.durability, how.patience)
        self._spool: Spool | None = None
        # One that an earlier setting left is replayed in any case.
        self._wants_spool = how.spool is not None and (how.on_failure == "spool" or how.spool.exists())
        self._usable = True
        self._used = clock()
        self._trusted = True
        self._submitted = 0.0
        self._cursor = 0  # where in the spool that begins which is not in the store yet
        self._replayed: Slice | None = None  # on its way from spool to store
        self._next_try = 0.0
        self._wait = FIRST_RETRY_SECONDS
        self._counts = WriterState()

    def __enter__(self) -> Self:
        self._store.__enter__()
        self._find_spool()
        self._attempt(NO_GROUP)  # open the store before the first call
        return self

    def __exit__(self, *_: object) -> None:
        self._store.__exit__()
        if self._spool:
            self._spool.close()

    @property
    def pause(self) -> float | None:
        """Seconds after which `tend` has something to do; None for nothing until the next call."""
        if self._store.busy:
            return POLL_SECONDS
        return max(0.0, self._next_try - self._clock()) if self._behind or self._lacks_spool else None

    def record(self, group: Group) -> Answered:
        """Bring a group into the store or into the spool, or say why neither is possible."""
        done = StoreError(BEHIND) if self._behind else self._attempt(group)
        if isinstance(done, Done):
            return Answered(done.places, done.results)
        if self._how.on_failure == "refuse" or self._spool is None:
            return _refused(group, done)
        try:
            return self._spooled(self._spool, group)
        except StoreError as error:
            log.error("spool_failed", items=len(group), error=str(error))  # noqa: TRY400  (no stack)
            return _refused(group, error)

    def state(self) -> WriterState:
        """What can be said of store and spool now; a store of which nothing good is known is tried."""
        if not self._behind and (not self._usable or self._clock() > self._used + KNOWN_SECONDS):
            self._attempt(NO_GROUP)
        return self.stands

    @property
    def stands(self) -> WriterState:
        """How store and spool stood when they were last used; tries nothing."""
        spool = self._spool
        return replace(
            self._counts,
            usable=self._usable,
            spools=self._how.on_failure == "spool" and spool is not None,
            spool_records=spool.records if spool else 0,
            spool_bytes=spool.bytes if spool else 0,
            spool_max_bytes=self._how.spool_max_bytes,
        )

    # --- the store -------------------------------------------------------------------------------

    def _attempt(self, group: Group) -> Done | StoreError:
        """Append a group; StoreError if that fails or takes too long, and then it may still come to pass."""
        if self._store.busy and not self._collect():
            return StoreError(SLOW)
        self._submit(group)
        done = self._store.take(self._how.patience * (1 if self._trusted else DOUBTFUL_SHARE))
        self._trusted = isinstance(done, Done)
        if done is None:
            log.error("store_slow", items=len(group), seconds=self._how.patience)
            done = StoreError(SLOW)
        self._note(done)
        return done

    def _submit(self, group: Group) -> None:
        self._submitted = self._clock()
        self._store.submit(group)

    def _note(self, done: Done | StoreError) -> None:
        self._usable = isinstance(done, Done)
        if self._usable:
            self._used = self._clock()
            self._wait = FIRST_RETRY_SECONDS
        else:
            self._retry_later()

    def _retry_later(self) -> None:
        self._next_try = self._clock() + self._wait
        self._wait = min(2 * self._wait, LONGEST_RETRY_SECONDS)

    # --- the spool -------------------------------------------------------------------------------

    @property
    def _behind(self) -> bool:
        return self._spool is not None and self._spool.records > 0

    @property
    def _lacks_spool(self) -> bool:
        """Whether there should be a spool, and it could not be opened yet."""
        return self._spool is None and self._wants_spool

    def _find_spool(self) -> None:
        if not self._lacks_spool or self._how.spool is None:
            return
        try:
            self._spool = Spool(self._how.spool, self._how.spool_max_bytes, synchronous=self._how.durability == "disk")
        except StoreError as error:
            log.error("spool_failed", items=0, error=str(error))  # noqa: TRY400  (no stack)
            self._retry_later()
            return
        self._cursor = self._spool.first
        self._counts = replace(self._counts, cut_bytes=self._spool.cut_bytes)
        if self._spool.records:
            log.warning("spool_found", records=self._spool.records)

    def _spooled(self, spool: Spool, group: Group) -> Answered:
        """Add what is new to the spool, and answer all from what stands there."""
        standing: dict[tuple[str, str], Entry] = {}
        new: list[Entry] = []
        for entry in group.entries:
            request = entry.tenant, entry.request_id
            if request not in standing:
                found = spool.find(*request)
                if found is None:
                    found = _late(entry)
                    new.append(found)
                standing[request] = found
        if new or group.outcomes:
            if not spool.records:
                log.warning("spooling", path=str(self._how.spool))
            spool.append(Group(new, group.outcomes))
            self._counts = replace(self._counts, late=self._counts.late + len(new) + len(group.outcomes))
        return Answered(
            [_place(entry, standing[entry.tenant, entry.request_id]) for entry in group.entries],
            [OutcomeRecorded(outcome.outcome_id, duplicate=False) for outcome in group.outcomes],
        )

    def tend(self) -> None:
        """Take the next step of bringing the spool into the store, if it is time; waits for nothing."""
        if self._store.busy and not self._collect():
            return
        if self._clock() < self._next_try:
            return
        self._find_spool()
        if self._spool and self._spool.records:
            try:
                self._replay(self._spool)
            except StoreError as error:
                log.error("spool_failed", items=0, error=str(error))  # noqa: TRY400  (no stack)
                self._retry_later()

    def _replay(self, spool: Spool) -> None:
        """Send the next slice on its way, or empty the spool."""
        self._replayed = spool.read(self._cursor)
        if self._replayed:
            self._submit(self._replayed.group)
            return
        spool.clear()
        self._cursor = spool.first
        log.info("spool_replayed", superseded=self._counts.superseded, rejected=self._counts.rejected)

    def _collect(self) -> bool:
        """Take what became of a group that was on its way; False if it still is."""
        done = self._store.take(0)
        if done is None:
            return False
        self._trusted = isinstance(done, Done) and self._clock() - self._submitted < self._how.patience
        self._note(done)
        replayed, self._replayed = self._replayed, None
        if replayed and isinstance(done, Done):
            self._cursor = replayed.end
            rejected = sum(1 for _ in _rejected(replayed.group, done))
            counts = self._counts
            self._counts = replace(counts, superseded=counts.superseded + done.superseded, rejected=counts.rejected + rejected)
        return True


def _refused(group: Group, error: StoreError) -> Answered:
    return Answered([error] * len(group.entries), [error] * len(group.outcomes))


def _late(entry: Entry) -> Entry:
    """The entry of a decision that says of itself that it was recorded late."""
    record = read_payload(entry.payload)
    reasons = (*record.decision.degraded_reasons, RECORDED_LATE)
    return make_entry(replace(record, decision=replace(record.decision, degraded_reasons=reasons)))


def _place(entry: Entry, standing: Entry) -> Spooled | RequestReusedError:
    if standing.request_fingerprint == entry.request_fingerprint:
        return Spooled(standing.payload)
    return RequestReusedError(f"request_id {entry.request_id} came before with another listing: make one per listing")


def _rejected(group: Group, done: Done) -> Iterator[str]:
    """What cannot be recorded, whoever tries: each is logged by its ids, for it was answered."""
    for entry, place in zip(group.entries, done.places, strict=True):
        if isinstance(place, WildgateError):
            log.error("late_decision_rejected", decision_id=entry.decision_id, request_id=entry.request_id, why=str(place))
            yield entry.decision_id
    for outcome, result in zip(group.outcomes, done.results, strict=True):
        if isinstance(result, WildgateError):
            log.error("late_outcome_rejected", outcome_id=outcome.outcome_id, decision_id=outcome.decision_id, why=str(result))
            yield outcome.outcome_id
