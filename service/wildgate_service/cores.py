"""How many cores this process may use, which in a container is not how many the host has."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def allowed_cores(cgroup: Path = CGROUP) -> int:
    """Cores by affinity, and by the cgroup's quota if that is lower; at least 1."""
    affinity = len(os.sched_getaffinity(0))
    quota = _quota_v2(cgroup / "cpu.max") or _quota_v1(cgroup / "cpu")
    return min(affinity, max(1, math.floor(quota))) if quota else affinity


def _quota_v2(file: Path) -> float | None:
    """`cpu.max` holds "QUOTA PERIOD" in microseconds, or "max PERIOD"."""
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
