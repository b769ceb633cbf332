"""Child processes forked from the supervisor, whose loop must not notice."""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import signal
import sys
from collections import Counter
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterable

log = structlog.get_logger()

FORK = multiprocessing.get_context("fork")
FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 5.0
OLD_SECONDS = 30.0
PR_SET_PDEATHSIG = 1  # from linux/prctl.h
DEATHS: Counter[str] = Counter()  # children of this process that ended unasked, by the kind of their name
HANDLED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}


class Child:
    """A running child process."""

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self._process = process
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(process.sentinel, self._on_end)

    @classmethod
    def fork(
        cls,
        name: str,
        target: Callable[..., None],
        *arguments: object,
        close: Iterable[socket.socket] = (),
    ) -> Child:
        """Fork; the child closes the sockets in `close` and calls `target(*arguments)`.

        Those are the supervisor's ends of the pipes: a child that kept them open would hide from
        the others that the supervisor has died.
        """
        process = FORK.Process(target=_run, args=(target, arguments, tuple(close)), name=name, daemon=True)
        # A signal that comes between the fork and the reset would be told to the parent's loop.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """Status, or minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    async def wait(self) -> None:
        """Wait until it has ended."""
        await self._ended.wait()

    async def stop(self, grace: float) -> None:
        """Ask it to end, and after `grace` seconds make it."""
        self._signal(signal.SIGTERM)
        await self.end_within(grace)

    async def end_within(self, grace: float) -> bool:
        """Wait up to `grace` seconds, then kill it. True if it ended by itself."""
        try:
            await asyncio.wait_for(self._ended.wait(), grace)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._ended.wait()
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        if not self._ended.is_set():
            os.kill(self.pid, number)

    def _on_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._process.join()
        self._ended.set()


async def keep(fork: Callable[[], Child], name: str, live: Callable[[Child], Awaitable[None]]) -> None:
    """Fork a child, let `live` see its life to the end, and fork the next, for ever.

    Children that die young make the next one wait: twice as long each time, up to a limit.
    """
    wait = FIRST_WAIT_SECONDS
    while True:
        born = monotonic()
        child = fork()
        log.info("process_started", name=name, pid=child.pid)
        await live(child)
        await child.wait()
        log.error("process_died", name=name, pid=child.pid, exit_code=child.exit_code)
        DEATHS[name.partition("-")[0]] += 1
        if monotonic() - born > OLD_SECONDS:
            wait = FIRST_WAIT_SECONDS
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def _run(target: Callable[..., None], arguments: tuple[Any, ...], close: tuple[socket.socket, ...]) -> None:
    """First thing in the child: forget the parent's signals and pipes, and do not outlive it."""
    _end_with_parent()
    signal.set_wakeup_fd(-1)
    for number in HANDLED:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ^C goes to all; the supervisor drains
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    for end in close:
        end.close()
    target(*arguments)


def _end_with_parent() -> None:
    """Have the kernel send SIGTERM when the parent dies, however it does (Linux alone can)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
