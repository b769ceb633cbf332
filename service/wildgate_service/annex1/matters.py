"""What was received, counted as the law counts it: a notice, order, complaint or dispute is one, however many listings it names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import median

from msgspec import Struct

from wildgate_service.measures import Case, Measure, Subject
from wildgate_service.outcomes import Means, NoticeSource, OutcomeKind, Restriction

HOUR = 3600.0
DECIMALS = 2  # of hours: 36 seconds

UNDER_ARTICLE_16 = frozenset({NoticeSource.ARTICLE_16, NoticeSource.TRUSTED_FLAGGER})


class Matter(Struct, frozen=True, kw_only=True):
    """Cases of one family and reference together; a case without a reference is one by itself.

    It is received with the first of them, and ended with the last if all ended. `ended` is what they ended with; a complaint or dispute
    that ended in several ways was upheld in part. `means` is UNKNOWN if they differ.
    """

    family: str
    received_time: datetime
    ended_time: datetime | None
    ended: OutcomeKind | None
    means: Means
    source: NoticeSource
    items: int
    authority: str
    about: tuple[Restriction, ...]
    acted: bool
    confirmed_time: datetime | None
    implemented: bool
    tenant: str
    subjects: tuple[Subject, ...]

    @property
    def hours_to_end(self) -> float | None:
        """From the first reception to the last end."""
        return hours_between(self.received_time, self.ended_time)


def matters(cases: Iterable[Case]) -> dict[str, list[Matter]]:
    """Matters by family, in the order in which they were received."""
    together: dict[tuple[object, ...], list[Case]] = defaultdict(list)
    for number, case in enumerate(cases):
        together[(case.tenant, case.family, case.reference or number)].append(case)
    made: dict[str, list[Matter]] = defaultdict(list)
    for parts in together.values():
        matter = _matter(sorted(parts, key=lambda case: (case.received_time, thread(case.subject))))
        made[matter.family].append(matter)
    return {family: sorted(each, key=lambda matter: matter.received_time) for family, each in made.items()}


def _matter(parts: Sequence[Case]) -> Matter:
    first = parts[0]
    ends = [part.ended_time for part in parts if part.ended_time]
    confirmed = [part.confirmed_time for part in parts if part.confirmed_time]
    means = {part.means for part in parts}
    subjects = {thread(part.subject): part.subject for part in parts}
    return Matter(
        family=first.family,
        received_time=first.received_time,
        ended_time=max(ends) if len(ends) == len(parts) else None,
        ended=_ended(parts),
        means=first.means if len(means) == 1 else Means.UNKNOWN,
        source=first.source,
        items=max(len(subjects), *(part.items for part in parts)),
        authority=first.authority,
        about=first.about,
        acted=first.acted,
        confirmed_time=min(confirmed, default=None),
        implemented=all(part.implemented for part in parts),
        tenant=first.tenant,
        subjects=tuple(subjects.values()),
    )


def _ended(parts: Sequence[Case]) -> OutcomeKind | None:
    ends = {part.ended for part in parts}
    if None in ends or len(ends) == 1:
        return None if None in ends else parts[0].ended
    return OutcomeKind(f"{parts[0].family}_partly_upheld") if parts[0].family in {"complaint", "dispute"} else parts[-1].ended


def thread(subject: Subject) -> str:
    """What tells a listing's decision from others, or its request if there was no decision."""
    return f"d{subject.decision_id}" if subject.decision_id else f"r{subject.request_id}"


class Actions:
    """The measures by listing, to find what followed something that was received."""

    def __init__(self, measures: Iterable[Measure]) -> None:
        self._by_thread: dict[tuple[str, str], list[Measure]] = defaultdict(list)
        for measure in measures:
            self._by_thread[measure.tenant, thread(measure.subject)].append(measure)

    def after(self, matter: Matter) -> list[Measure]:
        """The measures on a matter's listings since it was received."""
        about = (self._by_thread.get((matter.tenant, thread(subject)), []) for subject in matter.subjects)
        return [measure for measures in about for measure in measures if measure.occurred_time >= matter.received_time]

    def hours(self, matter: Matter) -> float | None:
        """From its reception to the first measure; None if there was none."""
        first = min((measure.occurred_time for measure in self.after(matter)), default=None)
        return hours_between(matter.received_time, first)


def hours_between(start: datetime, end: datetime | None) -> float | None:
    """Hours, never below 0; None without an end."""
    return None if end is None else max(0.0, (end - start).total_seconds() / HOUR)


def median_hours(waits: Iterable[float | None]) -> float | str:
    """The median of those that came to an end, blank if none did."""
    known = [wait for wait in waits if wait is not None]
    return round(median(known), DECIMALS) if known else ""
