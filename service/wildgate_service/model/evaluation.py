"""Figures that can be believed: grouped folds, group bootstrap, exact bounds."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import StratifiedGroupKFold

from wildgate_service.model.results import Interval, Share

FOLDS = 5
RESAMPLES = 1000
LEVEL = 0.95

Labels = NDArray[np.bool_]
Groups = NDArray[np.int64]
Places = NDArray[np.int64]
Scores = NDArray[np.float64]
Measure = Callable[[Places], float]


def grouped_folds(labels: Labels, groups: Groups, seed: int) -> Iterator[tuple[Places, Places]]:
    """Places to train on and to test on, per fold; a group is never in both."""
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    yield from folds.split(labels, labels, groups)


def best_threshold(labels: Labels, scores: Scores) -> float:
    """The score from which calling it positive gives the best F1."""
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    sums = np.maximum(precision + recall, np.finfo(float).tiny)
    return float(thresholds[np.argmax((2 * precision * recall / sums)[:-1])])


def f1(labels: Labels, calls: Labels) -> float:
    """F1 of calls; 0 when there is nothing to find or call."""
    total = int(labels.sum()) + int(calls.sum())
    return 2 * int((labels & calls).sum()) / total if total else 0.0


def average_precision(labels: Labels, scores: Scores) -> float:
    """Area under the precision-recall curve, as scikit-learn defines it, but ten times as fast; 0 where there is nothing to find."""
    if not labels.any():
        return 0.0
    order = np.argsort(-scores)
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, values=True))
    found = np.cumsum(labels[order])[ends]
    return float(np.diff(found, prepend=0) @ (found / (ends + 1)) / found[-1])


def resamples(groups: Groups, seed: int) -> Iterator[Places]:
    """Bootstrap samples of places: groups are drawn, with all that is in them."""
    random = np.random.default_rng(seed)
    _, numbers = np.unique(groups, return_inverse=True)
    order = np.argsort(numbers, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(numbers))[:-1])
    for _ in range(RESAMPLES):
        chosen = random.integers(0, len(members), len(members))
        yield np.concatenate([members[group] for group in chosen])


def bootstrap(groups: Groups, seed: int, measures: dict[str, Measure]) -> dict[str, Interval]:
    """Each measure on all places and its interval; all are taken on the same samples."""
    samples = [[measure(places) for measure in measures.values()] for places in resamples(groups, seed)]
    low, high = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    everything = np.arange(len(groups))
    return {
        name: Interval(measure(everything), float(low[place]), float(high[place])) for place, (name, measure) in enumerate(measures.items())
    }


def share(count: int, of: int) -> Share:
    """The share k of n with its upper bound, which is 1 for n = 0."""
    upper = float(beta.ppf(LEVEL, count + 1, of - count)) if count < of else 1.0
    return Share(count, of, upper)
