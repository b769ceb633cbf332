"""Load by h2load of nghttp2, which a client in Python could not give: it would cost more than the server."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from running import pinned

MISSING = "h2load is missing: install nghttp2-client (Debian, Ubuntu: apt-get install nghttp2-client; Fedora: nghttp2; Homebrew: nghttp2)"
HEADERS = ("-H", "content-type: application/grpc", "-H", "te: trailers")
WARM_UP = 0.2  # share of a run that is not counted
DATA = re.compile(r"\((\d+)\) data$", re.MULTILINE)
REFUSED = re.compile(r"^\[stream_id=\d+\] grpc-status: (\d+)$", re.MULTILINE)
GRPC_PREFIX = 5  # bytes before a message: compressed or not, and its length
LATE_MS = 0.6  # by which h2load comes late to each line of a script; measured
FEWEST = 20  # answers
AT_ONCE = 1_000  # streams on the connection of an open loop, so that no answer is waited for


class LoadError(Exception):
    """h2load is missing, what it got was not what the service answers, or was too little."""


@dataclass(frozen=True)
class Shot:
    """One run of h2load: a body sent to a path over and over.

    With a `rate`, in requests/s, requests leave at random times (exponential gaps) over one connection, whether answers come or not: an
    open loop. Else as fast as answers come: `streams` at a time on each of `connections`. Over TLS no certificate is checked.
    """

    target: str
    path: str
    body: Path
    answer_bytes: int
    connections: int = 1
    streams: int = 1
    rate: float = 0
    headers: tuple[str, ...] = ()  # "name: value"
    tls: bool = False
    refused: bool = False  # whether no answer may be good
    content_type: str = ""  # of a call over HTTP/1.1, which is no gRPC's


@dataclass(frozen=True)
class Burst:
    """What one or several runs at the same time got. Latencies in milliseconds; `answered` counts the warm-up too.

    `refused` counts answers that hold an error, by grpc-status; they are in none of the rates, but in the latencies.
    """

    requests_per_second: float
    p50: float
    p99: float
    answered: int
    shares: tuple[float, ...]  # of each run in the requests
    refused: Mapping[str, int] = field(default_factory=dict)
    calls_per_second: float = 0  # with those refused


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
        for run in runs:
            run.wait(timeout=seconds + 60)
    answers: list[_Answer] = []
    refused: Counter[str] = Counter()
    for number, shot in enumerate(shots):
        log = folder / f"run-{number}"
        own = _read_log(log, number) if log.exists() else []
        output = log.with_suffix(".out").read_text(encoding="utf-8", errors="replace")
        refusals = Counter(REFUSED.findall(output))
        _check(shot, output, len(own), refusals.total())
        answers += own
        refused += refusals
    return _burst(answers, len(shots), refused)


def _start(shot: Shot, seconds: float, log: Path, core: int | None) -> subprocess.Popen[bytes]:
    """Start h2load; `--verbose` prints the headers of answers, and of an error they hold grpc-status."""
    log.unlink(missing_ok=True)
    command = [*pinned(core), "h2load", "--verbose", "-c", str(shot.connections), "-d", str(shot.body), "--log-file", str(log)]
    command += ["--h1", "-H", f"content-type: {shot.content_type}"] if shot.content_type else HEADERS
    command += [part for header in shot.headers for part in ("-H", header)]
    address = f"{'https' if shot.tls else 'http'}://{shot.target}"
    if shot.rate:
        script = log.with_suffix(".script")
        script.write_text(timing_script(shot.path, shot.rate, seconds, random.Random(log.name)), encoding="ascii")
        command += ["-m", str(AT_ONCE), "--timing-script-file", str(script), "-B", address]
    else:
        command += ["-m", str(shot.streams), "-D", f"{seconds * 1000:.0f}ms", f"{address}{shot.path}"]
    with log.with_suffix(".out").open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)


def timing_script(path: str, rate: float, seconds: float, rng: random.Random) -> str:
    """Lines `milliseconds TAB path` with exponential gaps. h2load waits for each gap anew and wakes late, so gaps are given shorter."""
    lines, due, written = [], 0.0, 0.0
    while due < seconds * 1e3 or not lines:
        gap = rng.expovariate(rate) * 1e3
        due += gap
        written += max(0.0, gap - LATE_MS)
        lines.append(f"{written:.3f}\t{path}\n")
    return "".join(lines)


def _read_log(log: Path, run: int) -> list[_Answer]:
    lines = (line.split("\t") for line in log.read_text(encoding="ascii").splitlines())
    return [_Answer(int(start), int(taken), run) for start, status, taken in lines if status == "200"]


def _check(shot: Shot, output: str, answered: int, refused: int) -> None:
    """A refusal over gRPC has status 200 and no data, so the data tell; those that say grpc-status are counted by it."""
    found, good = DATA.search(output), answered - refused
    if shot.refused and not good:
        return
    mean = int(found[1]) / good if found and good > 0 else 0
    wanted = shot.answer_bytes + (0 if shot.content_type else GRPC_PREFIX)
    if not 0.9 * wanted < mean < 1.1 * wanted + 200:
        raise LoadError(
            f"{shot.path}: {good} answers of {mean:.0f} bytes in the mean, {wanted} expected, {refused} refused; "
            f"h2load said:\n{output[-1_500:]}"
        )


def _burst(answers: list[_Answer], runs: int, refused: Counter[str]) -> Burst:
    first, last = min((each.start for each in answers), default=0), max((each.start + each.taken for each in answers), default=0)
    begin = first + WARM_UP * (last - first)
    counted = [each for each in answers if each.start >= begin]
    if len(counted) < FEWEST:
        raise LoadError(f"{len(counted)} answers are too few to count: the run is too short, or the machine too busy")
    cuts = quantiles((each.taken / 1e3 for each in counted), n=100)
    of_run = tuple(sum(each.run == run for each in counted) / len(counted) for run in range(runs))
    good = 1 - refused.total() / len(answers)
    calls = len(counted) / ((last - begin) / 1e6)
    return Burst(good * calls, cuts[49], cuts[98], len(answers), of_run, dict(refused), calls)
