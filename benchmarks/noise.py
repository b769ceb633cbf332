"""What is beyond noise: bootstrap intervals of medians of paired ratios, and outliers among single ratios."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DRAWS = 2_000
LEVEL = 0.99  # of the interval; twenty cases and more are looked at, of which one in twenty would be wrong at 95 %
FEWEST_ROUNDS = 8  # fewer all lie on one side of 1 by chance too often: with eight once in 128 times
TOLERANCE = 0.03  # a ratio nearer to 1 is nobody's concern
LEAST_OUTLIER = 1.15  # times the common factor, of single figures, which have no rounds
SPREADS = 3.0
TO_DEVIATION = 1.4826  # of the median absolute deviation, for normal noise


@dataclass(frozen=True)
class Verdict:
    """A ratio of costs (over 1: the second is slower), its interval, and what it says."""

    ratio: float
    low: float
    high: float
    said: str  # slower, faster, same, unclear

    def __str__(self) -> str:
        return f"{self.ratio:.3f} [{self.low:.3f}, {self.high:.3f}] {self.said}"


def verdict(ratios: Sequence[float], seed: int, tolerance: float = TOLERANCE) -> Verdict:
    """Of ratios of paired rounds. "slower" and "faster" only if the whole interval lies beyond the tolerance, and never of few."""
    low, high = interval_of_median(ratios, random.Random(seed))
    if len(ratios) < FEWEST_ROUNDS:
        said = "unclear"
    elif low > 1 + tolerance:
        said = "slower"
    elif high < 1 / (1 + tolerance):
        said = "faster"
    elif 1 / (1 + tolerance) <= low and high <= 1 + tolerance:
        said = "same"
    else:
        said = "unclear"
    return Verdict(statistics.median(ratios), low, high, said)


def interval_of_median(values: Sequence[float], rng: random.Random) -> tuple[float, float]:
    """Bootstrap percentile interval of the median, at `LEVEL`."""
    drawn = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(DRAWS))
    tail = int(DRAWS * (1 - LEVEL) / 2)
    return drawn[tail], drawn[-1 - tail]


@dataclass(frozen=True)
class Outliers:
    """Ratios of single figures: what is common to all (another machine, another load), the limit, and the names beyond it."""

    factor: float
    limit: float
    slower: tuple[str, ...]
    faster: tuple[str, ...]


def outliers(ratios: Mapping[str, float]) -> Outliers:
    """Which ratios stand out from their median by more than three of their own spreads, and at least by 15 %."""
    logarithms = {name: math.log(ratio) for name, ratio in ratios.items()}
    middle = statistics.median(logarithms.values())
    spread = TO_DEVIATION * statistics.median(abs(each - middle) for each in logarithms.values())
    limit = max(math.log(LEAST_OUTLIER), SPREADS * spread)
    return Outliers(
        math.exp(middle),
        math.exp(limit),
        tuple(name for name, each in logarithms.items() if each - middle > limit),
        tuple(name for name, each in logarithms.items() if middle - each > limit),
    )
