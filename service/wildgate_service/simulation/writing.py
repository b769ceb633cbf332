"""Write a simulated year: drawn listings become records, and what follows them outcomes, through the store's own append."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from wildgate_service.outcomes import Outcome
from wildgate_service.record import make_entry
from wildgate_service.sampling import drawn
from wildgate_service.simulation.aftermath import aftermath, degraded_answers
from wildgate_service.simulation.drawing import ACTIONS, NO_GROUP, Column, Drawn, Truth, draw, generator
from wildgate_service.simulation.plan import GroupRow, Plan, World, load_world
from wildgate_service.types import Action, ContentKind, Decision, DecisionRecord, Evidence, Level, Match, RuleKind, Taxon, Versions

if TYPE_CHECKING:
    from wildgate_service.store import Store


class Chunk(Struct, frozen=True):
    """A part of the year: listings as drawn, their records, and outcomes in the order in which they arrive, some of them twice."""

    listings: Drawn
    records: list[DecisionRecord]
    outcomes: list[Outcome]


def write_year(store: Store, plan: Plan, *, progress: Callable[[int], object] = lambda _: None) -> Truth:
    """Append a whole year and return its truth; `progress` is told how many decisions each chunk had."""
    columns: list[tuple[Column, ...]] = []
    for chunk in simulate(plan):
        store.append_entries([make_entry(record) for record in chunk.records])
        store.append_outcomes(chunk.outcomes)
        sampled = np.array([record.decision.sampled for record in chunk.records])
        rate = np.array([record.decision.sampling_rate for record in chunk.records], dtype=np.float32)
        listings = chunk.listings
        columns.append((listings.language, listings.group, listings.named, listings.asked, sampled, rate))
        progress(len(chunk.records))
    world = load_world()
    return Truth(tuple(world.languages), tuple(world.groups), *(np.concatenate(parts) for parts in zip(*columns, strict=True)))


def simulate(plan: Plan) -> Iterator[Chunk]:
    """The year, chunk by chunk; nothing is kept between them, so its size does not matter."""
    world, decisions = load_world(), _Decisions(plan)
    for first in range(0, plan.decisions, plan.chunk):
        listings = draw(plan, world, first, min(plan.chunk, plan.decisions - first))
        records = list(_records(plan, world, listings, decisions))
        outcomes = [*aftermath(plan, world, listings, records), *degraded_answers(plan, listings)]
        yield Chunk(listings, records, _arriving(plan, first, outcomes))


def _arriving(plan: Plan, first: int, outcomes: list[Outcome]) -> list[Outcome]:
    """In the order of recording, which is not that of happening; a few are sent twice."""
    random = generator(plan, 2, first)
    twice = [each for each in outcomes if random.random() < plan.withdrawn]
    return sorted((*outcomes, *twice), key=lambda each: (each.recorded_time, each.outcome_id))


def _records(plan: Plan, world: World, listings: Drawn, decisions: _Decisions) -> Iterator[DecisionRecord]:
    random = generator(plan, 3, listings.first)
    count = len(listings.language)
    bits = random.integers(0, 2**62, size=(count, 4)).tolist()
    begin = datetime(plan.start.year, plan.start.month, plan.start.day, tzinfo=UTC)
    begin_milliseconds = int(begin.timestamp() * 1000)
    markets = [row.markets for row in world.languages.values()]
    kinds = tuple(map(ContentKind, world.kinds))
    tell = decisions.of(world, listings)
    columns = zip(
        bits, listings.seconds.tolist(), listings.language.tolist(), listings.market.tolist(), listings.kind.tolist(), strict=True
    )
    for place, (drawn_bits, microseconds, language, market, kind) in enumerate(columns):
        number, where = listings.first + place, markets[language][market]
        milliseconds = begin_milliseconds + microseconds // 1000
        request_id = uuid_of(milliseconds, drawn_bits[0])
        decision = tell(place, language, where)
        yield DecisionRecord(
            tenant=plan.tenant,
            decision_id=uuid_of(milliseconds, drawn_bits[1]),
            request_id=request_id,
            listing_id=f"L{number}",
            decided_time=begin + timedelta(microseconds=microseconds),
            content_kind=kinds[kind],
            market=where,
            fingerprint=f"{drawn_bits[2]:032x}{number:032x}",
            seller=f"{int(listings.seller[place]):064x}",
            decision=drawn(decision, request_id, decisions.key),
            request_fingerprint=f"{drawn_bits[3]:032x}{number:032x}",
        )


def uuid_of(milliseconds: int, bits: int) -> str:
    """A UUIDv7 of a time and 62 random bits."""
    time, low = f"{milliseconds:012x}", f"{bits:016x}"
    return f"{time[:8]}-{time[8:]}-7{low[1:4]}-8{low[4:7]}-{low[4:]}"


class _Decisions:
    """Decisions by what they say, each made once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._made: dict[tuple[object, ...], Decision] = {}
        self.key = hashlib.sha256(f"simulated {plan.seed}".encode()).digest()

    def of(self, world: World, listings: Drawn) -> Callable[[int, int, str], Decision]:
        """What tells the decision on a listing from its place in the chunk, its language's number and its market."""
        names, groups, versions = tuple(world.languages), tuple(world.groups.items()), world.versions
        rows = [
            column.tolist()
            for column in (listings.asked, listings.named, listings.version, listings.score, listings.shadow, listings.degraded)
        ]
        columns = list(zip(*rows, strict=True))

        def tell(place: int, language: int, market: str) -> Decision:
            key = (columns[place], language, market)
            found = self._made.get(key)
            if found is None:
                asked, named, version, score, shadow, degraded = columns[place]
                group = groups[named] if named != NO_GROUP else None
                row = versions[version]
                found = self._made[key] = self._make(
                    ACTIONS[asked], (names[language], market), group, Versions(row.lexicon, row.model, row.policy), score, shadow, degraded
                )
            return found

        return tell

    def _make(
        self,
        asked: Action,
        place: tuple[str, str],
        group: tuple[str, GroupRow] | None,
        versions: Versions,
        score: int,
        shadow: bool,  # noqa: FBT001
        degraded: bool,  # noqa: FBT001
    ) -> Decision:
        language, market = place
        taxa, matches = _found(language, group)
        return Decision(
            action=Action.ALLOW if shadow else asked,
            shadow_action=asked,
            shadow=shadow,
            score=score / 100,
            language=language,
            taxa=taxa,
            matches=matches,
            evidence=(Evidence("screen", score / 10 - 5), Evidence("bias", -2.0)),
            reason="" if asked is Action.ALLOW else "Simulated.",
            notice="",
            versions=versions,
            degraded_reasons=("encoder_unreadable_language",) if degraded else (),
            sampling_rate=self._plan.sampling.rate_of((market,), language, [taxon.group for taxon in taxa]),
        )


def _found(language: str, group: tuple[str, GroupRow] | None) -> tuple[tuple[Taxon, ...], tuple[Match, ...]]:
    if group is None:
        return (), ()
    name, row = group
    match = Match(
        rule_id=f"{language}-{name}-simulated",
        kind=RuleKind.PRODUCT,
        level=Level.ALONE,
        language=language,
        form="simulated",
        gloss="",
        surface="simulated",
        field="title",
        start=0,
        end=9,
        skeleton_start=0,
        skeleton_end=9,
        groups=(name,),
    )
    return (Taxon(name, row.name, row.appendix),), (match,)
