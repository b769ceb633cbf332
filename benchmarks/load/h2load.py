"""Load by h2load of nghttp2, which a client in Python could not give: it would cost more than the server."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from running import pinned

MISSING = "h2load is missing: install nghttp2-client (Debian, Ubuntu: apt-get install nghttp2-client; Fedora: nghttp2; Homebrew: nghttp2)"
HEADERS = ("-H", "content-type: application/grpc", "-H", "te: trailers")
WARM_UP = 0.2  # share of a run that is not counted
DATA = re.compile(r"\((\d+)\) data\b")
GRPC_PREFIX = 5  # bytes before a message: compressed or not, and its length


class LoadError(Exception):
    """h2load is missing, or what it got was not what the service answers."""


@dataclass(frozen=True)
class Shot:
    """One run of h2load: a body sent to a path over and over. `rate` is requests/s in all, 0 for as fast as answers come."""

    target: str
    path: str
    body: Path
    answer_bytes: int
    connections: int
    streams: int
    rate: float = 0


@dataclass(frozen=True)
class Burst:
    """What one or several runs at the same time got. Latencies in milliseconds; `answered` counts the warm-up too."""

    requests_per_second: float
    p50: float
    p99: float
    answered: int
    shares: tuple[float, ...]  # of each run in the requests


@dataclass(frozen=True)
class _Answer:
    start: int  # microseconds since 1970
    taken: int  # microseconds
    run: int


def check_installed() -> None:
    """Raise LoadError if h2load or taskset is not there."""
    if not shutil.which("h2load"):
        raise LoadError(MISSING)
    if not shutil.which("taskset"):
        raise LoadError("taskset is missing: install util-linux")


def fire(shots: tuple[Shot, ...], seconds: float, folder: Path, core: int | None) -> Burst:
    """Run the shots at the same time. Raises LoadError if one fails or its answers are of the wrong size (h2load takes any for good)."""
    with ExitStack() as running:
        runs = [running.enter_context(_start(shot, seconds, folder / f"run-{number}", core)) for number, shot in enumerate(shots)]
        outputs = [run.communicate(timeout=seconds + 60)[0] for run in runs]
    answers: list[_Answer] = []
    for number, (shot, output) in enumerate(zip(shots, outputs, strict=True)):
        log = folder / f"run-{number}"
        own = _read_log(log, number) if log.exists() else []
        _check(shot, output, len(own))
        answers += own
    return _burst(answers, len(shots))


def _start(shot: Shot, seconds: float, log: Path, core: int | None) -> subprocess.Popen[str]:
    log.unlink(missing_ok=True)
    command = [
        *pinned(core),
        "h2load",
        "-D",
        f"{seconds * 1000:.0f}ms",
        "-c",
        str(shot.connections),
        "-m",
        str(shot.streams),
        "-d",
        str(shot.body),
    ]
    if shot.rate:
        command += ["--rps", f"{shot.rate / shot.connections:.2f}"]
    command += ["--log-file", str(log), *HEADERS, f"http://{shot.target}{shot.path}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _read_log(log: Path, run: int) -> list[_Answer]:
    lines = (line.split("\t") for line in log.read_text(encoding="ascii").splitlines())
    return [_Answer(int(start), int(taken), run) for start, status, taken in lines if status == "200"]


def _check(shot: Shot, output: str, answered: int) -> None:
    """A refusal over gRPC has status 200 and no data, so the data tell."""
    found = DATA.search(output)
    mean = int(found[1]) / answered if found and answered else 0
    wanted = shot.answer_bytes + GRPC_PREFIX
    if not 0.9 * wanted < mean < 1.1 * wanted + 200:
        raise LoadError(
            f"{shot.path}: {answered} answers of {mean:.0f} bytes in the mean, {wanted} expected; h2load said:\n{output[-1_500:]}"
        )


def _burst(answers: list[_Answer], runs: int) -> Burst:
    first, last = min(each.start for each in answers), max(each.start + each.taken for each in answers)
    begin = first + WARM_UP * (last - first)
    counted = [each for each in answers if each.start >= begin]
    cuts = quantiles((each.taken / 1e3 for each in counted), n=100)
    of_run = [sum(each.run == run for each in counted) / len(counted) for run in range(runs)]
    return Burst(len(counted) / ((last - begin) / 1e6), cuts[49], cuts[98], len(answers), tuple(of_run))
