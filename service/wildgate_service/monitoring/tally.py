"""A tally: what one process counts, in plain Python numbers, since a call may spend a few microseconds on being counted."""

from __future__ import annotations

import os
import resource
import time
from bisect import bisect_left
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from wildgate_service.monitoring.metrics import BY_NAME

if TYPE_CHECKING:
    from wildgate_service.monitoring.board import Place

Labels = tuple[str, ...]
Rows = dict[Labels, float]

PUBLISH_SECONDS = 1.0
STATM = Path("/proc/self/statm")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
CPU, MEMORY = "wildgate_process_cpu_seconds_total", "wildgate_process_resident_bytes"


class Snapshot(Struct, frozen=True, array_like=True):
    """A tally at one moment. `beat` is by `time.monotonic`, which all processes of a machine share; 0 before the first.

    Rows are by the values of a metric's labels, in their order. Those of a histogram are the counts of its buckets, the last without a
    bound, and then the sum. `states` are words, such as the phase of a process.
    """

    beat: float = 0.0
    states: dict[str, str] = {}
    counters: dict[str, Rows] = {}
    gauges: dict[str, Rows] = {}
    histograms: dict[str, dict[Labels, list[float]]] = {}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Snapshot).decode


def read(place: Place) -> Snapshot:
    """What a process wrote last; an empty snapshot if it never did."""
    content = place.read()
    return _decode(content) if content else Snapshot()


def bury(place: Place) -> None:
    """Take away what a process that ended said of the present; what it counted stays."""
    said = read(place)
    place.write(_encode(Snapshot(0.0, {}, said.counters, {}, said.histograms)))


class Histogram:
    """One histogram of a tally; its bounds are in the table of metrics."""

    def __init__(self, name: str, rows: dict[Labels, list[float]]) -> None:
        self.rows = rows
        self._bounds = BY_NAME[name].bounds

    def observe(self, value: float, *labels: str) -> None:
        """Count a value."""
        row = self.rows.get(labels)
        if row is None:
            row = self.rows[labels] = [0.0] * (len(self._bounds) + 2)
        row[bisect_left(self._bounds, value)] += 1
        row[-1] += value


class Tally:
    """What the process `name` counts. Counts begin where the one before it in its place left them; gauges and states begin anew."""

    def __init__(self, name: str, place: Place) -> None:
        before = read(place)
        self.name = name
        self.states: dict[str, str] = {}
        self._place = place
        self._counters = before.counters
        self._gauges: dict[str, Rows] = {}
        self._histograms = before.histograms
        self._cpu = self.counter(CPU)
        self._cpu_before = self._cpu[(name,)]
        self._published = 0.0

    def counter(self, name: str) -> defaultdict[Labels, float]:
        """The rows of a counter, to add to; raises KeyError for a name that is not in the table of metrics."""
        rows: defaultdict[Labels, float] = defaultdict(float, self._counters.get(BY_NAME[name].name, {}))
        self._counters[name] = rows
        return rows

    def gauge(self, name: str) -> Rows:
        """The rows of a gauge, to set; likewise."""
        return self._gauges.setdefault(BY_NAME[name].name, {})

    def histogram(self, name: str) -> Histogram:
        """A histogram, to observe; likewise."""
        return Histogram(name, self._histograms.setdefault(name, {}))

    def publish(self) -> None:
        """Show everybody the numbers as they are now."""
        self._published = time.monotonic()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self._cpu[(self.name,)] = self._cpu_before + usage.ru_utime + usage.ru_stime
        self.gauge(MEMORY)[(self.name,)] = _resident_bytes()
        self._place.write(_encode(Snapshot(self._published, self.states, self._counters, self._gauges, self._histograms)))

    def publish_if_due(self) -> None:
        """The same, unless it was done less than a second ago."""
        if time.monotonic() - self._published >= PUBLISH_SECONDS:
            self.publish()


def _resident_bytes() -> float:
    try:
        return float(int(STATM.read_bytes().split()[1]) * PAGE_BYTES)
    except OSError:  # no Linux: the most that it ever was
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
