"""Intervals of 95 % that hold where few events were seen. Pure; an interval is (lower, upper)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

Z_95 = 1.959963984540054  # the 97.5th percentile of the normal distribution
TAIL = 0.025
MANY = 2_000  # from this shape on the Wilson-Hilferty approximation is good to five digits
STEPS = 100
SMALLEST = 1e-300
PRECISE = 1e-14

Interval = tuple[float, float]


def wilson(count: float, total: float) -> Interval:
    """Of a share: the score interval of Wilson (1927); 0 to 1 for no sample.

    >>> [round(end, 3) for end in wilson(9, 10)]
    [0.596, 0.982]
    """
    if total == 0:
        return 0.0, 1.0
    z2 = Z_95 * Z_95
    share = count / total
    center = (share + z2 / (2 * total)) / (1 + z2 / total)
    margin = Z_95 * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    half = margin / (1 + z2 / total)
    return max(0.0, center - half), min(1.0, center + half)


def of_unseen(seen: Sequence[tuple[float, int]], weights: Iterable[float]) -> Interval:
    """Of the events among units that were not looked at, from those among units that were.

    `seen` are (weight, events) by stratum, a weight being units over units looked at; `weights` those of all strata, also without events.
    The gamma interval of Fay and Feuer (Statistics in Medicine 16, 1997) for weighted sums of rare events: the variance is that of the
    finite population, weight × (weight - 1) an event, and for the upper end one more event of the largest weight is thought to be seen.
    Both ends are whole numbers, as what is there is.
    """
    total = sum((weight - 1) * events for weight, events in seen)
    variance = sum(weight * (weight - 1) * events for weight, events in seen)
    lower = gamma_quantile(TAIL, total * total / variance) * variance / total if total else 0.0
    more = max(weights, default=1.0) - 1
    total, variance = total + more, variance + more * (more + 1)
    upper = gamma_quantile(1 - TAIL, total * total / variance) * variance / total if total else 0.0
    return float(math.floor(lower)), float(math.ceil(upper))


def of_sum(parts: Iterable[tuple[float, Interval]]) -> Interval:
    """Of a sum of independent estimates with their intervals (MOVER: Zou and Donner, Statistics in Medicine 27, 2008)."""
    known = list(parts)
    total = sum(estimate for estimate, _ in known)
    below = math.sqrt(sum((estimate - lower) ** 2 for estimate, (lower, _) in known))
    above = math.sqrt(sum((upper - estimate) ** 2 for estimate, (_, upper) in known))
    return total - below, total + above


def of_ratio(top: float, of_top: Interval, bottom: float, of_bottom: Interval) -> Interval:
    """Of top / bottom, independent, with their intervals (MOVER-R: Donner and Zou, Statistical Methods in Medical Research 21, 2012).

    `top` may be 0. The upper end is infinite where the bottom may be 0.
    """
    (low_top, high_top), (low_bottom, high_bottom) = of_top, of_bottom
    product = top * bottom
    lower = upper = math.inf
    if high_bottom > 0:
        bound = high_bottom * (2 * bottom - high_bottom)
        inside = product**2 - low_top * (2 * top - low_top) * bound
        lower = (
            (product - math.sqrt(max(inside, 0))) / bound if abs(bound) > SMALLEST else low_top * (2 * top - low_top) / (2 * product or 1)
        )
    if low_bottom > 0:
        bound = low_bottom * (2 * bottom - low_bottom)
        inside = product**2 - high_top * (2 * top - high_top) * bound
        upper = (product + math.sqrt(max(inside, 0))) / bound
    return max(lower, 0.0), upper


# --- the gamma distribution ----------------------------------------------------------------------


def gamma_quantile(share: float, shape: float) -> float:
    """The value under which a share (TAIL or 1 - TAIL) of the gamma distribution with this shape and scale 1 lies."""
    z = Z_95 if share > TAIL else -Z_95
    value = shape * (1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))) ** 3  # Wilson and Hilferty (1931)
    if shape > MANY:
        return value
    low, high = 0.0, shape + 12 * math.sqrt(shape) + 30
    for _ in range(STEPS):  # Newton's, or halving where that leaves the bracket
        value = value if low < value < high else (low + high) / 2
        beyond = _gamma_share(shape, value) - share
        low, high = (low, value) if beyond > 0 else (value, high)
        density = math.exp((shape - 1) * math.log(value) - value - math.lgamma(shape)) if value > SMALLEST else 0.0
        step = beyond / density if density else high
        value -= step
        if abs(step) <= PRECISE * abs(value):
            break
    return min(max(value, low), high)


def _gamma_share(shape: float, value: float) -> float:
    """The regularized incomplete gamma function P (Abramowitz and Stegun, 6.5.29 and 6.5.31)."""
    if value <= 0:
        return 0.0
    factor = math.exp(shape * math.log(value) - value - math.lgamma(shape))
    read: Callable[[float, float], float] = _series if value < shape + 1 else _fraction
    return factor * read(shape, value) if value < shape + 1 else 1 - factor * read(shape, value)


def _series(shape: float, value: float) -> float:
    term = total = 1 / shape
    at = shape
    while term > total * PRECISE:
        at += 1
        term *= value / at
        total += term
    return total


def _fraction(shape: float, value: float) -> float:
    """By Lentz's method."""
    b = value + 1 - shape
    c, d = 1 / SMALLEST, 1 / b
    total, step, i = d, 0.0, 0
    while abs(step - 1) > PRECISE:
        i += 1
        a = -i * (i - shape)
        b += 2
        d = 1 / ((a * d + b) or SMALLEST)
        c = b + a / c or SMALLEST
        step = c * d
        total *= step
    return total
