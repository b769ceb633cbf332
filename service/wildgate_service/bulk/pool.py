"""Forked processes that score blocks. They share what was loaded before, and answers come back in the order of the blocks.

A process is told where a block lies and reads it itself. The parent is only so many blocks ahead of the answers it has given on, so that
memory does not grow with the file.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from multiprocessing.connection import Connection, wait

from msgspec import Struct

from wildgate_service.bulk.blocks import Block, Done
from wildgate_service.errors import WildgateError
from wildgate_service.process import FORK

AHEAD = 4  # blocks a process may be ahead of the slowest
TRIES = 2

Work = Callable[[Block], Done]
Say = Callable[[str], object]


class Task(Struct):
    """A block, its place in the order, and how many processes died of it."""

    number: int
    block: Block
    deaths: int = 0


def in_order(blocks: Iterable[Block], work: Work, workers: int, say: Say) -> Iterator[tuple[Block, Done]]:
    """Each block with what became of it, in order. A block whose process dies is done once more, and `say` is told.

    One block, or one worker, needs no other process. Raises WildgateError if a file cannot be read, or a process dies again.
    """
    gc.freeze()  # no collection walks over what was loaded, nor writes to what is shared
    iterator = iter(blocks)
    first = list(islice(iterator, 2))
    blocks = chain(first, iterator)
    if workers == 1 or len(first) < 2:  # noqa: PLR2004
        yield from ((block, work(block)) for block in blocks)
        return
    pool = _Pool(work, workers, say)
    try:
        yield from pool.run(blocks)
    finally:
        pool.end()


class _Worker:
    """A process with the tasks that it has not answered, the first of which it is at."""

    def __init__(self, work: Work, others: Iterable[Connection]) -> None:
        self.tasks: deque[Task] = deque()
        self.pipe, theirs = FORK.Pipe()
        self.process = FORK.Process(target=_serve, args=(work, theirs, [*others, self.pipe]), daemon=True)
        self.process.start()
        theirs.close()

    @property
    def wants(self) -> bool:
        """Whether it should be sent more: a second task to begin with at once, unless it is large and would have to wait in the pipe."""
        return not self.tasks or (len(self.tasks) == 1 and self.tasks[0].block.data is None)

    def send(self, task: Task) -> None:
        """Give it a task. A process that died in the meantime is noticed when it should answer."""
        self.tasks.append(task)
        try:
            self.pipe.send(task.block)
        except OSError:
            return


class _Pool:
    def __init__(self, work: Work, workers: int, say: Say) -> None:
        self._work, self._say = work, say
        self._again: deque[Task] = deque()
        self._done: dict[int, tuple[Block, Done]] = {}
        self._next = 0  # to be given on
        self._workers: list[_Worker] = []
        for _ in range(workers):
            self._fork()

    def run(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, Done]]:
        tasks = (Task(number, block) for number, block in enumerate(blocks))
        while self._feed(tasks) or any(worker.tasks for worker in self._workers):
            for pipe in wait([worker.pipe for worker in self._workers if worker.tasks]):
                self._take(next(worker for worker in self._workers if worker.pipe is pipe))
            while self._next in self._done:
                yield self._done.pop(self._next)
                self._next += 1

    def _feed(self, tasks: Iterator[Task]) -> bool:
        """Send tasks to those who want some; whether any was sent."""
        sent = False
        for worker in sorted(self._workers, key=lambda worker: len(worker.tasks)):
            while worker.wants and (task := self._task(tasks)):
                worker.send(task)
                sent = True
        return sent

    def _task(self, tasks: Iterator[Task]) -> Task | None:
        if self._again:
            return self._again.popleft()
        under_way = len(self._done) + sum(len(worker.tasks) for worker in self._workers)
        return next(tasks, None) if under_way < AHEAD * len(self._workers) else None

    def _take(self, worker: _Worker) -> None:
        """What a process answers: what became of its block, why its file cannot be read, or nothing more."""
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return
        if isinstance(answer, str):
            raise WildgateError(answer)
        task = worker.tasks.popleft()
        self._done[task.number] = (task.block, answer)

    def _replace(self, worker: _Worker) -> None:
        """Fork another in its place, and have its tasks done again."""
        worker.process.join()
        self._workers.remove(worker)
        worker.pipe.close()
        fatal = worker.tasks[0]
        fatal.deaths += 1
        died = f"a scoring process died ({_cause(worker.process.exitcode)}) {_place(fatal.block)}"
        if fatal.deaths == TRIES:
            raise WildgateError(f"{died}, twice; perhaps for its memory: try fewer --workers. What is scored is kept")
        self._say(f"{died}; they are scored again")
        self._again.extendleft(reversed(worker.tasks))
        self._fork()

    def _fork(self) -> None:
        self._workers.append(_Worker(self._work, [worker.pipe for worker in self._workers]))

    def end(self) -> None:
        """End all processes, whatever they are at."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()


def _cause(status: int | None) -> str:
    return f"killed by {signal.Signals(-status).name}" if status is not None and status < 0 else f"status {status}"


def _place(block: Block) -> str:
    return f"at the listings of lines {block.start.line + 1:,} to {block.end.line:,}"


def _serve(work: Work, pipe: Connection, inherited: Iterable[Connection]) -> None:
    """In the child: score blocks until the parent is gone.

    The parent's ends of the pipes are closed, for whoever keeps them open never learns that it has died.
    """
    for end in inherited:
        end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ^C goes to all; the parent ends the others
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    try:
        while True:
            pipe.send(_answer(work, pipe.recv()))
    except (EOFError, OSError):
        sys.exit(0)


def _answer(work: Work, block: Block) -> Done | str:
    try:
        return work(block)
    except WildgateError as error:
        return str(error)
