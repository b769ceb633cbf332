"""The writer process: a loop of `select`, one transaction, and the answers."""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
import time
from typing import TYPE_CHECKING

import structlog

from wildgate_service.errors import RequestReusedError, WildgateError
from wildgate_service.monitoring.board import Place
from wildgate_service.monitoring.tally import Tally
from wildgate_service.monitoring.writing import WritingWatch
from wildgate_service.store import DecisionNotFoundError
from wildgate_service.writer._recorder import Answered, Recorder, Recording, Spooled
from wildgate_service.writer._spool import Group
from wildgate_service.writer._wire import (
    Answer,
    Answers,
    Code,
    Entries,
    Outcomes,
    Request,
    StateWanted,
    WriterState,
    encode,
    encode_state,
    request_reader,
)

if TYPE_CHECKING:
    from types import FrameType
    from typing import Self

    from wildgate_service.store import OutcomeRecorded
    from wildgate_service.store._decisions import Appended

log = structlog.get_logger()

READ_BYTES = 1 << 16
BEAT_SECONDS = 1.0  # between two signs of life
DRAIN_TURNS = 1000  # then the calls left are for the successor, to which workers send them again
ERROR_CODES: list[tuple[type[WildgateError], Code]] = [
    (RequestReusedError, Code.REQUEST_REUSED),
    (DecisionNotFoundError, Code.DECISION_NOT_FOUND),
]


def run_writer(listener: socket.socket, store_url: str, how: Recording | None = None, *, place: Place | None = None) -> None:
    """Be the writer until SIGTERM; then answer what has arrived, and return.

    `listener` is a listening Unix socket, which outlives the process so that its successor can take
    over. The store must have been made before: while it is missing or broken the writer spools or refuses
    records. `place` is where it shows its numbers.
    """
    watch = WritingWatch(Tally("writer", place or Place()))
    with Recorder(store_url, how or Recording()) as recorder, Writer(listener, recorder, watch) as writer:
        writer.run()


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

    def __init__(self, listener: socket.socket, recorder: Recorder, watch: WritingWatch) -> None:
        self._recorder = recorder
        self._watch = watch
        self._next_look = 0.0
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._draining = False
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
        self._selector.close()
        self._wake.close()
        self._woken.close()

    def _drain(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._draining = True

    def run(self) -> None:
        """Serve until SIGTERM, then until nothing more has arrived."""
        while not self._draining:
            pause = self._recorder.pause
            self._turn(timeout=BEAT_SECONDS if pause is None else min(pause, BEAT_SECONDS))
            self._look()
            self._watch.beat()
        for _ in range(DRAIN_TURNS):
            if not self._turn(timeout=0):
                return

    def _look(self) -> None:
        """Find out, once a second, whether the store can be used, and show it: who is not told gets no calls by which to notice."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + BEAT_SECONDS
        state = self._recorder.state()
        if not state.usable:
            self._watch.attempted(0, 0, 0.0, written=False)
        self._show(state)

    def _show(self, state: WriterState) -> None:
        self._watch.store(
            usable=state.usable,
            spools=state.spools and state.spool_bytes < state.spool_max_bytes,
            spool_records=state.spool_records,
            spool_bytes=state.spool_bytes,
        )

    def _turn(self, timeout: float | None) -> bool:
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
        self._recorder.tend()
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
        """Record all that has arrived as one group, and answer."""
        entries = [
            (connection, call, entry)
            for connection, request in arrived
            if isinstance(request, Entries)
            for call, entry in zip(request.calls, request.entries, strict=True)
        ]
        outcomes = [
            (connection, call, outcome)
            for connection, request in arrived
            if isinstance(request, Outcomes)
            for call, outcome in zip(request.calls, request.outcomes, strict=True)
        ]
        if entries or outcomes:
            answered = self._recorded(Group([entry for *_, entry in entries], [outcome for *_, outcome in outcomes]))
            for (connection, call, _), place in zip(entries, answered.places, strict=True):
                connection.answers.append(_answer_to_entry(call, place))
            for (connection, call, _), result in zip(outcomes, answered.results, strict=True):
                connection.answers.append(_answer_to_outcome(call, result))
        for connection, request in arrived:
            if isinstance(request, StateWanted):
                connection.answers.append(Answer(request.call, Code.STATE, payload=encode_state(self._recorder.state())))
        for connection in {id(connection): connection for connection, _ in arrived}.values():
            self._send(connection)

    def _recorded(self, group: Group) -> Answered:
        """Record a group, and show how that went."""
        start = time.perf_counter()
        answered = self._recorder.record(group)
        state = self._recorder.stands
        self._watch.attempted(len(group.entries), len(group.outcomes), time.perf_counter() - start, written=state.usable)
        self._show(state)
        return answered

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


def _answer_to_entry(call: int, place: Appended | Spooled | WildgateError) -> Answer:
    if isinstance(place, WildgateError):
        return _failure(call, place)
    if isinstance(place, Spooled):
        return Answer(call, Code.SPOOLED, payload=place.payload)
    code = Code.RECORDED if place.payload is None else Code.REPEATED
    return Answer(call, code, place.log_id, place.position, place.chain_hash, place.payload or b"")


def _answer_to_outcome(call: int, result: OutcomeRecorded | WildgateError) -> Answer:
    if isinstance(result, WildgateError):
        return _failure(call, result)
    return Answer(call, Code.REPEATED if result.duplicate else Code.RECORDED)


def _failure(call: int, error: WildgateError) -> Answer:
    code = next((code for kind, code in ERROR_CODES if isinstance(error, kind)), Code.FAILED)
    return Answer(call, code, message=str(error))
