"""What follows the decisions of a simulated year: what is applied, looked at, noticed, complained of, ordered and put right."""

# ruff: noqa: PLR2004  (odds stand where they are played)
from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from msgspec import structs

from wildgate_service.outcomes import AccountType, Ground, Means, Misuse, NoticeSource, Outcome, OutcomeKind, Restriction
from wildgate_service.simulation.drawing import NO_GROUP, Drawn
from wildgate_service.simulation.plan import Plan, World
from wildgate_service.types import Action, DecisionRecord

K = OutcomeKind
SOURCES = {NoticeSource.ARTICLE_16: 60, NoticeSource.TRUSTED_FLAGGER: 25, NoticeSource.OTHER: 15}
MILDER = {
    (Restriction.VISIBILITY_DEMOTED,): 3,
    (Restriction.VISIBILITY_DISABLED,): 3,
    (Restriction.VISIBILITY_LABELLED, Restriction.MONETARY_SUSPENSION): 1,
    (Restriction.PROVISION_PARTIAL_SUSPENSION,): 1,
}
AUTHORITIES = ("DE", "FR", "ES", "IT", "NL")
DEGRADED = ("unavailable", "deadline_exceeded", "resource_exhausted")
GROUNDS = {Ground.ILLEGAL: 6, Ground.TERMS: 2, Ground.UNKNOWN: 2}
INNOCENT = 0.001  # how often an innocent listing is noticed, of how often an offer is
REJECTED_WRONGLY = 0.1


def aftermath(plan: Plan, world: World, listings: Drawn, records: Sequence[DecisionRecord]) -> Iterator[Outcome]:
    """The outcomes of all listings of a chunk, of each in the order in which they happen."""
    random = Random(f"{plan.seed} {listings.first}")  # noqa: S311  (seeded on purpose)
    groups = tuple(world.groups)
    for record, offers, group in zip(records, listings.offers.tolist(), listings.group.tolist(), strict=True):
        decision = record.decision
        noticed = random.random() < (plan.noticed if offers else plan.noticed * INNOCENT)
        if decision.shadow_action is Action.ALLOW and not (decision.sampled or offers or noticed):
            continue  # most listings: published, and nobody ever says a word
        story = _Story(plan, random, record, offers=offers, group=groups[group] if group != NO_GROUP else "", noticed=noticed)
        yield from _mistaken(plan, random, story.told())


def degraded_answers(plan: Plan, listings: Drawn) -> Iterator[Outcome]:
    """What clients told of requests that the service never answered."""
    random = Random(f"degraded {plan.seed} {listings.first}")  # noqa: S311
    begin = datetime(plan.start.year, plan.start.month, plan.start.day, tzinfo=UTC)
    for microseconds in listings.seconds.tolist():
        if random.random() < plan.degraded:
            happened = begin + timedelta(microseconds=microseconds)
            kind, action = random.choice([(K.PUBLISHED, Action.ALLOW), (K.HELD, Action.REVIEW), (K.REMOVED, Action.BLOCK)])
            yield Outcome(
                tenant=plan.tenant,
                outcome_id=_id(random),
                kind=kind,
                occurred_time=happened,
                recorded_time=happened + timedelta(seconds=5),
                request_id=_id(random),
                means=Means.AUTOMATED,
                degraded_action=action,
                degraded_reason=random.choice(DEGRADED),
            )


