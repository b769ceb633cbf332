"""Measured error: precision, recall and accuracy with 95 % intervals, from what moderators found. Pure.

**Offers stopped** are estimated from moderators' last words on listings that the policy asked to hold or refuse: by language and by what
was asked, for refusals are seldom looked at and more often right. What was judged only because somebody complained of it or told of it is
left out: who complains is no sample.

**Offers missed** are estimated from looks at allowed listings that were drawn by chance (`sampling`), and from nothing else: by language
and sampling rate, each look stands for all allowed listings of its stratum, looked at or not (Horvitz and Thompson's weights, the inverse
of the share looked at, with strata of known sizes as in Hájek's). So a stratum in which fewer were looked at than were drawn is weighted
up: what nobody looked at is taken to be like the rest of its stratum. What was found because of a notice or an order is counted apart.

Recall is the first over the sum of both, in the part of the decisions that could be drawn. Intervals: `intervals`, where the sources are.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from wildgate_service.intervals import Interval, of_ratio, of_sum, of_unseen, wilson
from wildgate_service.record import Facets
from wildgate_service.sampling import NO_SAMPLING
from wildgate_service.types import Action, ErrorEstimate, MeasuredErrors

PRECISION, RECALL, ACCURACY = "precision", "recall", "accuracy"
TOTAL, LANGUAGE, GROUP = "total", "language", "taxon_group"
FEW = 30  # looks in a stratum; those with fewer are put together


class Counted(Struct, frozen=True):
    """How many decisions have these facets."""

    facets: Facets
    decisions: int


class Judged(Struct, frozen=True):
    """How many decisions with these facets a moderator found to be an offer, or not; `group` is what was found, "" if nobody said."""

    facets: Facets
    offer: bool
    group: str
    decisions: int


class ErrorFacts(Struct, frozen=True, kw_only=True):
    """What a store counted. `stopped` are moderators' last words on what was to be held or refused, `looks` those on drawn listings.

    `noticed_first` are drawn listings that somebody else told of before a moderator had looked, `notices_upheld` allowed ones.
    """

    decisions: tuple[Counted, ...] = ()
    stopped: tuple[Judged, ...] = ()
    looks: tuple[Judged, ...] = ()
    noticed_first: int = 0
    notices_upheld: int = 0


class _Stratum:
    """Listings, those of them that were judged, and those judged to be offers."""

    def __init__(self, listings: int = 0, judged: int = 0, offers: int = 0) -> None:
        self.listings, self.judged, self.offers = listings, judged, offers

    def add(self, other: _Stratum) -> None:
        self.listings += other.listings
        self.judged += other.judged
        self.offers += other.offers


class _Place(NamedTuple):
    """What the estimates tell decisions apart by."""

    asked: str
    language: str
    groups: tuple[str, ...]
    rate: float
    allowed: bool


class _Key(NamedTuple):
    """Of a stratum: `kind` is what was asked, or the rate of being drawn."""

    kind: str | float
    language: str


class Estimated(NamedTuple):
    """A number of listings with its interval, and the judgments that it rests on."""

    number: float
    interval: Interval
    judged: int
    offers: int


Strata = Sequence[_Stratum]
Chosen = Callable[[_Place], bool]


class _Told(Struct, frozen=True):
    """Numbers of decisions by place, and numbers judged by place, whether an offer was found, and of which group."""

    decisions: Counter[_Place]
    stopped: Counter[tuple[_Place, bool, str]]
    looks: Counter[tuple[_Place, bool, str]]


def measure_error(facts: ErrorFacts, fewest: int = NO_SAMPLING.fewest) -> MeasuredErrors:
    """The estimates in all, by language and by taxon group; from fewer than `fewest` judgments nothing is stated."""
    allowed = [each for each in facts.decisions if _is_allowed(each.facets)]
    return MeasuredErrors(
        estimates=tuple(_estimates(facts, fewest)),
        allowed=sum(each.decisions for each in allowed),
        covered=sum(each.decisions for each in allowed if each.facets.sampling_rate),
        drawn=sum(each.decisions for each in allowed if each.facets.sampled),
        looked_at=sum(each.decisions for each in facts.looks),
        noticed_first=facts.noticed_first,
        notices_upheld=facts.notices_upheld,
        fewest=fewest,
    )


def _is_allowed(facets: Facets) -> bool:
    return facets.shadow_action == Action.ALLOW


def _estimates(facts: ErrorFacts, fewest: int) -> Iterator[ErrorEstimate]:
    told = _told(facts)
    languages = sorted({place.language for place in told.decisions})
    groups = sorted({group for place in told.decisions for group in place.groups} | {group for _, _, group in told.looks} - {""})
    for dimension, value in ((TOTAL, ""), *((LANGUAGE, each) for each in languages), *((GROUP, each) for each in groups)):
        yield from _Domain(told, dimension, value).estimates(fewest)


def _told(facts: ErrorFacts) -> _Told:
    told = _Told(Counter(), Counter(), Counter())
    for each in facts.decisions:
        told.decisions[_place(each.facets)] += each.decisions
    for judged, counts in ((facts.stopped, told.stopped), (facts.looks, told.looks)):
        for look in judged:
            counts[_place(look.facets), look.offer, look.group] += look.decisions
    return told


def _place(facets: Facets) -> _Place:
    return _Place(facets.shadow_action, facets.language, facets.taxon_groups, facets.sampling_rate, _is_allowed(facets))


class _Domain:
    """All decisions, those of one language, or those about one taxon group."""

    def __init__(self, told: _Told, dimension: str, value: str) -> None:
        self._told, self._dimension, self._value = told, dimension, value

    def estimates(self, fewest: int) -> Iterator[ErrorEstimate]:
        yield self._precision(self._stopped(self._holds), fewest)
        covered = self._stopped(lambda place: self._holds(place) and place.rate > 0)
        looks, unnamed = self._looks()
        yield self._recall(covered, looks, unnamed, fewest)
        if self._dimension != GROUP:
            yield self._accuracy(covered, looks, fewest)

    def _holds(self, place: _Place) -> bool:
        if self._dimension == LANGUAGE:
            return place.language == self._value
        return self._dimension == TOTAL or self._value in place.groups

    # --- the strata ------------------------------------------------------------------------------

    def _stopped(self, chosen: Chosen) -> Strata:
        strata: dict[_Key, _Stratum] = defaultdict(_Stratum)
        for place, decisions in self._told.decisions.items():
            if not place.allowed and chosen(place):
                strata[_Key(place.asked, place.language)].listings += decisions
        for (place, offer, _), decisions in self._told.stopped.items():
            if chosen(place):
                strata[_Key(place.asked, place.language)].add(_Stratum(0, decisions, decisions * offer))
        return put_together(strata)

    def _looks(self) -> tuple[Strata, Strata]:
        """Strata of what could be drawn, and the same with offers of no stated group, any of which may be of this one."""
        strata: dict[_Key, _Stratum] = defaultdict(_Stratum)
        unnamed: Counter[_Key] = Counter()
        for place, decisions in self._told.decisions.items():
            if place.allowed and place.rate and (self._dimension != LANGUAGE or self._holds(place)):
                strata[_Key(place.rate, place.language)].listings += decisions
        for (place, offer, group), decisions in self._told.looks.items():
            if self._dimension != LANGUAGE or self._holds(place):
                key = _Key(place.rate, place.language)
                said = {group} if group else set(place.groups)
                found = offer and (self._dimension != GROUP or self._value in said)
                strata[key].add(_Stratum(0, decisions, decisions * found))
                unnamed[key] += decisions * (offer and not found and not said)
        wider = {key: _Stratum(each.listings, each.judged, each.offers + unnamed[key]) for key, each in strata.items()}
        return with_looks(put_together(strata)), with_looks(put_together(wider))

    # --- the estimates ---------------------------------------------------------------------------

    def _precision(self, stopped: Strata, fewest: int) -> ErrorEstimate:
        listings = sum(each.listings for each in stopped)
        right = offers_stopped(stopped)
        shares = (right.number / listings, right.interval[0] / listings, right.interval[1] / listings) if listings else None
        return self._estimate(PRECISION, shares if right.judged >= fewest else None, right, listings)

    def _recall(self, stopped: Strata, looks: Strata, unnamed: Strata, fewest: int) -> ErrorEstimate:
        found, missed, most = offers_stopped(stopped), offers_missed(looks), offers_missed(unnamed)
        listings = sum(each.listings for each in looks)
        if missed.judged < fewest or found.judged < fewest or not found.number:
            return self._estimate(RECALL, None, missed, listings)
        interval = missed.interval[0], most.interval[1]
        low, high = of_ratio(missed.number, interval, found.number, found.interval)
        shares = 1 / (1 + missed.number / found.number), 1 / (1 + high), 1 / (1 + low)
        return self._estimate(RECALL, shares, missed, listings)

    def _accuracy(self, stopped: Strata, looks: Strata, fewest: int) -> ErrorEstimate:
        found, missed = offers_stopped(stopped), offers_missed(looks)
        of_stopped, of_allowed = (sum(each.listings for each in strata) for strata in (stopped, looks))
        listings = of_stopped + of_allowed
        judged = Estimated(0, (0, 0), found.judged + missed.judged, found.offers + missed.offers)
        if missed.judged < fewest or found.judged < fewest:
            return self._estimate(ACCURACY, None, judged, listings)
        wrongly = of_stopped - found.number, (of_stopped - found.interval[1], of_stopped - found.interval[0])
        low, high = of_sum([wrongly, (missed.number, missed.interval)])
        shares = 1 - (wrongly[0] + missed.number) / listings, 1 - high / listings, 1 - low / listings
        return self._estimate(ACCURACY, shares, judged, listings)

    def _estimate(self, measure: str, shares: tuple[float, float, float] | None, rests: Estimated, listings: int) -> ErrorEstimate:
        estimate, lower, upper = shares or (None, None, None)
        return ErrorEstimate(
            measure=measure,
            dimension=self._dimension,
            value=self._value,
            estimate=estimate,
            lower=None if lower is None else max(lower, 0.0),
            upper=None if upper is None else min(upper, 1.0),
            judged=rests.judged,
            offers=rests.offers,
            listings=listings,
        )


def offers_stopped(strata: Strata) -> Estimated:
    """How many of the listings in the strata are offers; those judged are known, the rest of a stratum is as they are.

    A stratum without a judgment is taken to be as all others, and may be anything. The interval is that of a share in as many independent
    judgments as have its variance, stratified and of a finite population (Korn and Graubard, Survey Methodology 24, 1998).
    """
    listings, judged, offers = (sum(getattr(each, name) for each in strata) for name in ("listings", "judged", "offers"))
    if not judged or judged >= listings:
        return Estimated(offers, (offers, offers), judged, offers)
    number = sum(each.listings * (each.offers / each.judged if each.judged else offers / judged) for each in strata)
    share, likely = number / listings, (number / listings * judged + 1) / (judged + 2)
    variance = sum(_variance(each, likely) for each in strata) / listings**2
    size = min(likely * (1 - likely) / variance, judged / (1 - judged / listings))
    low, high = wilson(share * size, size)
    return Estimated(number, (max(math.floor(listings * low), offers), min(math.ceil(listings * high), listings)), judged, offers)


def _variance(stratum: _Stratum, likely: float) -> float:
    """Of its estimated number of offers. Two more are thought to be judged as all are, so that a few that are alike are not sure."""
    share, unseen = (stratum.offers + 2 * likely) / (stratum.judged + 2), max(stratum.listings - stratum.judged, 0)
    return stratum.listings * unseen * share * (1 - share) / max(stratum.judged, 1)


def offers_missed(strata: Strata) -> Estimated:
    """How many of the allowed listings in the strata are offers, from those looked at."""
    known = [(each.listings / each.judged, each.offers) for each in strata if each.judged]
    offers = sum(each.offers for each in strata)
    low, high = of_unseen(known, (weight for weight, _ in known))
    number = sum(weight * found for weight, found in known)
    return Estimated(number, (offers + low, offers + high), sum(each.judged for each in strata), offers)


def put_together(strata: Mapping[_Key, _Stratum]) -> Strata:
    """Strata of few judgments put together, of one kind across languages."""
    kinds: dict[str | float, list[_Stratum]] = defaultdict(list)
    for key, stratum in strata.items():
        kinds[key.kind].append(stratum)
    return [each for of_kind in kinds.values() for each in _enough(of_kind)]


def with_looks(strata: Strata) -> Strata:
    """The same, those without any look as part of the largest."""
    largest = max(strata, key=lambda each: (each.judged > 0, each.listings), default=_Stratum())
    without = [each for each in strata if not each.judged and each is not largest]
    return [*(each for each in strata if each.judged and each is not largest), _joined([largest, *without])]


def _enough(strata: list[_Stratum]) -> Strata:
    """Those of one kind; what few were judged of goes together, and to the smallest other one if it is few still."""
    many = sorted((each for each in strata if each.judged >= FEW), key=lambda each: each.listings)
    few = _joined(each for each in strata if each.judged < FEW)
    if few.judged >= FEW or not many:
        return [*many, few]
    return [_joined([many[0], few]), *many[1:]]


def _joined(strata: Iterable[_Stratum]) -> _Stratum:
    joined = _Stratum()
    for each in strata:
        joined.add(each)
    return joined
