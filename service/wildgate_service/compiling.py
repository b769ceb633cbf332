"""The compiler process: keeps what the lexicons came to, compiles when asked, and looks whether their files change.

It is a process of its own so that neither the supervisor nor a worker waits or grows for it; one that stays, so that a change costs one
file; and it looks at sizes and times several times a second instead of having the kernel tell, which network mounts and many containers
cannot do. One look at 500 files takes 2 ms.
"""

from __future__ import annotations

import gc
import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from wildgate_service.control import BlockingChannel, Broken, Compiled, Fault
from wildgate_service.errors import LexiconError, PolicyError
from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.compiler import Compiler
from wildgate_service.policy import default_policy, load_policy

if TYPE_CHECKING:
    import socket

    from wildgate_service.settings import Settings

LOOK_SECONDS = 0.2  # between two looks at the files
QUIET_SECONDS = 0.05  # without a change before a change is believed to be whole
MOST_WAITS = 6  # for that, before what is there is compiled as it is
NICENESS = 5  # beside workers that answer; a third of a core is left to it when all are busy
WARM_UP_SECONDS = 1.0  # after the start, in which nobody asks
MAX_MESSAGE = 2_000


def run_compiler(settings: Settings, control: socket.socket) -> None:
    """Be the process: answer until the supervisor closes the pipe."""
    gc.disable()  # what is kept is much and has no cycles; `_tidy` collects between two answers
    compiling = Compiling(settings)
    channel = BlockingChannel(control)
    waits = LOOK_SECONDS if settings.lexicon_watch else None
    try:
        _answer_first(compiling, channel)
        while True:
            if channel.receive(waits) is not None:
                channel.send(compiling.compile(asked=True))
            elif compiling.has_changed():
                channel.send(compiling.compile(asked=False))
            else:
                continue
            compiling.finish()
            _tidy()
    except (EOFError, ConnectionError):
        return


def _answer_first(compiling: Compiling, channel: BlockingChannel) -> None:
    """The first answer may come from a file of an earlier process; then do in idle time what later ones need."""
    while channel.receive(WARM_UP_SECONDS) is not None:
        result = compiling.compile(asked=True)
        compiling.finish()
        channel.send(result)
    os.nice(NICENESS)
    compiling.warm_up()
    _tidy()


def _tidy() -> None:
    gc.collect()
    gc.freeze()


class Compiling:
    """The lexicons and the policy of some settings, and what they were when they were last compiled."""

    def __init__(self, settings: Settings) -> None:
        self._policy = settings.policy or default_policy()
        self._compiler = Compiler(settings.lexicons or default_lexicons(), settings.cache / "lexicons", settings.lexicon_packs)
        self._tried = ""
        self._cache = settings.cache

    def compile(self, *, asked: bool) -> Compiled | Broken:
        """Compile what is on disk now, or say what is wrong with it; `asked`: whatever sizes and times say."""
        try:
            files = self._compiler.read(trust_times=not asked)
            policy = _digest(self._policy)
            self._tried = files.digest + policy
            path = self._compiler.compile(files)
            load_policy(self._policy)
            return Compiled(str(path.resolve()), policy, asked)
        except LexiconError as error:
            return Broken(Fault(str(error)[:MAX_MESSAGE], error.file, error.line), asked)
        except PolicyError as error:
            return Broken(Fault(str(error)[:MAX_MESSAGE], str(self._policy), error.line), asked)
        except OSError as error:
            place = str(error.filename or self._cache)
            return Broken(Fault(f"{place}: {error.strerror}", place), asked)

    def finish(self) -> None:
        """Do what nobody waits for."""
        self._compiler.finish()

    def warm_up(self) -> None:
        """Do what the next change would have to."""
        with suppress(LexiconError, OSError):  # then the next look says it
            self._compiler.warm_up()

    def has_changed(self) -> bool:
        """Whether the files are other than when they were last compiled; waits until whoever writes them seems to be done."""
        now = self._look()
        if now == self._tried:
            return False
        for _ in range(MOST_WAITS):
            time.sleep(QUIET_SECONDS)
            before, now = now, self._look()
            if now == before:
                break
        return now != self._tried

    def _look(self) -> str:
        try:
            return self._compiler.read(trust_times=True).digest + _digest(self._policy)
        except (LexiconError, OSError):  # no folder, for a moment or for long: the last lexicon serves on until there is one
            return self._tried


def _digest(path: Path) -> str:
    """Hash of a file, or why it has none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return str(error)
