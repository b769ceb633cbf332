"""The workers as the supervisor sees them: forked, listened to, told, and forked anew."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from wildgate_service.control import Channel, Keys, Limits, Load, Loaded, Mark, Marked, Ready, ReloadEnded, ReloadWanted
from wildgate_service.errors import WildgateError
from wildgate_service.limiting.accounts import Accounts
from wildgate_service.limiting.attempts import Attempts
from wildgate_service.monitoring.board import Board
from wildgate_service.monitoring.tally import bury
from wildgate_service.pipeline import Engine
from wildgate_service.port import Address
from wildgate_service.process import Child, keep
from wildgate_service.secrets import Secrets
from wildgate_service.settings import Settings
from wildgate_service.tls import Certificates

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wildgate_service.control import ToWorker

log = structlog.get_logger()

UNASKED = 0  # the number of a Load that nobody waits for
LOAD_SECONDS = 60.0
HEAR_SECONDS = 10.0  # a worker whose loop is held up for longer is counted as not told
DRAIN_MARGIN_SECONDS = 5.0


class Served(Struct, frozen=True):
    """What an engine was loaded from: the path of a compiled lexicon, and the hash of the policy beside it."""

    lexicon: str
    policy: str


class Birth(Struct, frozen=True, kw_only=True):
    """What a worker is given at its fork, and beside it the supervisor's engine, whose memory all share.

    The engine was loaded from `born_with`; where `wanted` is another, the worker is to load that. `writer` and `secrets` are None when
    nothing is recorded, `http_address` where HTTP is not served.
    """

    address: str
    http_address: Address | None
    settings: Settings
    born_with: Served
    wanted: Served
    keys: Keys
    limits: Limits
    accounts: Accounts
    attempts: Attempts
    certificates: Certificates | None
    writer: Path | None
    secrets: Secrets | None
    board: Board


class LoadedByAll(Struct, frozen=True):
    """How many workers serve a version, and the names of those that do not; `version` is "" if none does."""

    version: str
    serving: int
    failed: tuple[str, ...]


class Slot:
    """One worker's place: processes come and go in it under one name."""

    def __init__(self, name: str, workers: Workers) -> None:
        self.name = name
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.child: Child | None = None
        self._workers = workers
        self._born_with: Served
        self._ours: socket.socket
        self._channel: Channel | None = None
        self._asked: dict[int, asyncio.Future[Loaded | Marked]] = {}

    def fork(self) -> Child:
        """Fork the next process."""
        self._ours, theirs = socket.socketpair()
        self._workers.sockets.add(self._ours)
        birth, engine = self._workers.birth(), self._workers.engine()
        self._born_with = birth.born_with
        with theirs:
            self.child = Child.fork(self.name, _work, self.name, birth, [engine], theirs, close=self._workers.sockets)
        return self.child

    async def live(self, child: Child) -> None:
        """Listen to the process to its end. Canceled, close the pipe, and the process drains."""
        self._channel = channel = await Channel.over(self._ours)
        self._catch_up(channel)
        try:
            while (message := await channel.receive()) is not None:
                self._hear(message)
        finally:
            self._channel = None
            self._workers.sockets.discard(self._ours)
            channel.close()
            self._give_up_asking()
        await child.wait()
        bury(self._workers.birth().board.workers[self.name])
        if not self.ready.done():
            why = f"{self.name} ended with status {child.exit_code} before it could serve"
            self.ready.set_exception(WildgateError(f"{why}; its log above says why"))

    def _catch_up(self, channel: Channel) -> None:
        """Tell what changed between the fork and now, when nothing could be sent."""
        now = self._workers.birth()
        channel.send(now.keys)
        channel.send(now.limits)
        if now.certificates:
            channel.send(now.certificates)
        if now.wanted != self._born_with:
            channel.send(Load(UNASKED, now.wanted.lexicon))

    def send(self, message: ToWorker) -> None:
        """Send a message, if a process is there to hear it."""
        if self._channel:
            self._channel.send(message)

    async def tell(self, number: int, message: ToWorker) -> bool:
        """Send a message and wait until it is in force; False if it is not, or not yet."""
        return await self._ask(number, HEAR_SECONDS, message, Mark(number)) is not None

    async def load(self, message: Load) -> str:
        """Make the process serve another lexicon; its version, or "" if it does not."""
        loaded = await self._ask(message.number, LOAD_SECONDS, message)
        return loaded.version if isinstance(loaded, Loaded) and not loaded.failed else ""

    async def _ask(self, number: int, seconds: float, *messages: ToWorker) -> Loaded | Marked | None:
        """Send messages and wait for the answer of that number; None where none comes."""
        if self._channel is None:
            return None
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        for message in messages:
            self._channel.send(message)
        try:
            return await asyncio.wait_for(answer, seconds)
        except (TimeoutError, WildgateError):
            return None
        finally:
            self._asked.pop(number, None)

    def _hear(self, message: object) -> None:
        match message:
            case Ready():
                log.info("worker_ready", name=self.name)
                if not self.ready.done():
                    self.ready.set_result(None)
            case Loaded(number=number) | Marked(number=number):
                answer = self._asked.get(number)
                if answer and not answer.done():
                    answer.set_result(message)
            case ReloadWanted(number=number):
                self._workers.start_reload(self, number)
            case _:
                log.warning("unexpected_message", name=self.name, kind=type(message).__name__)

    def _give_up_asking(self) -> None:
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(WildgateError(f"{self.name} ended before it answered"))


