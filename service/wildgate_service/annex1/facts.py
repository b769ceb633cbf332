"""What the sheets are counted from: measures, matters and what measured their quality, with what the platform said of itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from wildgate_service.annex1.about import About, Family, Kind
from wildgate_service.annex1.mapping import Classification
from wildgate_service.annex1.matters import UNDER_ARTICLE_16, Actions, Matter, matters
from wildgate_service.annex1.quality import Quality
from wildgate_service.annex1.template import places
from wildgate_service.measures import Case, Measure
from wildgate_service.outcomes import Misuse, OutcomeKind, Restriction

APPLIES_TO = {
    "All": frozenset(Kind),
    "Only for providers of hosting services, including online platforms": frozenset({Kind.HOSTING, Kind.ONLINE_PLATFORM, Kind.VLOP}),
    "Only for providers of online platforms": frozenset({Kind.ONLINE_PLATFORM, Kind.VLOP}),
    "Only for VLOPs": frozenset({Kind.VLOP}),
    "Only for VLOPs and VLOSEs": frozenset({Kind.VLOP, Kind.VLOSE}),
}
UNFOUNDED = {Misuse.UNFOUNDED_NOTICES, Misuse.UNFOUNDED_COMPLAINTS}


class Facts:
    """Everything that the sheets are made of. `measures` are about content: suspensions for unfounded notices or complaints are not.

    `orders` are those of Member States, `notices` those under Article 16.
    """

    def __init__(
        self,
        measures: Iterable[Measure],
        cases: Iterable[Case],
        *,
        classification: Classification,
        about: About,
        start: date,
        end: date,
        quality: Sequence[Quality] = (),
    ) -> None:
        every = sorted(measures, key=lambda measure: (measure.occurred_time, measure.tenant, measure.outcome_id))
        received = matters(cases)
        self.classification, self.about, self.start, self.end, self.quality = classification, about, start, end, quality
        self.suspensions = [measure for measure in every if measure.misuse is not Misuse.NONE]
        self.measures = [measure for measure in every if measure.misuse not in UNFOUNDED]
        self.actions = Actions(self.measures)
        self.orders = [each for each in received.get("order", []) if each.authority in places().member_states]
        self.foreign_orders = len(received.get("order", [])) - len(self.orders)
        self.notices = [each for each in received.get("notice", []) if each.source in UNDER_ARTICLE_16]
        self.other_notices = len(received.get("notice", [])) - len(self.notices)
        self.complaints: list[Matter] = received.get("complaint", [])
        self.disputes: list[Matter] = received.get("dispute", [])
        self._recorded = self._families()

    @property
    def period(self) -> str:
        """As the sheets write it."""
        return f"{self.start.isoformat()}/{self.end.isoformat()}"

    def knows(self, family: Family) -> bool:
        """Whether the platform reports it: it said so, or it did. Otherwise none is not zero."""
        return family in self._recorded

    def can(self, restrictions: Iterable[Restriction]) -> bool:
        """Whether the service can impose any of these: the platform said so, or it did."""
        return not self._restrictions.isdisjoint(restrictions)

    def applies(self, applicability: str) -> bool:
        """Whether a row applies to a service of this kind."""
        return self.about.kind in APPLIES_TO[applicability]

    def _families(self) -> set[Family]:
        imposed = {restriction for measure in self.measures for restriction in measure.restrictions}
        self._restrictions = imposed | self.about.can_restrict
        recorded = {
            Family.MEASURES: self.measures,
            Family.ORDERS: self.orders or self.foreign_orders,
            Family.NOTICES: self.notices or self.other_notices,
            Family.COMPLAINTS: self.complaints,
            Family.DISPUTES: self.disputes,
            Family.SUSPENSIONS: self.suspensions,
        }
        return {family for family, found in recorded.items() if found} | self.about.records


def own_initiative(measure: Measure) -> bool:
    """Whether neither an order nor a notice under Article 16 was before it."""
    return not measure.ordered and measure.source not in UNDER_ARTICLE_16


def reversed_in_part_or_whole(matter: Matter) -> bool:
    """Whether what the platform had decided did not stand."""
    family = matter.family
    return matter.ended in {OutcomeKind(f"{family}_upheld"), OutcomeKind(f"{family}_partly_upheld")}
