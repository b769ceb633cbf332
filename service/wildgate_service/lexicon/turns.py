"""Processes that would make the same file at the same time: one makes it, the others wait for it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

LOCK = ".lock"
PATIENCE = 120.0  # seconds; whoever stopped in the middle holds nobody up for longer
LOOK_AGAIN = 0.1  # seconds


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Run the body when no other process does for this path; the lock is a file beside it, and gone afterwards.

    The lock saves work, and nothing else rests on it. So the body runs without one where none can be had: in a folder that cannot be
    written, on a file system without locks, and after `PATIENCE`. The kernel frees the lock of a process that was killed.
    """
    lock = path.with_suffix(LOCK)
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        yield
        return
    try:
        _wait_for(descriptor)
        yield
    finally:
        with suppress(OSError):  # whoever waits has it open already, and whoever comes later finds what was made
            lock.unlink()
        os.close(descriptor)


def _wait_for(descriptor: int) -> None:
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(LOOK_AGAIN)
        except OSError:  # a file system without locks
            return
        else:
            return