class _Story:
    """What happens to one listing; the odds in it that the plan does not have are of no consequence to what is estimated."""

    def __init__(self, plan: Plan, random: Random, record: DecisionRecord, *, offers: bool, group: str, noticed: bool) -> None:
        self._plan, self._random, self._record = plan, random, record
        self._offers, self._group, self._is_noticed = offers, group, noticed
        self._now = record.decided_time
        self._steps: list[Outcome] = []
        self._account = random.choice([AccountType.PRIVATE, AccountType.PRIVATE, AccountType.BUSINESS, AccountType.UNKNOWN])

    def told(self) -> list[Outcome]:
        """Its outcomes."""
        action, chance = self._record.decision.action, self._random.random
        if action is Action.BLOCK:
            self._refused()
        elif action is Action.REVIEW:
            self._held()
        elif self._record.decision.sampled and chance() < self._response():
            self._looked_at()
        if action is Action.ALLOW and self._up() and self._is_noticed:
            self._noticed()
        if self._up() and self._offers and chance() < self._plan.noticed / 20:
            self._ordered()
        return self._steps

    def _response(self) -> float:
        special = self._plan.response_to_offers
        return special if special is not None and self._offers else self._plan.response

    def _up(self) -> bool:
        """Whether it is published still."""
        down = {K.REMOVED, K.RESTRICTED, K.ACCOUNT_SUSPENDED, K.ACCOUNT_TERMINATED}
        last = [step.kind for step in self._steps if step.kind in {*down, K.PUBLISHED, K.REINSTATED, K.HELD}][-1:]
        return not last or last[0] not in {*down, K.HELD}

    # --- its ways --------------------------------------------------------------------------------

    def _refused(self) -> None:
        self._step(K.REMOVED, 0.0003, Means.AUTOMATED, ground=self._ground(), account_type=self._account)
        if self._random.random() < self._plan.audited:
            wrong = not self._judged_an_offer()
            self._step(K.REINSTATED if wrong else K.CONFIRMED, 24, Means.MODERATOR, taxon_group="" if wrong else self._group)
        else:
            self._complained_of()

    def _held(self) -> None:
        self._step(K.HELD, 0.0003, Means.AUTOMATED)
        if self._random.random() > self._plan.reviewed:
            return
        if self._judged_an_offer():
            self._taken_down(6)
            self._complained_of()
        else:
            self._step(K.PUBLISHED, 6, Means.MODERATOR)

    def _looked_at(self) -> None:
        if self._judged_an_offer():
            self._taken_down(20)
        else:
            self._step(K.PUBLISHED, 20, Means.MODERATOR)

    def _noticed(self) -> None:
        (source,) = self._random.choices(list(SOURCES), list(SOURCES.values()))
        reference = _id(self._random)[:13]
        items = self._random.choice([1, 1, 1, 2, 5])
        self._step(K.NOTICE_RECEIVED, 100, Means.UNKNOWN, notice_source=source, reference=reference, items=items)
        means = Means.AUTOMATED if self._random.random() < 0.05 else Means.MODERATOR
        if self._judged_an_offer():
            self._step(K.NOTICE_UPHELD, 30, means, notice_source=source, reference=reference)
            self._taken_down(0.01)
        elif self._random.random() < 0.9:
            self._step(K.NOTICE_REJECTED, 30, means, notice_source=source, reference=reference)
            if self._random.random() < REJECTED_WRONGLY:
                self._complaint(reversed_with=K.REMOVED)

    def _ordered(self) -> None:
        fields = {"authority": self._random.choice(AUTHORITIES), "reference": _id(self._random)[:13]}
        self._step(K.ORDER_RECEIVED, 500, Means.UNKNOWN, items=1, **fields)
        self._step(K.ORDER_CONFIRMED, 4, Means.MODERATOR, **fields)
        self._taken_down(20)
        self._step(K.ORDER_EXECUTED, 1, Means.MODERATOR, **fields)

    def _taken_down(self, hours: float) -> None:
        """By a moderator: mostly removed, now and then restricted otherwise, and with it the account."""
        random = self._random
        more = {"ground": self._ground(), "account_type": self._account, "taxon_group": self._group}
        if random.random() < 0.1:
            (how,) = random.choices(list(MILDER), list(MILDER.values()))
            until = self._now + timedelta(days=30) if random.random() < 0.5 else None
            self._step(K.RESTRICTED, hours, Means.MODERATOR, restrictions=how, restricted_until=until, territories=("DE", "FR"), **more)
        else:
            self._step(K.REMOVED, hours, Means.MODERATOR, **more)
        if random.random() < 0.03:
            self._step(K.ACCOUNT_SUSPENDED, 2, Means.MODERATOR, misuse=Misuse.ILLEGAL_CONTENT, account_type=self._account)
        elif random.random() < 0.01:
            self._step(K.ACCOUNT_TERMINATED, 2, Means.MODERATOR, account_type=self._account)

    def _complained_of(self) -> None:
        if self._random.random() < (0.04 if self._offers else 0.4):
            self._complaint(reversed_with=K.REINSTATED)

    def _complaint(self, *, reversed_with: OutcomeKind) -> None:
        reference = _id(self._random)[:13]
        self._step(K.COMPLAINT_RECEIVED, 40, Means.UNKNOWN, reference=reference)
        right = self._judged_an_offer() is (reversed_with is K.REMOVED)
        if self._random.random() < 0.05:
            return  # still open
        if right:
            self._step(K.COMPLAINT_UPHELD, 60, Means.MODERATOR, reference=reference)
            self._step(reversed_with, 1, Means.MODERATOR)
            return
        partly = self._random.random() < 0.1
        self._step(K.COMPLAINT_PARTLY_UPHELD if partly else K.COMPLAINT_REJECTED, 60, Means.MODERATOR, reference=reference)
        if self._random.random() < 0.05:
            self._disputed()

    def _disputed(self) -> None:
        reference = _id(self._random)[:13]
        self._step(K.DISPUTE_RECEIVED, 300, Means.UNKNOWN, reference=reference)
        end = self._random.choice([K.DISPUTE_REJECTED, K.DISPUTE_REJECTED, K.DISPUTE_ENDED, K.DISPUTE_UPHELD, K.DISPUTE_PARTLY_UPHELD])
        self._step(end, 900, Means.UNKNOWN, reference=reference)
        if end in {K.DISPUTE_UPHELD, K.DISPUTE_PARTLY_UPHELD}:
            self._step(K.DISPUTE_IMPLEMENTED, 24, Means.MODERATOR, reference=reference)

    # --- how a step is made ----------------------------------------------------------------------

    def _judged_an_offer(self) -> bool:
        return self._offers is not (self._random.random() < self._plan.moderator_error)

    def _ground(self) -> Ground:
        return self._random.choices(list(GROUNDS), list(GROUNDS.values()))[0]

    def _step(self, kind: OutcomeKind, hours: float, means: Means, **fields: object) -> None:
        """After a wait that is `hours` at the median; told to the service soon, or days late."""
        random, plan = self._random, self._plan
        self._now += timedelta(hours=hours * random.lognormvariate(0, 0.8))
        late = random.expovariate(1 / 5) if random.random() < plan.late else random.expovariate(1440)
        self._steps.append(
            Outcome(
                tenant=plan.tenant,
                outcome_id=_id(random),
                kind=kind,
                occurred_time=self._now,
                recorded_time=self._now + timedelta(days=late),
                decision_id=self._record.decision_id,
                means=means,
                **fields,  # type: ignore[arg-type]
            )
        )


def _mistaken(plan: Plan, random: Random, steps: list[Outcome]) -> Iterator[Outcome]:
    """Some were told wrongly first and are corrected; some never happened and are withdrawn."""
    for step in steps:
        chance = random.random()
        if chance < plan.corrected:
            wrong = structs.replace(step, outcome_id=_id(random), means=Means.UNKNOWN)
            yield wrong
            later = step.recorded_time + timedelta(hours=random.expovariate(0.1))
            yield structs.replace(step, corrects=wrong.outcome_id, recorded_time=later)
        else:
            yield step
        if chance > 1 - plan.withdrawn:
            phantom = structs.replace(
                step, outcome_id=_id(random), kind=K.PUBLISHED, restrictions=(), ground=Ground.UNKNOWN, misuse=Misuse.NONE
            )
            phantom = structs.replace(phantom, notice_source=NoticeSource.NONE, authority="", items=1, reference="")
            yield phantom
            later = phantom.recorded_time + timedelta(hours=1)
            yield structs.replace(phantom, outcome_id=_id(random), kind=K.WITHDRAWN, corrects=phantom.outcome_id, recorded_time=later)


def _id(random: Random) -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))
