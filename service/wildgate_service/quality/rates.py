"""Shares with their sample sizes and intervals."""

from __future__ import annotations

from msgspec import Struct

from wildgate_service.report import make_share

FEW = 10  # below that a share says nothing
TOO_FEW, NO_DATA = "too few to say", "no data"


class Rate(Struct, frozen=True):
    """K of n with the two-sided 95 % interval of Wilson (1927); the share is None where there is nothing to count."""

    k: int
    n: int
    share: float | None
    lower: float
    upper: float

    def __str__(self) -> str:
        """As in a table: "12/30 40 % [25, 58]"."""
        if not self.n:
            return "-"
        return f"{self.k}/{self.n} {self.share:.0%} [{100 * self.lower:.0f}, {100 * self.upper:.0f}]"


def rate(count: int, of: int) -> Rate:
    """Count them.

    >>> str(rate(12, 30))
    '12/30 40% [25, 58]'
    """
    wilson = make_share("", count, of)
    return Rate(count, of, round(count / of, 4) if of else None, round(wilson.lower, 4), round(wilson.upper, 4))
