"""The writer process: a loop of `select`, one transaction, and the answers."""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
import time
from typing import TYPE_CHECKING, TypeVar

import structlog

from wildgate_service.errors import RequestReusedError, StoreError, WildgateError
from wildgate_service.monitoring.board import Place
from wildgate_service.monitoring.tally import Tally
from wildgate_service.monitoring.writing import WritingWatch
from wildgate_service.store import (
    DecisionNotFoundError,
    OutcomeRecorded,
    Store,
    open_store,
)
from wildgate_service.writer._wire import (
    Answer,
    Answers,
    Code,
    Entries,
    Outcomes,
    Request,
    encode,
    request_reader,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType
    from typing import Self

    from wildgate_service.outcomes import Outcome
    from wildgate_service.record import Entry
    from wildgate_service.store import Durability
    from wildgate_service.store._decisions import Appended

log = structlog.get_logger()

Result = TypeVar("Result")

READ_BYTES = 1 << 16
DRAIN_TURNS = 1000  # then the calls left are for the successor, to which workers send them again
BUSY_SECONDS = 1.0
PATIENCE_SECONDS = 2.0  # with a database across the network; less than workers have
ERROR_CODES: list[tuple[type[WildgateError], Code]] = [
    (RequestReusedError, Code.REQUEST_REUSED),
    (DecisionNotFoundError, Code.DECISION_NOT_FOUND),
]


def run_writer(listener: socket.socket, store_url: str, *, durability: Durability = "process", place: Place | None = None) -> None:
    """Be the writer until SIGTERM; then answer what has arrived, and return.

    `listener` is a listening Unix socket, which outlives the process so that its successor can take
    over. The store must have been made before: one that is missing or breaks makes the writer refuse
    records until it can be opened again. `place` is where it shows its numbers.
    """
    with Writer(listener, StoreKeeper(store_url, durability, WritingWatch(Tally("writer", place or Place())))) as writer:
        writer.run()


class StoreKeeper:
    """Opens the store, and opens it again after it broke; never makes one, lest a lost file go unnoticed."""

    def __init__(self, url: str, durability: Durability, watch: WritingWatch) -> None:
        self.watch = watch
        self._url = url
        self._durability = durability
        self._store: Store | None = None
        self._attempt(lambda _: (), 0)  # open it before the first call

    def _open(self) -> Store:
        store = open_store(self._url, durability=self._durability, create=False, busy_seconds=BUSY_SECONDS, patience=PATIENCE_SECONDS)
        log.info("store_opened")
        return store

    def append(self, entries: Sequence[Entry]) -> Sequence[Appended | WildgateError]:
        """As the store's; a store that breaks answers StoreError to each."""
        return self._attempt(lambda store: store.append_entries(entries), decisions=len(entries))

    def append_outcomes(self, outcomes: Sequence[Outcome]) -> Sequence[OutcomeRecorded | WildgateError]:
        """Likewise."""
        return self._attempt(lambda store: store.append_outcomes(outcomes), outcomes=len(outcomes))

    def _attempt(self, act: Callable[[Store], Sequence[Result | WildgateError]], count: int) -> Sequence[Result | WildgateError]:
        try:
            if self._store is None:
                self._store = self._open()
            self._store.check()
            return act(self._store)
        except StoreError as error:
            return (), error
        if opened:
            log.info("store_opened")
        return done, None

    def close(self) -> None:
        """Close the store; the next call opens it again."""
        if self._store is not None:
            self._store.close()
            self._store = None


class Connection:
    """One worker."""

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer
        self.answers: list[Answer] = []
        self._reader = request_reader()
        self._unsent = bytearray()

    def receive(self) -> list[Request]:
        """The frames that have arrived. Raises EOFError when the worker is gone."""
        data = self.peer.recv(READ_BYTES)
        if not data:
            raise EOFError
        return list(self._reader.feed(data))

    def send(self) -> bool:
        """Send what can be sent; whether all is sent."""
        if self.answers:
            self._unsent += encode(Answers(self.answers))
            self.answers = []
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                del self._unsent[: self.peer.send(self._unsent)]
        return not self._unsent


class Writer:
    """The loop. Everything that waits is read, committed together, and answered."""

    def __init__(self, listener: socket.socket, keeper: StoreKeeper) -> None:
        self._keeper = keeper
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._draining = False
        self._tried = time.monotonic()
        self._wake, self._woken = socket.socketpair()

    def __enter__(self) -> Self:
        for end in (self._listener, self._wake, self._woken):
            end.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._drain)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's ^C reaches the supervisor too
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, Connection):
                self._forget(key.data)
        self._keeper.close()
        self._selector.close()
        self._wake.close()
        self._woken.close()

    def _drain(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._draining = True

    def run(self) -> None:
        """Serve until SIGTERM, then until nothing more has arrived."""
        while not self._draining:
            arrived = self._turn(timeout=BEAT_SECONDS)
            self._check_store(arrived=arrived)
            self._keeper.watch.beat()
        for _ in range(DRAIN_TURNS):
            if not self._turn(timeout=0):
                return

    def _check_store(self, *, arrived: bool) -> None:
        """Try the store where no record did for a while, sooner while it fails, so that health knows what it says."""
        if not arrived:
            if time.monotonic() - self._tried < (FAILING_SECONDS if self._keeper.failing else QUIET_SECONDS):
                return
            self._keeper.check()
        self._tried = time.monotonic()

    def _turn(self, timeout: float) -> bool:
        """One group; whether anything arrived."""
        arrived: list[tuple[Connection, Request]] = []
        for key, events in self._selector.select(timeout):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._woken:
                self._woken.recv(READ_BYTES)
            else:
                arrived += self._serve(key.data, events)
        self._commit(arrived)
        return bool(arrived)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            peer, _ = self._listener.accept()
            peer.setblocking(False)
            self._selector.register(peer, selectors.EVENT_READ, Connection(peer))

    def _serve(self, connection: Connection, events: int) -> list[tuple[Connection, Request]]:
        if events & selectors.EVENT_WRITE:
            self._send(connection)
        if not events & selectors.EVENT_READ:
            return []
        try:
            return [(connection, request) for request in connection.receive()]
        except (OSError, EOFError, ValueError) as error:
            if isinstance(error, ValueError):
                log.error("worker_spoke_nonsense")  # noqa: TRY400  (the text could quote a record)
            self._forget(connection)
            return []

    def _commit(self, arrived: list[tuple[Connection, Request]]) -> None:
        entries = [
            (connection, call, entry)
            for connection, request in arrived
            if isinstance(request, Entries)
            for call, entry in zip(request.calls, request.entries, strict=True)
        ]
        if entries:
            places = self._keeper.append([entry for _, _, entry in entries])
            for (connection, call, _), place in zip(entries, places, strict=True):
                connection.answers.append(_answer(call, place))
        for connection, request in arrived:
            if isinstance(request, Outcomes):
                results = self._keeper.append_outcomes(request.outcomes)
                connection.answers += map(_answer, request.calls, results)
        for connection in {id(connection): connection for connection, _ in arrived}.values():
            self._send(connection)

    def _send(self, connection: Connection) -> None:
        if connection.peer.fileno() < 0:
            return
        try:
            sent = connection.send()
        except OSError:
            self._forget(connection)
            return
        events = selectors.EVENT_READ if sent else selectors.EVENT_READ | selectors.EVENT_WRITE
        if self._selector.get_key(connection.peer).events != events:
            self._selector.modify(connection.peer, events, connection)

    def _forget(self, connection: Connection) -> None:
        if connection.peer.fileno() >= 0:
            self._selector.unregister(connection.peer)
            connection.peer.close()


def _answer(call: int, result: Appended | OutcomeRecorded | WildgateError) -> Answer:
    if isinstance(result, WildgateError):
        code = next((code for kind, code in ERROR_CODES if isinstance(result, kind)), Code.FAILED)
        return Answer(call, code, message=str(result))
    if isinstance(result, OutcomeRecorded):
        return Answer(call, Code.REPEATED if result.duplicate else Code.RECORDED)
    code = Code.RECORDED if result.payload is None else Code.REPEATED
    return Answer(call, code, result.log_id, result.position, result.chain_hash, result.payload or b"")