class Workers:
    """All workers. `birth` and `engine` make what the next is born with, `reload` serves what is on disk.

    `sockets` are the supervisor's own, which no child may keep; the workers' pipes join them.
    """

    def __init__(
        self,
        count: int,
        birth: Callable[[], Birth],
        engine: Callable[[], Engine],
        reload: Callable[[], Awaitable[ReloadEnded]],
        sockets: set[socket.socket],
    ) -> None:
        self.birth = birth
        self.engine = engine
        self.sockets = sockets
        self._reload = reload
        self._reloads: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)
        self._slots = [Slot(f"worker-{number}", self) for number in range(count)]
        self._keepers = [asyncio.create_task(keep(slot.fork, slot.name, slot.live)) for slot in self._slots]

    async def ready(self) -> None:
        """Wait until all serve. Raises WildgateError if a process ends before it could."""
        await asyncio.gather(*(slot.ready for slot in self._slots))

    async def tell(self, message: ToWorker) -> int:
        """Send a message to all, and wait until it is in force; the number of workers where it is.

        One that is being forked is none of them: it is told before it serves.
        """
        number = next(self._numbers)
        return sum(await asyncio.gather(*(slot.tell(number, message) for slot in self._slots)))

    async def load(self, lexicon: str) -> LoadedByAll:
        """Make all serve another lexicon."""
        message = Load(next(self._numbers), lexicon)
        versions = await asyncio.gather(*(slot.load(message) for slot in self._slots))
        failed = tuple(slot.name for slot, version in zip(self._slots, versions, strict=True) if not version)
        return LoadedByAll(max(versions, default=""), len(versions) - len(failed), failed)

    def start_reload(self, slot: Slot, number: int) -> None:
        """Reload because a worker was asked to, and tell it how that went."""
        task = asyncio.create_task(self._reload_for(slot, number))
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _reload_for(self, slot: Slot, number: int) -> None:
        ended = await self._reload()
        slot.send(ReloadEnded(number, ended.version, ended.serving, ended.failed, ended.fault))

    async def drain(self, seconds: float) -> None:
        """Fork no more, and let all finish their calls and end within `seconds`."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        children = [slot.child for slot in self._slots if slot.child]
        grace = seconds + DRAIN_MARGIN_SECONDS
        await asyncio.gather(*(child.stop(grace) for child in children))


def _work(name: str, birth: Birth, engines: list[Engine], control: socket.socket) -> None:
    """In the child: only now is gRPC imported, which must not be forked.

    The engine comes in a list, from which the worker takes it: this frame lives as long as the process, and would keep it for ever.
    """
    worker = importlib.import_module("wildgate_service.worker")
    worker.run_worker(name, birth, engines, control)
