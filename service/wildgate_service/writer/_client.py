"""What a worker records through: futures by call number, one write per turn of the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import structlog
from msgspec import Struct

from wildgate_service.errors import RequestReusedError, StoreError, WildgateError
from wildgate_service.outcomes import Outcome
from wildgate_service.record import Entry, make_entry, read_payload
from wildgate_service.store import DecisionNotFoundError, OutcomeRecorded
from wildgate_service.types import DecisionRecord, Receipt, Recorded
from wildgate_service.writer._wire import (
    Answer,
    Answers,
    Code,
    Entries,
    Outcomes,
    StateWanted,
    WriterState,
    answer_reader,
    encode,
    read_state,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

log = structlog.get_logger()

MAX_PENDING = 4096
PATIENCE_SECONDS = 3.0
BUSY = 4  # calls waiting from which a group may gather
GATHER_SECONDS = 0.002
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.01, 0.2
CLOSED = "the connection to the writer was closed"
ERRORS: dict[Code, type[WildgateError]] = {
    Code.FAILED: StoreError,
    Code.REQUEST_REUSED: RequestReusedError,
    Code.DECISION_NOT_FOUND: DecisionNotFoundError,
}


class WriterOverloadedError(StoreError):
    """More calls wait for the writer than may: the caller should try again later."""


class _Call(Struct, eq=False):
    """A call that waits for its answer; without an item it asks for the state."""

    item: Entry | Outcome | None
    since: float
    answer: asyncio.Future[Answer]


class WriterClient:
    """A worker's way to the writer; belongs to one event loop.

    It connects again when the writer was restarted, and then repeats what was not answered: appending
    is idempotent, so nothing is lost and nothing doubled. A call fails with StoreError when it has waited
    for `patience` seconds, or when `max_pending` calls wait already. One that failed may yet be recorded.
    """

    def __init__(
        self,
        path: str,
        *,
        max_pending: int = MAX_PENDING,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._path = path
        self._max_pending = max_pending
        self._patience = patience
        self._pending: dict[int, _Call] = {}
        self._unsent: list[int] = []
        self._last_call = 0
        self._transport: asyncio.Transport | None = None
        self._full = False
        self._connecting: asyncio.Task[None] | None = None
        self._watching = False
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; calls that wait fail."""
        self._closed = True
        if self._connecting:
            self._connecting.cancel()
        if self._transport:
            self._transport.abort()
        _fail(self._pending.values(), CLOSED)

    @property
    def waiting(self) -> int:
        """Calls that wait for an answer."""
        return len(self._pending)

    @property
    def waiting_seconds(self) -> float:
        """How long the call that came first of those without an answer has been waiting: what recording takes now, at least."""
        first = next(iter(self._pending.values()), None)
        return asyncio.get_running_loop().time() - first.since if first else 0.0

    async def record(self, record: DecisionRecord) -> Recorded:
        """Append a record and wait until it is in the store, or in the spool, and then it has no receipt.

        Raises RequestReusedError if its request_id was used for another listing, StoreError if it
        could not be written.
        """
        answer = await self._call(make_entry(record))
        standing, repeated = record, False
        if answer.payload:
            standing = read_payload(answer.payload)
            repeated = standing.decision_id != record.decision_id  # else this call, sent again, or spooled
        if answer.code is Code.SPOOLED:
            return Recorded(standing, None, repeated)
        receipt = Receipt(answer.log_id, answer.position, answer.chain_hash.hex())
        return Recorded(standing, receipt, repeated)

    async def state(self) -> WriterState:
        """How store and spool stand. Raises StoreError if the writer does not answer."""
        return read_state((await self._call(None)).payload)

    async def record_outcomes(self, outcomes: Sequence[Outcome]) -> list[OutcomeRecorded | WildgateError]:
        """Append outcomes and wait until they are in the store; each gets a result or its own error."""
        return await asyncio.gather(*map(self._record_outcome, outcomes))

    async def _record_outcome(self, outcome: Outcome) -> OutcomeRecorded | WildgateError:
        try:
            answer = await self._call(outcome)
        except WildgateError as error:
            return error
        return OutcomeRecorded(outcome.outcome_id, duplicate=answer.code is Code.REPEATED)

    async def _call(self, item: Entry | Outcome | None) -> Answer:
        if self._closed:
            raise StoreError(CLOSED)
        if len(self._pending) >= self._max_pending:
            message = f"overloaded: {self._max_pending} records wait for the writer"
            raise WriterOverloadedError(message)
        loop = asyncio.get_running_loop()
        self._last_call = number = self._last_call + 1
        self._pending[number] = call = _Call(item, loop.time(), loop.create_future())
        if not self._unsent or self._transport is None:
            self._flush_soon(loop)
        self._unsent.append(number)
        if not self._watching:
            loop.call_later(self._patience, self._watch)
            self._watching = True
        try:
            answer = await call.answer
        finally:
            self._pending.pop(number, None)
        if answer.code in ERRORS:
            raise ERRORS[answer.code](answer.message)
        return answer

    # --- the connection --------------------------------------------------------------------------

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Flush in this turn; while many calls wait already, a moment later, so that groups grow as load does."""
        if len(self._pending) > BUSY and self._transport is not None:
            loop.call_later(GATHER_SECONDS, self._flush)
        else:
            loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Send all calls of this turn; those that were given up meanwhile are not sent."""
        if self._transport is None:
            self._connect()
            return
        if self._full:
            return
        calls = [(number, self._pending[number].item) for number in self._unsent if number in self._pending]
        self._unsent = []
        entries = [(number, item) for number, item in calls if isinstance(item, Entry)]
        if entries:
            self._transport.write(encode(Entries(*map(list, zip(*entries, strict=True)))))
        outcomes = [(number, item) for number, item in calls if isinstance(item, Outcome)]
        if outcomes:
            self._transport.write(encode(Outcomes(*map(list, zip(*outcomes, strict=True)))))
        for number, item in calls:
            if item is None:
                self._transport.write(encode(StateWanted(number)))

    def _connect(self) -> None:
        if self._connecting is None and not self._closed:
            self._connecting = asyncio.get_running_loop().create_task(self._connect_patiently())

    async def _connect_patiently(self) -> None:
        """Try until it works or nobody waits any more."""
        loop, wait = asyncio.get_running_loop(), FIRST_RETRY_SECONDS
        try:
            while self._pending:
                try:
                    await loop.create_unix_connection(lambda: _Link(self), self._path)
                except OSError:
                    await asyncio.sleep(wait)
                    wait = min(2 * wait, LONGEST_RETRY_SECONDS)
                else:
                    return
        finally:
            self._connecting = None

    def _watch(self) -> None:
        """Fail the calls that have waited for too long, drop what was given up, and look again while others wait."""
        loop = asyncio.get_running_loop()
        latest = loop.time() - self._patience
        late = [call for call in self._pending.values() if call.since <= latest]
        if late:
            log.error("writer_silent", calls=len(late), seconds=self._patience)
            _fail(late, "the writer did not answer in time: is its process running?")
        self._unsent = [number for number in self._unsent if number in self._pending and not self._pending[number].answer.done()]
        self._watching = len(self._pending) > len(late)
        if self._watching:
            loop.call_later(self._patience / 4, self._watch)

    def connected(self, transport: asyncio.Transport) -> None:
        """The link is up: send all that was not answered, in order."""
        self._transport = transport
        self._full = False
        self._unsent = list(self._pending)
        self._flush()

    def filled(self) -> None:
        """The writer does not read: calls wait here, where those that are given up cost nothing more."""
        self._full = True

    def emptied(self) -> None:
        """It reads again: send what still waits."""
        self._full = False
        self._flush()

    def disconnected(self) -> None:
        """The link is down; it is made again if anything waits, else at the next call."""
        self._transport = None
        if self._pending:
            self._connect()

    def answered(self, answers: Answers) -> None:
        """Wake those who wait; an answer that nobody waits for any more is dropped."""
        for answer in answers.answers:
            call = self._pending.get(answer.call)
            if call and not call.answer.done():
                call.answer.set_result(answer)


def _fail(calls: Iterable[_Call], message: str) -> None:
    for call in calls:
        if not call.answer.done():
            call.answer.set_exception(StoreError(message))


class _Link(asyncio.Protocol):
    """One connection to the writer."""

    def __init__(self, client: WriterClient) -> None:
        self._client = client
        self._reader = answer_reader()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport and say so."""
        self._transport = cast("asyncio.Transport", transport)  # a Unix stream's is one
        self._client.connected(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answers, or a part of them."""
        try:
            for answers in self._reader.feed(data):
                self._client.answered(answers)
        except ValueError:
            log.error("writer_spoke_nonsense")  # noqa: TRY400  (the text could quote a record)
            if self._transport:
                self._transport.abort()

    def pause_writing(self) -> None:
        """The buffer is full."""
        self._client.filled()

    def resume_writing(self) -> None:
        """The buffer is empty enough."""
        self._client.emptied()

    def connection_lost(self, exc: Exception | None) -> None:
        """The writer is gone, or this side closed."""
        del exc
        self._client.disconnected()
