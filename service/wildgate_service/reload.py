"""Reload: the compiler process as the supervisor sees it, and how an engine gets another lexicon while it serves."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from wildgate_service.compiling import run_compiler
from wildgate_service.control import Broken, Channel, Compile, Compiled, Fault
from wildgate_service.match.stored import load_compiled, no_pause
from wildgate_service.normalize.sound import make_tables
from wildgate_service.pipeline import score_listing
from wildgate_service.policy import default_policy, load_policy
from wildgate_service.process import Child, keep
from wildgate_service.types import Listing, Versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from wildgate_service.match.stored import Pause
    from wildgate_service.match.tables import CompiledLexicon
    from wildgate_service.pipeline import Engine
    from wildgate_service.settings import Settings

WARM_UP_FORMS = 100
GRACE_SECONDS = 2.0
WORK_SECONDS = 0.001
PAUSE_SECONDS = 0.0005
RELEASED_AT_ONCE = 512
SWITCH_SECONDS = 0.0001  # after which a thread that loads gives way to the one that serves; Python's own is fifty times that
ENDED = Broken(Fault("the compiler process ended before it had an answer; the log says with what status"), asked=True)

Result = Compiled | Broken


class CompilerProcess:
    """Keeps a compiler process and asks it. `on_change` gets what it says without being asked: that files changed."""

    def __init__(self, settings: Settings, sockets: set[socket.socket], on_change: Callable[[Result], None]) -> None:
        self.latest: Result | None = None
        self._settings = settings
        self._sockets = sockets
        self._on_change = on_change
        self._ours: socket.socket
        self._channel: Channel | None = None
        self._waiting: asyncio.Future[Result] | None = None
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Keep a process that answers."""
        self._keeper = asyncio.create_task(keep(self._fork, "compiler", self._live))

    async def compile(self) -> Result:
        """Have what is on disk now compiled; one call at a time."""
        self._waiting = asyncio.get_running_loop().create_future()
        if self._channel:
            self._channel.send(Compile())
        return await self._waiting

    async def stop(self) -> None:
        """End it; what it was doing is of no use any more."""
        if self._keeper is None or self._child is None:
            return
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        await self._child.stop(GRACE_SECONDS)

    def _fork(self) -> Child:
        self._ours, theirs = socket.socketpair()
        self._sockets.add(self._ours)
        with theirs:
            self._child = Child.fork("compiler", run_compiler, self._settings, theirs, close=self._sockets)
        return self._child

    async def _live(self, _: Child) -> None:
        """Listen to the process to its end."""
        self._channel = channel = await Channel.over(self._ours)
        if self._waiting and not self._waiting.done():
            channel.send(Compile())
        try:
            while isinstance(message := await channel.receive(), Compiled | Broken):
                self._hear(message)
        finally:
            self._channel = None
            self._sockets.discard(self._ours)
            channel.close()
            self._answer(ENDED)

    def _hear(self, result: Result) -> None:
        self.latest = result
        if result.asked:
            self._answer(result)
        else:
            self._on_change(result)

    def _answer(self, result: Result) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(result)


def with_lexicon(engine: Engine, lexicon: Path, policy: Path | None, pause: Pause = no_pause) -> Engine:
    """Make the engine that differs in lexicon and policy only; the models are not loaded again.

    A lexicon that differs little from the one that this process began with is laid over that. `pause` is called between small steps.
    Raises LexiconError or PolicyError.
    """
    compiled = load_compiled(lexicon, engine.lexicon, pause)
    rules = load_policy(policy or default_policy())
    versions = Versions(compiled.version, engine.versions.model, rules.version)
    return msgspec.structs.replace(engine, lexicon=compiled, policy=rules, versions=versions)


def with_lexicon_beside(engine: Engine, lexicon: Path, policy: Path | None) -> Engine:
    """The same in a thread beside one that serves, which is never held up for more than about a millisecond."""
    with _frequent_switches():
        return with_lexicon(engine, lexicon, policy, breather())


def release_beside(retired: list[Engine], served: Engine) -> None:
    """Let go of the one engine of a list, which nobody else may hold, in small steps: freed at once it would hold up the others."""
    lexicon = retired.pop().lexicon.base
    if lexicon is served.lexicon.base:
        return
    kept: list[list[object]] = [list(each) for each in _many(lexicon)]
    del lexicon
    with _frequent_switches():
        pause = breather()
        for items in kept:
            while items:
                del items[-RELEASED_AT_ONCE:]
                pause()


def _many(lexicon: CompiledLexicon) -> Iterator[Iterable[object]]:
    """What of a lexicon are so many objects that freeing them at once takes milliseconds."""
    yield lexicon.ordinary
    yield lexicon.taxa.values()
    for search in (lexicon.taxon_search, lexicon.context_search):
        parts = search.speller.parts
        yield from (parts.vocabulary, parts.phrases, parts.known, parts.partners.values(), search.glue)
        yield from (index.values() for index in parts.candidates.indexes)


def breather() -> Pause:
    """A pause that sleeps shortly after each millisecond of work, so that other threads are never kept waiting for longer."""
    last = time.perf_counter()

    def pause() -> None:
        nonlocal last
        if time.perf_counter() - last > WORK_SECONDS:
            time.sleep(PAUSE_SECONDS)
            last = time.perf_counter()

    return pause


@contextmanager
def _frequent_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def warmed(engine: Engine) -> Engine:
    """Score one listing made of the lexicon's own forms, so that nobody's first call pays for it.

    What the engine builds at its first use is built here, before the fork that shares it.
    """
    make_tables()
    forms = (form.form for form in islice(engine.lexicon.forms, WARM_UP_FORMS))
    score_listing(engine, Listing(description=" ".join(forms)))
    return engine
