"""What a simulated year is made to be like."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from wildgate_service.sampling import Sampling


class Plan(Struct, frozen=True, kw_only=True):
    """Sizes and rates, 0 to 1 unless said otherwise.

    `offers` and `found` are the share of listings that offer wildlife and that of these which is stopped, before what `World` adds by
    language, group and version; `false_stops` the share of innocent listings that is stopped, `named` that of innocent and of missed ones
    whose text names a taxon. Of those stopped `blocked_offers` and `blocked_innocent` are refused, the rest is reviewed. `response` is
    the share of sampled listings that somebody looks at, `response_to_offers` that of sampled offers if it is another. `audited` is the
    share of refusals that a moderator looks at. `moderator_error` is how often a moderator's word is wrong. `noticed` is the share of
    published offers that somebody gives notice of. For the first `shadow_days` nothing is asked for in `shadow_market`.
    """

    decisions: int
    seed: int = 1
    tenant: str = "simulated"
    start: date = date(2026, 1, 1)
    days: int = 365
    chunk: int = 20_000
    offers: float = 0.004
    found: float = 0.85
    false_stops: float = 0.0008
    named: tuple[float, float] = (0.01, 0.3)
    blocked_offers: float = 0.6
    blocked_innocent: float = 0.15
    sampling: Sampling = Sampling(rate=0.01, groups={"elephant": 0.1, "parrot": 0.1, "pangolin": 0.1})
    response: float = 0.9
    response_to_offers: float | None = None
    reviewed: float = 0.95
    audited: float = 0.2
    moderator_error: float = 0.0
    noticed: float = 0.15
    degraded: float = 0.0005
    late: float = 0.02
    corrected: float = 0.01
    withdrawn: float = 0.002
    shadow_market: str = "BR"
    shadow_days: int = 20


class LanguageRow(Struct, frozen=True):
    """One language of the world; `unread` is the share of its texts that the encoder cannot read."""

    share: float
    offers: float
    found: float
    stopped: float
    markets: tuple[str, ...]
    unread: float = 0.0005


class GroupRow(Struct, frozen=True):
    """One taxon group of the world."""

    share: float
    found: float
    name: str
    appendix: str


class VersionRow(Struct, frozen=True, rename={"since": "from"}):
    """Versions in force from a share of the year on."""

    since: float
    lexicon: str
    model: str
    policy: str
    found: float


class World(Struct, frozen=True):
    """What listings are drawn from."""

    languages: dict[str, LanguageRow]
    groups: dict[str, GroupRow]
    kinds: dict[str, float]
    versions: tuple[VersionRow, ...]


@cache
def load_world() -> World:
    """The world in `world.toml`."""
    file = resources.files("wildgate_service.simulation") / "world.toml"
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), World)
