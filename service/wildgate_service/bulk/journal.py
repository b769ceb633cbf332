"""Answers so far, and how far they are: two files beside the output, until it appears whole.

`<output>.partial` holds the answers, `<output>.resume` says how many of its bytes count and where in the input the next listing lies. It is
replaced only after those bytes have reached the disk, so a run may be ended at any moment, by whatever: the next one cuts off what does not
count and goes on.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Self

import msgspec
from msgspec import Struct

from wildgate_service.bulk.answers import Form
from wildgate_service.bulk.blocks import Block, Done, Place
from wildgate_service.errors import WildgateError

COMMIT_SECONDS = 1.0
COMMIT_SHARE = 0.02  # of the time, at most, is spent on commits: a disk that others use can take seconds for one
AGAIN = "give --restart to begin anew, or another --output"


class State(Struct):
    """How far a run is. `made_from` says what its answers depend on, `today` the day on which it began, `written` the bytes that count."""

    made_from: dict[str, str]
    today: datetime
    place: Place = Place()
    written: int = 0
    listings: int = 0
    failed: int = 0
    complete: bool = False


class Journal:
    """The answers of one run, which may be a continued one. A context manager; leaving it keeps what was appended."""

    def __init__(self, output: Path, form: Form, made_from: dict[str, str], *, restart: bool = False) -> None:
        self._output = output.resolve()  # what a link points at is written, not the link
        if self._output.exists() and not self._output.is_file():
            raise WildgateError(f"{output} is no regular file and would be replaced by one; name a file to write")
        self._partial, self._resume = (self._output.with_name(self._output.name + ending) for ending in (".partial", ".resume"))
        self._form = form
        self._next_commit = monotonic() + COMMIT_SECONDS
        self.ended = False
        try:
            there = self._partial.exists()
            self._file = self._partial.open("ab", buffering=0)
            self.state = self._locked(made_from, there=there, restart=restart)
        except OSError as error:
            raise self._unwritable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._file:
            if kind is None:
                return
            if not self.state.listings:
                self._forget()
                return
            with suppress(OSError):  # the disk may be full: then what was committed before stays
                self._file.truncate(self.state.written)
                self._commit()

    def append(self, block: Block, done: Done) -> State:
        """Add the answers to a block; returns the state with them. Raises WildgateError if they cannot be written."""
        try:
            self._write(done.answers)
            state = self.state
            self.state = msgspec.structs.replace(
                state,
                place=block.end,
                written=state.written + len(done.answers),
                listings=state.listings + done.listings,
                failed=state.failed + done.failed,
            )
            if monotonic() >= self._next_commit:
                self._commit()
        except OSError as error:
            raise self._unwritable(error) from error
        return self.state

    def finish(self) -> None:
        """Put the whole file in the place of the output. Raises WildgateError if it cannot be written."""
        try:
            if not self.ended:
                self.state.complete = True
                self._commit()
                self._form.finish(self._partial).replace(self._output)
            self._partial.unlink(missing_ok=True)
            self._resume.unlink()
        except OSError as error:
            raise self._unwritable(error) from error

    def _locked(self, made_from: dict[str, str], *, there: bool, restart: bool) -> State:
        """The state to go on from, once no other run writes these files. Closes them if there is none."""
        try:
            self._lock()
            return self._begun(made_from, there=there, restart=restart)
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of this process alone, and gone with it
        except OSError as error:
            raise WildgateError(f"{self._partial} is being written by another run; wait for it, or name another --output") from error

    def _begun(self, made_from: dict[str, str], *, there: bool, restart: bool) -> State:
        """The state of an earlier run, if its answers are there; else a new one."""
        state = None if restart else self._read()
        if state is None:
            state = State(made_from, datetime.now(UTC), written=len(self._form.head))
            self._resume.unlink(missing_ok=True)
            self._file.truncate(0)
            self._write(self._form.head)
            return state
        before = state.made_from
        changed = [f"{name} was {before.get(name)}, is {value}" for name, value in made_from.items() if before.get(name) != value]
        if changed:
            raise WildgateError(f"{self._partial} was begun with something else ({'; '.join(changed)}); {AGAIN}")
        self.ended = state.complete and not there  # it was killed after its last step but one
        if self.ended:
            return state
        if self._partial.stat().st_size < state.written:
            raise WildgateError(f"{self._partial} is shorter than {self._resume.name} says; {AGAIN}")
        self._file.truncate(state.written)
        return state

    def _read(self) -> State | None:
        try:
            return msgspec.json.decode(self._resume.read_bytes(), type=State)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise WildgateError(f"{self._resume} is no state of a run: {error}; {AGAIN}") from error

    def _write(self, answers: bytes) -> None:
        left = memoryview(answers)
        while left:
            left = left[self._file.write(left) :]

    def _commit(self) -> None:
        """Answers first, then the state that counts them."""
        began = monotonic()
        os.fsync(self._file.fileno())
        written = self._resume.with_name(self._resume.name + ".new")
        with written.open("wb") as file:
            file.write(msgspec.json.encode(self.state))
            file.flush()
            os.fsync(file.fileno())
        written.replace(self._resume)
        ended = monotonic()
        self._next_commit = ended + max(COMMIT_SECONDS, (ended - began) / COMMIT_SHARE)

    def _forget(self) -> None:
        for path in (self._partial, self._resume):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> WildgateError:
        kept = getattr(self, "state", None)
        later = "; what is scored is kept, the same command goes on from there" if kept is not None and kept.listings else ""
        return WildgateError(f"{self._output} cannot be written: {error.strerror}{later}")
