"""The spool: a file of groups of records that the store could not take yet, in the order in which they came.

    file  = MAGIC, then frames
    frame = length of the body (4 bytes) ‖ CRC-32 of the body (4 bytes) ‖ body: MessagePack of a Group

A group is answered after its frame is in the file, and the file is emptied after all of it is in the store. A kill can so leave a frame
that is torn, which nobody was answered from, or frames that the store has already, which it knows by their ids.
"""

from __future__ import annotations

import fcntl
import os
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct, msgpack

from wildgate_service.errors import StoreError
from wildgate_service.outcomes import Outcome
from wildgate_service.record import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger()

MAGIC = b"WGSPOOL1"
PRIVATE = 0o600
LENGTH_BYTES = 4
HEAD_BYTES = 2 * LENGTH_BYTES
REPLAYED_AT_ONCE = 500  # records
READ_BYTES = 1 << 20


class Group(Struct, frozen=True, array_like=True):
    """What is committed, or spooled, together. `late` if it comes from the spool."""

    entries: list[Entry]
    outcomes: list[Outcome]
    late: bool = False

    def __len__(self) -> int:
        return len(self.entries) + len(self.outcomes)


class Slice(Struct, frozen=True):
    """Frames that are replayed together: their records, and where they end in the file."""

    group: Group
    end: int


_encode = msgpack.Encoder().encode
_decode = msgpack.Decoder(Group).decode


class Spool:
    """One file, locked for this process. `records` wait in it; `bytes` is its size.

    `synchronous`: an fsync before each answer. Raises StoreError if the file cannot be used, or another process uses it.
    """

    def __init__(self, path: Path, limit: int, *, synchronous: bool) -> None:
        self.records = 0
        self.cut_bytes = 0
        self._path = path
        self._limit = limit
        self._synchronous = synchronous
        self._places: dict[tuple[str, str], int] = {}  # where the frame of a request begins
        self._end = len(MAGIC)
        self._descriptor = _open(path)
        try:
            self._recover()
        except BaseException:
            os.close(self._descriptor)
            raise

    def close(self) -> None:
        """Close the file; what is in it stays for the successor."""
        os.close(self._descriptor)

    @property
    def bytes(self) -> int:
        """Size of all that waits."""
        return self._end - len(MAGIC)

    # --- writing ---------------------------------------------------------------------------------

    def append(self, group: Group) -> None:
        """Add a group; it is in the file when this returns. Raises StoreError if there is no room or the file cannot be written."""
        frame = _framed(group)
        if self._end + len(frame) > self._limit:
            message = f"the spool {self._path} is full (spool_max_bytes): mend the store, into which it is replayed"
            raise StoreError(message)
        try:
            _write(self._descriptor, frame, self._end)
            self._settle()
        except OSError as error:
            self._undo()
            message = f"the spool {self._path} cannot be written: {error.strerror}; free space on its disk"
            raise StoreError(message) from error
        self._note(group, self._end)
        self._end += len(frame)

    def clear(self) -> None:
        """Empty the file: all of it is in the store."""
        try:
            os.ftruncate(self._descriptor, len(MAGIC))
            self._settle()
        except OSError as error:
            message = f"the spool {self._path} cannot be emptied: {error.strerror}"
            raise StoreError(message) from error
        self._end = len(MAGIC)
        self.records = 0
        self._places.clear()

    def _settle(self) -> None:
        if self._synchronous:
            os.fdatasync(self._descriptor)

    def _undo(self) -> None:
        """Cut off what was written of a frame; where even that fails, the next frame is written over it."""
        try:
            os.ftruncate(self._descriptor, self._end)
        except OSError:
            log.exception("spool_not_cut", path=str(self._path))

    def _note(self, group: Group, start: int) -> None:
        self.records += len(group)
        self._places.update(dict.fromkeys(((entry.tenant, entry.request_id) for entry in group.entries), start))

    # --- reading ---------------------------------------------------------------------------------

    @property
    def first(self) -> int:
        """Where the first frame begins."""
        return len(MAGIC)

    def read(self, start: int) -> Slice | None:
        """The frames from `start` on, as many as are replayed at once; None at the end."""
        entries: list[Entry] = []
        outcomes: list[Outcome] = []
        end = start
        while end < self._end and len(entries) + len(outcomes) < REPLAYED_AT_ONCE:
            group, end = self._frame(end)
            entries += group.entries
            outcomes += group.outcomes
        return Slice(Group(entries, outcomes, late=True), end) if end > start else None

    def find(self, tenant: str, request_id: str) -> Entry | None:
        """The entry that stands here under a request."""
        start = self._places.get((tenant, request_id))
        if start is None:
            return None
        group, _ = self._frame(start)
        return next(entry for entry in group.entries if (entry.tenant, entry.request_id) == (tenant, request_id))

    def _frame(self, start: int) -> tuple[Group, int]:
        """The group at a place, and where its frame ends. Raises StoreError for what is no frame."""
        head = os.pread(self._descriptor, HEAD_BYTES, start)
        size = int.from_bytes(head[:LENGTH_BYTES])
        body = os.pread(self._descriptor, size, start + HEAD_BYTES) if len(head) == HEAD_BYTES else b""
        if not body or len(body) < size or zlib.crc32(body) != int.from_bytes(head[LENGTH_BYTES:]):
            message = f"the spool {self._path} is damaged at byte {start}"
            raise StoreError(message)
        return _decode(body), start + HEAD_BYTES + size

    # --- after a kill ----------------------------------------------------------------------------

    def _recover(self) -> None:
        """Find what waits, and cut off a torn end, which is kept beside the file."""
        size = os.fstat(self._descriptor).st_size
        if size < len(MAGIC):
            _write(self._descriptor, MAGIC, 0)
            size = len(MAGIC)
        if os.pread(self._descriptor, len(MAGIC), 0) != MAGIC:
            message = f"{self._path} is no spool of Wildgate: name another file as `spool`"
            raise StoreError(message)
        for group, start, end in self._whole(size):
            self._note(group, start)
            self._end = end
        if self._end < size:
            self._cut(size)

    def _whole(self, size: int) -> Iterator[tuple[Group, int, int]]:
        start = len(MAGIC)
        while start < size:
            try:
                group, end = self._frame(start)
            except StoreError:
                return
            yield group, start, end
            start = end

    def _cut(self, size: int) -> None:
        self.cut_bytes = size - self._end
        kept = self._path.with_name(f"{self._path.name}.cut-{time.time_ns()}")
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            for start in range(self._end, size, READ_BYTES):
                file.write(os.pread(self._descriptor, min(READ_BYTES, size - start), start))
        os.ftruncate(self._descriptor, self._end)
        log.error("spool_cut", path=str(self._path), bytes=self.cut_bytes, kept=str(kept), records=self.records)


def _open(path: Path) -> int:
    """Open or make the file and lock it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
    except OSError as error:
        message = f"the spool {path} cannot be opened: {error.strerror}; name another file as `spool`"
        raise StoreError(message) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        message = f"the spool {path} is used by another process: give each service its own (`spool`)"
        raise StoreError(message) from error
    _settle_folder(path.parent)
    return descriptor


def _settle_folder(folder: Path) -> None:
    """Have the folder remember a new file after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _framed(group: Group) -> bytes:
    body = _encode(group)
    return len(body).to_bytes(LENGTH_BYTES) + zlib.crc32(body).to_bytes(LENGTH_BYTES) + body


def _write(descriptor: int, content: bytes, start: int) -> None:
    """Write all of it; a disk that becomes full takes a part first."""
    done = 0
    while done < len(content):
        done += os.pwrite(descriptor, content[done:], start + done)
