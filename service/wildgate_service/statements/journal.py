"""What was sent to one database: a file of JSON Lines that only grows, on the disk before and after every call.

What is about to be sent is written down first. So a submitter may be killed at any moment: what it was sending is then known to be unclear,
and the next one asks the database before it sends any of it again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from wildgate_service.errors import WildgateError
from wildgate_service.statements.files import Sendable

PRIVATE = 0o600


class State(StrEnum):
    """How far a statement is."""

    SENDING = "sending"  # it may be stored
    STORED = "stored"
    REFUSED = "refused"


class Known(Struct):
    """What the journal knows of a statement; `digest` is of what was sent last."""

    digest: str
    state: State


class Line(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One step, by puid: the digests of what is being sent, the database's ids of what it stored ("" where it did not say), refusals."""

    sending: dict[str, str] = {}
    stored: dict[str, str] = {}
    refused: dict[str, list[str]] = {}


class Journal:
    """The journal at a path, for one submitter at a time. A context manager. Raises WildgateError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.known: dict[str, Known] = {}
        try:
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE), "r+b", buffering=0)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            self._lock()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def sending(self, batch: Iterable[Sendable]) -> None:
        """Write down what is sent next."""
        self._append(Line(sending={each.puid: each.digest for each in batch}))

    def stored(self, ids: Mapping[str, str]) -> None:
        """Write down what the database has."""
        self._append(Line(stored=dict(ids)))

    def refused(self, problems: Mapping[str, list[str]]) -> None:
        """Write down what the database does not take."""
        self._append(Line(refused=dict(problems)))

    def _append(self, line: Line) -> None:
        left = memoryview(msgspec.json.encode(line) + b"\n")
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error
        self._apply(line)

    def _apply(self, line: Line) -> None:
        for puid, digest in line.sending.items():
            self.known[puid] = Known(digest, State.SENDING)
        for puid in line.stored:
            self.known.setdefault(puid, Known("", State.STORED)).state = State.STORED
        for puid in line.refused:
            self.known.setdefault(puid, Known("", State.REFUSED)).state = State.REFUSED

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise WildgateError(f"{self._path} is in use: another submitter sends these statements; wait for it") from error

    def _read(self) -> None:
        """All whole lines; the last one is cut off if a kill or a power cut left half of it."""
        whole = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            try:
                self._apply(msgspec.json.decode(line, type=Line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise WildgateError(f"{self._path}, line {number} is damaged: restore the file from a backup ({error})") from error
            whole += len(line)
        self._file.truncate(whole)
        os.fsync(self._file.fileno())
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # so that a new journal is in its folder after a power cut
        finally:
            os.close(folder)

    def _unwritable(self, error: OSError) -> WildgateError:
        return WildgateError(f"{self._path} cannot be written, and nothing is sent without it: {error.strerror}")
