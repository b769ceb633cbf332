"""What a result was measured on, and where results go."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = (
    "daachorse",
    "grpcio",
    "msgspec",
    "numpy",
    "onnxruntime",
    "protobuf",
    "pycld2",
    "rapidfuzz",
    "tokenizers",
    "uvloop",
)


def machine() -> dict[str, Any]:
    """Processor, cores, commit, Python, packages and time."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in line),
        "?",
    )
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg()[0],
        "commit": commit_of(Path(__file__).parent),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def commit_of(folder: Path) -> str:
    """Short hash of what is checked out there, with a + if files differ; empty where there is no git."""
    command = ("git", "-C", str(folder), "describe", "--always", "--dirty=+", "--exclude=*")
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def pss(pid: int) -> int:
    """Proportional set size of a process in KiB: a page that several share counts by shares."""
    return _kibibytes(pid, "Pss:")


def rss(pid: int) -> int:
    """Resident set size of a process in KiB: a page that several share counts in full, so sharing it no longer changes nothing."""
    return _kibibytes(pid, "Rss:")


def _kibibytes(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def write(path: Path, result: dict[str, Any]) -> None:
    """Write a result with its machine and say where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **result}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {path}")
