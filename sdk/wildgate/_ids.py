"""Ids that sort by time: UUID version 7 of RFC 9562, which Python 3.11 does not make itself."""

from __future__ import annotations

import os
import time
import uuid

_TAIL_BITS = 74


def uuid7() -> uuid.UUID:
    """Return a new UUID: 48 bits of Unix milliseconds, version and variant, 74 random bits.

    The random bits come from the operating system, so a forked child never repeats its parent's.
    """
    tail = int.from_bytes(os.urandom(10), "big") >> (80 - _TAIL_BITS)
    return uuid7_from(time.time_ns() // 1_000_000, tail)


def uuid7_from(milliseconds: int, tail: int) -> uuid.UUID:
    """Put the UUID together from Unix milliseconds and 74 further bits."""
    high, low = tail >> 62, tail & ((1 << 62) - 1)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
