"""Checkouts of this repository beside one another, each measured with the benchmarks and the environment of the one that asks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "load")]

from asking import Asked
from running import pinned

ROOT = Path(__file__).parent.parent
HERE = "."
PROBE_SECONDS = 600  # to compile the lexicons of a checkout on a busy machine


class CheckoutError(Exception):
    """A commit that does not exist, or a checkout that cannot be measured; the message says why."""


@contextmanager
def checkout(name: str, folder: Path) -> Iterator[Path]:
    """A commit, branch or tag in a folder of its own, gone afterwards; `.` is this checkout as it stands. Raises CheckoutError."""
    if name == HERE:
        yield ROOT
        return
    try:
        _git("worktree", "add", "--detach", "--quiet", str(folder), name)
        yield folder
    finally:
        if folder.exists():
            _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> str:
    done = subprocess.run(("git", "-C", str(ROOT), *arguments), capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckoutError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def python_path(root: Path) -> str:
    """What to put before an environment's own packages to run a checkout."""
    return os.pathsep.join(str(root / part) for part in ("service", "sdk"))


def probe(root: Path, core: int | None) -> Asked:
    """A process that measures one checkout when it is asked to, on one core."""
    return Asked(
        (*pinned(core), sys.executable, str(ROOT / "benchmarks" / "probe.py")),
        seconds=PROBE_SECONDS,
        folder=root,
        environment=os.environ | {"PYTHONPATH": python_path(root)},
    )


def check_own(root: Path, asked: Asked) -> None:
    """Raise CheckoutError if the probe measures another checkout than it should."""
    if not Path(asked.said["service"]).is_relative_to(root):
        raise CheckoutError(f"{root}: another service was measured, {asked.said['service']}")
