"""The board: memory that all processes of a service share, a place for each, made before they are forked.

Whoever reads never waits for whoever writes, and no message passes. What was written outlives its process, so that counts go on where a
killed one left them.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable

log = structlog.get_logger()

HALF_BYTES = 1 << 19  # of which only what is used takes memory
SEQUENCE = struct.Struct("<Q")
HEAD = struct.Struct("<II")  # length and CRC-32 of the content behind it
ATTEMPTS = 5


class Place:
    """One process's content. It is written to two halves in turn: a writer that is killed leaves the other half whole."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SEQUENCE.size + 2 * HALF_BYTES)
        self._told = False

    def write(self, content: bytes) -> bool:
        """Put content in the place of the last; False, logged once, if it is too long."""
        if len(content) > HALF_BYTES - HEAD.size:
            if not self._told:
                log.error("board_full", bytes=len(content), limit=HALF_BYTES - HEAD.size)
            self._told = True
            return False
        (sequence,) = SEQUENCE.unpack_from(self._memory)
        start = _start_of(sequence + 1)
        HEAD.pack_into(self._memory, start, len(content), zlib.crc32(content))
        self._memory[start + HEAD.size : start + HEAD.size + len(content)] = content
        SEQUENCE.pack_into(self._memory, 0, sequence + 1)
        return True

    def read(self) -> bytes:
        """What was written last, whole; b"" before the first."""
        for _ in range(ATTEMPTS):
            (sequence,) = SEQUENCE.unpack_from(self._memory)
            content = self._half(sequence)
            if content is not None:
                return content
        return self._half(sequence - 1) or b""

    def _half(self, sequence: int) -> bytes | None:
        """The content of a half; None if it is being written."""
        start = _start_of(sequence)
        length, checksum = HEAD.unpack_from(self._memory, start)
        content = self._memory[start + HEAD.size : start + HEAD.size + length]
        return content if zlib.crc32(content) == checksum else None


def _start_of(sequence: int) -> int:
    return SEQUENCE.size + (sequence % 2) * HALF_BYTES


class Board:
    """The places of a service's processes: "supervisor", "writer", "worker-0" and so on."""

    def __init__(self, workers: int) -> None:
        self.supervisor = Place()
        self.writer = Place()
        self.workers = {f"worker-{number}": Place() for number in range(workers)}

    def all(self) -> Iterable[tuple[str, Place]]:
        """Every place with its name."""
        return (("supervisor", self.supervisor), ("writer", self.writer), *self.workers.items())
