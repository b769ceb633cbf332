"""Sampling: which allowed listings are drawn by chance for a moderator's look, so that missed offers can be estimated. Pure.

A listing is drawn by a keyed hash of its request's id: nobody without the tenant's key can tell which, the same request is drawn or not on
every attempt, and listings are drawn independently of each other and of what they say, beyond the rate that the policy states for them.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from wildgate_service.record import keyed_hash
from wildgate_service.types import Action, Decision

SAMPLING_DOMAIN = b"wildgate/sampling/1\0"
DIGITS = 13  # hexadecimal, as many bits as a float holds
CHANCES = float(16**DIGITS)
FEWEST = 20


class Sampling(Struct, frozen=True, forbid_unknown_fields=True):
    """Rates, 0 to 1, everywhere and by stratum; of several that hold for a listing the later field's wins, of several groups the highest.

    `groups` are those that a text names although it is allowed. Estimates from fewer than `fewest` looks are not stated.
    """

    rate: float = 0.0
    fewest: int = 100
    markets: dict[str, float] = {}
    languages: dict[str, float] = {}
    groups: dict[str, float] = {}

    def rate_of(self, places: Iterable[str], language: str, groups: Iterable[str]) -> float:
        """The rate for a listing; `places` are its market's unions, the widest first, and its market."""
        rate = self.rate
        if self.markets:
            for place in places:
                rate = self.markets.get(place, rate)
        if self.languages:
            rate = self.languages.get(language, self.languages.get(language.partition("-")[0], rate))
        if self.groups:
            rate = max((self.groups[group] for group in groups if group in self.groups), default=rate)
        return rate


NO_SAMPLING = Sampling()


def drawn(decision: Decision, request_id: str, tenant_key: bytes) -> Decision:
    """The decision, marked as `sampled` if it is allowed and its request is drawn."""
    if not decision.sampling_rate or decision.action is not Action.ALLOW:
        return decision
    if chance_of(request_id, tenant_key) >= decision.sampling_rate:
        return decision
    return msgspec.structs.replace(decision, sampled=True)


def chance_of(request_id: str, tenant_key: bytes) -> float:
    """A number in [0, 1) that is uniform over requests, fixed for one, and unknown without the tenant's key."""
    return int(keyed_hash(tenant_key, SAMPLING_DOMAIN + request_id.encode())[:DIGITS], 16) / CHANCES
