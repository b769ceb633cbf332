"""What ready means, for probes: every process says its part on the board."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING

from wildgate_service.monitoring.tally import read

if TYPE_CHECKING:
    from wildgate_service.monitoring.board import Board, Place

FRESH_SECONDS = 10.0  # since a process was last heard of; records fail after three
ALIVE_SECONDS = 60.0  # the supervisor loads lexicons for some seconds at a time
PHASE, STORE = "phase", "store"


class Phase(StrEnum):
    """What the supervisor, or a worker, is about."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


class StoreState(StrEnum):
    """What becomes of a record: it is written, kept in the spool until it can be, or neither."""

    WRITABLE = "writable"
    SPOOLING = "spooling"
    FAILING = "failing"


def store_is_usable(writer: Place) -> bool:
    """Whether calls that record are answered; what the writer says, unless it has not been heard of for long."""
    said = read(writer)
    if not said.beat:  # it has just been started, after the supervisor opened the store
        return True
    return said.states.get(STORE) != StoreState.FAILING and _is_fresh(said.beat, FRESH_SECONDS)


def not_ready(board: Board, *, recording: bool) -> tuple[str, ...]:
    """Why no calls should be sent to this service; empty if it is ready."""
    phase = read(board.supervisor).states.get(PHASE, Phase.STARTING)
    if phase == Phase.STARTING:
        return ("starting: lexicons and models are being loaded",)
    if phase == Phase.DRAINING:
        return ("draining: the service is ending",)
    why: list[str] = []
    if not any(map(_serves, board.workers.values())):
        why.append("no worker serves")
    if recording and not store_is_usable(board.writer):
        why.append("the store cannot be written")
    return tuple(why)


def is_alive(board: Board) -> bool:
    """Whether the supervisor lives, and its event loop turns."""
    return _is_fresh(read(board.supervisor).beat, ALIVE_SECONDS)


def serving_workers(board: Board) -> int:
    """Workers that serve."""
    return sum(map(_serves, board.workers.values()))


def _serves(worker: Place) -> bool:
    said = read(worker)
    return said.states.get(PHASE) == Phase.SERVING and _is_fresh(said.beat, FRESH_SECONDS)


def _is_fresh(beat: float, seconds: float) -> bool:
    return time.monotonic() - beat < seconds
