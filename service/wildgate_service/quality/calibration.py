"""Whether a probability is what it says: of the texts given about 0.7, seven in ten should be offers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from msgspec import Struct

from wildgate_service.model.reliability import reliability
from wildgate_service.model.results import Bin


class Calibration(Struct, frozen=True):
    """Expected calibration error and the tenths of probability that it is taken over.

    The error is the mean distance between predicted and observed share, each tenth weighing as many texts as it has (Naeini, Cooper and
    Hauskrecht 2015); None for no texts.
    """

    error: float | None
    bins: tuple[Bin, ...]


def calibration(scored: Iterable[tuple[float, bool]]) -> Calibration:
    """Of scores, and whether what got them is an offer."""
    rows = list(scored)
    if not rows:
        return Calibration(None, ())
    scores, labels = np.array([score for score, _ in rows]), np.array([offer for _, offer in rows])
    bins = reliability(scores, labels, np.ones(len(rows)))
    error = sum(one.texts * abs(one.predicted - one.observed) for one in bins) / len(rows)
    return Calibration(round(error, 4), bins)
