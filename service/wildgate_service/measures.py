"""Measures and cases: what a platform did and was asked to do, read from outcomes with the decisions that they followed.

A *measure* is one outcome in force that restricted something. A *case* is one notice, complaint, dispute or order, from what began it to
what ended it. Statements of reasons and the regulator's report are made of them, and of nothing that anybody typed in: whether a measure
followed a notice, and whether software found the listing, is derived from what was recorded before it.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from wildgate_service.outcomes import AccountType, Ground, Means, Misuse, NoticeSource, OutcomeKind, Restriction
from wildgate_service.types import Action


class Subject(Struct, frozen=True, kw_only=True):
    """The listing that something happened to, as the decision on it has it; where there is no decision all but ids is empty.

    `asked` is what the policy asked for, in `shadow` too (the platform was then told to allow it), or what the client took by itself.
    `position` is that of the decision in the log.
    """

    decision_id: str
    request_id: str
    listing_id: str
    position: int
    decided_time: datetime | None
    asked: Action | None
    language: str
    market: str
    content_kind: str
    groups: tuple[str, ...]
    appendices: tuple[str, ...]
    shadow: bool = False


class Measure(Struct, frozen=True, kw_only=True):
    """A restriction that is in force as an outcome.

    `source` is that of the first notice under Article 16 before the measure, else of the first other notice, or NONE: then it was the
    platform's own initiative. `ordered` if an authority's order was before it.
    """

    tenant: str
    outcome_id: str
    kind: OutcomeKind
    restrictions: tuple[Restriction, ...]
    ground: Ground
    means: Means
    misuse: Misuse
    occurred_time: datetime
    restricted_until: datetime | None
    account_type: AccountType
    territories: tuple[str, ...]
    source: NoticeSource
    ordered: bool
    subject: Subject

    @property
    def found_by_software(self) -> bool:
        """Whether the service asked for a look or a stop, not only in shadow, and nobody gave notice or order before."""
        asked = self.subject.asked in {Action.REVIEW, Action.BLOCK} and not self.subject.shadow
        return asked and self.source is NoticeSource.NONE and not self.ordered


class Case(Struct, frozen=True, kw_only=True):
    """A notice, complaint, dispute or order: its beginning, and how it ended.

    `family` is the kind without what happened: notice, complaint, dispute, order. `ended` is the last kind that ended it, None while it is
    open; `confirmed_time` when the authority was told that an order was received; `implemented` if what a dispute's body decided was
    carried out. `about` are the restrictions of the last measure before it; if there was none (not `acted`), it is about a notice not acted
    on, whose source is `source`. For a notice `source` is its own.
    """

    tenant: str
    family: str
    reference: str
    received_time: datetime
    ended_time: datetime | None
    ended: OutcomeKind | None
    means: Means
    source: NoticeSource
    items: int
    authority: str
    about: tuple[Restriction, ...]
    acted: bool
    ground: Ground
    confirmed_time: datetime | None
    implemented: bool
    subject: Subject
