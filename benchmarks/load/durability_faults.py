"""What is done to a service and its store, really: signals, locks, files moved and overwritten, errors and delays of the kernel.

Errors of the disk are injected into the writer's own system calls on the store's files by `strace`, and a full disk is a small file system.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import grpc
from durability_watched import Watched
from running import NotStartedError
from wildgate.v1 import lexicon_pb2, lexicon_pb2_grpc

RELOAD_SECONDS = 60
SPOOLED = "spool: answered, recorded late; refuse: STORE_UNAVAILABLE; all well again when it is over"


class Fault(NamedTuple):
    """`strike` does it and undoes it; `kills` are the SIGKILLs in it that hit under load."""

    name: str
    expected: str
    kills: int
    strike: Callable[[Watched, float], None]


# --- kills ---------------------------------------------------------------------------------------


def _kill(process: str) -> Callable[[Watched, float], None]:
    return lambda service, _: service.kill(process)


def _kill_supervisor(service: Watched, _: float) -> None:
    service.kill_and_restart([service.process.pid])


def _kill_all(service: Watched, _: float) -> None:
    service.kill_and_restart(service.pids())


def _kill_in_reload(service: Watched, _: float) -> None:
    """The writer and a worker while every worker loads."""
    reload = Thread(target=_reload, args=(service.target,))
    reload.start()
    time.sleep(0.05)
    service.kill("writer")
    service.kill("worker-1")
    reload.join()


def _reload(target: str) -> None:
    with grpc.insecure_channel(target) as channel, suppress(grpc.RpcError):  # the worker that was asked may be killed
        lexicon_pb2_grpc.LexiconServiceStub(channel).ReloadLexicon(lexicon_pb2.ReloadLexiconRequest(), timeout=RELOAD_SECONDS)


def _kill_in_drain(service: Watched, _: float) -> None:
    """SIGTERM, and a moment later SIGKILL for all of them."""
    pids = service.pids()
    service.process.terminate()
    time.sleep(0.02)
    service.kill_and_restart([pid for pid in pids if Path(f"/proc/{pid}").exists()])


def _kill_in_replay(service: Watched, seconds: float) -> None:
    """The writer while it spools, and again while it replays."""
    with service.locked():
        time.sleep(2 + seconds)
        service.kill("writer")
        time.sleep(seconds)
    deadline = time.monotonic() + 5
    while not service.log.count("store_opened") and time.monotonic() < deadline:
        time.sleep(0.001)
    service.kill("writer")


ANSWERED_RECORDED = "all that was answered is recorded once; errors only while it starts again"
KILLS = [
    Fault("kill -9 worker", ANSWERED_RECORDED, 1, _kill("worker-0")),
    Fault("kill -9 writer", "all that was answered is recorded once; no error", 1, _kill("writer")),
    Fault("kill -9 compiler", "nothing is noticed", 1, _kill("compiler")),
    Fault("kill -9 supervisor, restart", ANSWERED_RECORDED, 1, _kill_supervisor),
    Fault("kill -9 all at once, restart", ANSWERED_RECORDED, 1, _kill_all),
    Fault("kill -9 writer, worker in reload", ANSWERED_RECORDED, 2, _kill_in_reload),
    Fault("kill -9 all in drain, restart", ANSWERED_RECORDED, 1, _kill_in_drain),
    Fault("kill -9 writer in spool and replay", "all that was answered is recorded once", 2, _kill_in_replay),
]


# --- the store -----------------------------------------------------------------------------------


def _locked(service: Watched, seconds: float) -> None:
    with service.locked():
        time.sleep(3 * seconds)


def _gone(service: Watched, seconds: float) -> None:
    """Moved away with all that SQLite keeps beside it, and put back."""
    _move_away(service)
    time.sleep(3 * seconds)
    _put_back(service)


def _overwritten(service: Watched, seconds: float) -> None:
    """Garbage in its place while the writer stands still; it is killed, and its successor finds no database. Then it is restored.

    That is done while no writer runs: one that has the garbage open finds the WAL beside it, writes it into the garbage and deletes it.
    """
    os.kill(service.pid("writer"), signal.SIGSTOP)
    _move_away(service)
    service.path.write_bytes(b"\xff" * (1 << 16))
    service.kill("writer")
    time.sleep(3 * seconds)
    os.kill(service.pid("writer"), signal.SIGSTOP)
    _put_back(service)
    service.kill("writer")


def _move_away(service: Watched) -> None:
    """The file first, so that nobody opens it without what was beside it."""
    away = service.folder / "away"
    away.mkdir()
    for file in sorted(service.path.parent.glob(f"{service.path.name}*")):
        file.rename(away / file.name)


def _put_back(service: Watched) -> None:
    """The file last, for the same reason; SQLite makes its index of the WAL anew."""
    away = service.folder / "away"
    for file in service.path.parent.glob(f"{service.path.name}*"):
        file.unlink()
    for file in sorted(away.iterdir(), reverse=True):
        if file.name.endswith("-shm"):
            file.unlink()
        else:
            file.rename(service.path.parent / file.name)
    away.rmdir()


def _injected(what: str) -> Callable[[Watched, float], None]:
    """The kernel's answers to what the writer writes to the store's files."""

    def strike(service: Watched, seconds: float) -> None:
        files = [argument for file in _files(service) for argument in ("-P", str(file))]
        calls = f"inject=pwrite64,fdatasync,fsync:{what}"
        command = ("strace", "-f", "-qq", "-o", str(service.folder / "strace"), "-p", str(service.pid("writer")), *files, "-e", calls)
        with subprocess.Popen(command) as tracer:
            time.sleep(4 * seconds)
            tracer.terminate()

    return strike


def _files(service: Watched) -> list[Path]:
    return [service.path, service.path.with_name(f"{service.path.name}-wal")]


DISASTERS = [
    Fault("store locked by another process", SPOOLED, 0, _locked),
    Fault("store moved away, put back", SPOOLED, 0, _gone),
    Fault("store replaced by garbage, restored", SPOOLED, 2, _overwritten),
    *(
        [
            Fault("read-only file system (EROFS)", SPOOLED, 0, _injected("error=EROFS")),
            Fault("no space left (ENOSPC)", SPOOLED, 0, _injected("error=ENOSPC")),
            Fault("disk errors (EIO)", SPOOLED, 0, _injected("error=EIO")),
            Fault("each write takes 2 s", SPOOLED, 0, _injected("delay_enter=2s")),
        ]
        if shutil.which("strace")
        else []
    ),
]


class TinyDisk:
    """A file system in memory with room for a small store, where this user may mount one."""

    def __init__(self, folder: Path, megabytes: int = 2) -> None:
        self.folder = folder
        folder.mkdir()
        options = ("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
        self.mounted = subprocess.run(("mount", *options), capture_output=True, check=False).returncode == 0
        self.fault = Fault("file system full, then grown", SPOOLED, 0, self._fill)

    def unmount(self) -> None:
        """Give it back."""
        subprocess.run(("umount", str(self.folder)), check=True)

    def _fill(self, service: Watched, seconds: float) -> None:
        (self.folder / "filler").write_bytes(b"")
        with suppress(OSError), (self.folder / "filler").open("ab") as filler:
            while filler.write(bytes(4096)):
                filler.flush()
        deadline = time.monotonic() + 20
        while "is full" not in service.log:
            if time.monotonic() > deadline:
                raise NotStartedError("the file system did not run full")
            time.sleep(0.02)
        time.sleep(3 * seconds)
        subprocess.run(("mount", "-o", "remount,size=64m", str(self.folder)), check=True)
