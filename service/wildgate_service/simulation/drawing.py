"""Draw listings and what is decided on them, a chunk at a time, as columns; and the truth that is kept aside."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from wildgate_service.simulation.plan import Plan, World
from wildgate_service.types import Action

Column = NDArray[Any]
ALLOW, REVIEW, BLOCK = range(3)
ACTIONS = (Action.ALLOW, Action.REVIEW, Action.BLOCK)
NO_GROUP = -1
DAY = 86_400_000_000  # microseconds


class Drawn(Struct, frozen=True):
    """Listings as columns of numbers: `asked` of `ACTIONS`, `group` what is offered, `named` what the text names, -1 for none."""

    first: int
    seconds: Column  # microseconds since the year began
    language: Column
    market: Column  # place in the language's markets
    kind: Column
    version: Column
    offers: Column
    group: Column
    named: Column
    asked: Column
    score: Column  # hundredths
    shadow: Column
    degraded: Column
    seller: Column


def generator(plan: Plan, *place: int) -> np.random.Generator:
    """A stream of random numbers of its own for a place in the year."""
    return np.random.default_rng(np.random.SeedSequence([plan.seed, *place]))


def draw(plan: Plan, world: World, first: int, count: int) -> Drawn:
    """The listings from number `first` on."""
    random = generator(plan, 1, first)
    languages, groups = tuple(world.languages.values()), tuple(world.groups.values())
    moment = (first + np.sort(random.random(count)) * count) / plan.decisions
    language = _choose(random, [row.share for row in languages], count)
    offers = random.random(count) < plan.offers * np.array([row.offers for row in languages])[language]
    offered = _choose(random, [row.share for row in groups], count)
    version = np.searchsorted([row.since for row in world.versions], moment, side="right") - 1
    stopped = _stopped(random, plan, world, language, offered, version, offers)
    blocked = random.random(count) < np.where(offers, plan.blocked_offers, plan.blocked_innocent)
    names = stopped | (random.random(count) < np.where(offers, plan.named[1], plan.named[0]))
    markets = np.array([len(row.markets) for row in languages])[language]
    market = (random.random(count) * markets).astype(np.int8)
    asked = np.where(stopped, np.where(blocked, BLOCK, REVIEW), ALLOW)
    low, high = np.array([1, 50, 90])[asked], np.array([45, 90, 100])[asked]
    on_trial = np.array([[name == plan.shadow_market for name in (*row.markets, *[""] * 8)[:8]] for row in languages])[language, market]
    return Drawn(
        first=first,
        seconds=(moment * plan.days * DAY).astype(np.int64),
        language=language,
        market=market,
        kind=_choose(random, list(world.kinds.values()), count),
        version=version.astype(np.int8),
        offers=offers,
        group=np.where(offers, offered, NO_GROUP).astype(np.int8),
        named=np.where(names, offered, NO_GROUP).astype(np.int8),
        asked=asked.astype(np.int8),
        score=(low + random.random(count) ** np.where(asked == ALLOW, 6, 1) * (high - low)).astype(np.int8),
        shadow=on_trial & (moment * plan.days < plan.shadow_days),
        degraded=random.random(count) < np.array([row.unread for row in languages])[language],
        seller=_sellers(random, offers, count),
    )


def _stopped(
    random: np.random.Generator, plan: Plan, world: World, language: Column, group: Column, version: Column, offers: Column
) -> Column:
    languages = tuple(world.languages.values())
    found = (
        plan.found
        + np.array([row.found for row in languages])[language]
        + np.array([row.found for row in world.groups.values()])[group]
        + np.array([row.found for row in world.versions])[version]
    )
    innocent = plan.false_stops * np.array([row.stopped for row in languages])[language]
    stopped: Column = random.random(len(language)) < np.where(offers, np.clip(found, 0.02, 0.99), innocent)
    return stopped


def _sellers(random: np.random.Generator, offers: Column, count: int) -> Column:
    """Some sellers offer wildlife again and again; the others are many."""
    few = np.floor(random.random(count) ** 3 * 400)
    many = 400 + np.floor(random.random(count) ** 2 * 50_000)
    return np.where(offers, few, many).astype(np.int32)


def _choose(random: np.random.Generator, shares: list[float], count: int) -> Column:
    edges = np.cumsum(shares) / sum(shares)
    return np.searchsorted(edges, random.random(count), side="right").clip(max=len(shares) - 1).astype(np.int8)


class Truth(Struct, frozen=True):
    """What every listing of a year is and what was decided on it, in the order of their numbers.

    Columns are as in `Drawn`; `languages` and `groups` give their names. A language and a group narrow each share down.
    """

    languages: tuple[str, ...]
    groups: tuple[str, ...]
    language: Column
    group: Column
    named: Column
    asked: Column
    sampled: Column
    rate: Column

    def _chosen(self, language: str | None, group: str | None, groups: Column) -> Column:
        chosen = np.ones(len(self.language), dtype=bool)
        if language is not None:
            chosen &= self.language == self.languages.index(language)
        if group is not None:
            chosen &= groups == self.groups.index(group)
        return chosen

    def recall(self, *, language: str | None = None, group: str | None = None) -> float:
        """The share of offers (of a group) that was stopped; NaN without offers."""
        offers = self._chosen(language, group, self.group) & (self.group != NO_GROUP)
        return _share(self.asked[offers] != ALLOW)

    def precision(self, *, language: str | None = None, group: str | None = None) -> float:
        """The share of what was stopped (for a group) that offers wildlife."""
        stopped = self._chosen(language, group, self.named) & (self.asked != ALLOW)
        return _share(self.group[stopped] != NO_GROUP)

    def accuracy(self, *, language: str | None = None) -> float:
        """The share of listings that were decided rightly."""
        chosen = self._chosen(language, None, self.group)
        return _share((self.asked[chosen] != ALLOW) == (self.group[chosen] != NO_GROUP))

    def missed(self, *, language: str | None = None, group: str | None = None) -> int:
        """How many offers were allowed."""
        chosen = self._chosen(language, group, self.group) & (self.group != NO_GROUP)
        return int((self.asked[chosen] == ALLOW).sum())


def _share(column: Column) -> float:
    return float(column.mean()) if len(column) else float("nan")
