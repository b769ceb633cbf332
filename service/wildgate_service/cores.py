"""How many cores this process may use, which in a container is not how many the host has."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

CGROUP = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


class Cores(Struct, frozen=True):
    """Cores by affinity, and by the tightest quota of the process's cgroups in cores, None where there is none."""

    affinity: int
    quota: float | None

    @property
    def count(self) -> int:
        """Whole cores that can be kept busy; at least 1."""
        return self.affinity if self.quota is None else min(self.affinity, max(1, math.floor(self.quota)))


def find_cores(cgroup: Path = CGROUP, own: Path = OWN) -> Cores:
    """Ask the kernel; `own` names the cgroups of this process below `cgroup`, in either version."""
    quotas = [quota for folder in _folders(cgroup, own) for quota in (_quota_v2(folder), _quota_v1(folder)) if quota]
    return Cores(len(os.sched_getaffinity(0)), min(quotas, default=None))


def allowed_cores() -> int:
    """Whole cores that this process may keep busy."""
    return find_cores().count


def _folders(cgroup: Path, own: Path) -> Iterator[Path]:
    """Where a quota may stand: in the process's cgroup and all above it, up to the root, which in a container is its own."""
    yield from (cgroup, cgroup / "cpu", cgroup / "cpu,cpuacct")
    lines = own.read_text(encoding="utf-8").splitlines() if own.is_file() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        folder = cgroup / controllers / path.lstrip("/")
        yield from (each for each in (folder, *folder.parents) if each.is_relative_to(cgroup))


def _quota_v2(folder: Path) -> float | None:
    """`cpu.max` holds "QUOTA PERIOD" in microseconds, or "max PERIOD"."""
    file = folder / "cpu.max"
    if not file.is_file():
        return None
    quota, _, period = file.read_text(encoding="ascii").partition(" ")
    return None if quota == "max" else int(quota) / int(period)


def _quota_v1(folder: Path) -> float | None:
    """`cpu.cfs_quota_us` is -1 where there is no limit."""
    quota_file, period_file = folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"
    if not (quota_file.is_file() and period_file.is_file()):
        return None
    quota = int(quota_file.read_text(encoding="ascii"))
    return quota / int(period_file.read_text(encoding="ascii")) if quota > 0 else None
