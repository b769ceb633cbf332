"""How C library and Python treat memory in a process that makes and frees a lot of it at a time."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# From malloc.h of glibc; elsewhere there is no mallopt, and nothing is done.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
MIB = 1 << 20


def return_freed_memory() -> None:
    """Have large blocks given back to the system when they are freed, here and in all processes forked from here.

    By itself glibc raises the size from which it does so to that of the largest block ever freed, and keeps a heap for every few threads:
    reload by reload a worker then grows to twice its size.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, MIB)
        mallopt(M_TRIM_THRESHOLD, 4 * MIB)
        mallopt(M_ARENA_MAX, 2)


@contextmanager
def without_collection() -> Iterator[None]:
    """No garbage collection while hundreds of thousands of objects are made, and none that walks over them afterwards.

    Where there was none before, as inside another of these, there is none behind it either.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if collects:
            gc.enable()
