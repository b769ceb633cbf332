"""The board as Prometheus reads it: the same series of all processes added up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from wildgate_service.monitoring.health import FRESH_SECONDS, not_ready, serving_workers
from wildgate_service.monitoring.metrics import METRICS
from wildgate_service.monitoring.tally import Snapshot, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prometheus_client.core import Metric as Family

    from wildgate_service.monitoring.board import Board
    from wildgate_service.monitoring.metrics import Metric
    from wildgate_service.monitoring.tally import Labels, Rows

INFINITE = "+Inf"


class BoardCollector(Collector):
    """Collects every metric of the table from a board. `recording` as in the settings."""

    def __init__(self, board: Board, *, recording: bool) -> None:
        self._board = board
        self._recording = recording

    def collect(self) -> Iterable[Family]:
        """All families, those without a series too."""
        snapshots = [read(place) for _, place in self._board.all()]
        snapshots.append(self._seen_from_here())
        for metric in METRICS:
            yield family(metric, snapshots)

    def _seen_from_here(self) -> Snapshot:
        ready = not not_ready(self._board, recording=self._recording)
        gauges: dict[str, Rows] = {
            "wildgate_ready": {(): float(ready)},
            "wildgate_workers_serving": {(): float(serving_workers(self._board))},
        }
        return Snapshot(time.monotonic(), gauges=gauges)


def render(board: Board, accept: str, *, recording: bool) -> tuple[bytes, str]:
    """The page and its content type, in the newest format that the scraper reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(BoardCollector(board, recording=recording))
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


def family(metric: Metric, snapshots: Sequence[Snapshot]) -> Family:
    """One metric with all its series. Gauges of a process that has not been heard of for long are left out."""
    if metric.kind == "histogram":
        return _histogram(metric, snapshots)
    if metric.kind == "counter":
        counter = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, value in _added(each.counters.get(metric.name, {}) for each in snapshots).items():
            counter.add_metric(labels, value)
        return counter
    gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    latest = time.monotonic() - FRESH_SECONDS
    for labels, value in _added(each.gauges.get(metric.name, {}) for each in snapshots if each.beat > latest).items():
        gauge.add_metric(labels, value)
    return gauge


def _histogram(metric: Metric, snapshots: Sequence[Snapshot]) -> Family:
    found = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    rows: dict[Labels, list[float]] = {}
    for snapshot in snapshots:
        for labels, row in snapshot.histograms.get(metric.name, {}).items():
            known = rows.get(labels)
            rows[labels] = row if known is None else [one + other for one, other in zip(known, row, strict=True)]
    for labels, (*counts, total) in rows.items():
        found.add_metric(labels, _cumulative(metric.bounds, counts), total)
    return found


def _cumulative(bounds: Sequence[float], counts: Sequence[float]) -> list[tuple[str, float]]:
    buckets, below = [], 0.0
    for bound, count in zip((*map(str, bounds), INFINITE), counts, strict=True):
        below += count
        buckets.append((bound, below))
    return buckets


def _added(found: Iterable[Rows]) -> Rows:
    total: Rows = {}
    for rows in found:
        for labels, value in rows.items():
            total[labels] = total.get(labels, 0.0) + value
    return total
