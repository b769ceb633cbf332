"""Outcomes: what the platform did about a listing after its decision, and what it heard about it.

The fields mean what `proto/wildgate/v1/transparency.proto` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypedDict, TypeVar

from wildgate._errors import WildgateError
from wildgate._ids import uuid7
from wildgate._types import Action, Decision, read_enum

E = TypeVar("E", bound=StrEnum)


class OutcomeKind(StrEnum):
    """What happened to a listing after its decision. What is received ends with one of the others of its `reference`."""

    PUBLISHED = "published"
    HELD = "held"
    REMOVED = "removed"
    RESTRICTED = "restricted"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_TERMINATED = "account_terminated"
    REINSTATED = "reinstated"
    CONFIRMED = "confirmed"
    NOTICE_RECEIVED = "notice_received"
    NOTICE_UPHELD = "notice_upheld"
    NOTICE_REJECTED = "notice_rejected"
    COMPLAINT_RECEIVED = "complaint_received"
    COMPLAINT_UPHELD = "complaint_upheld"
    COMPLAINT_PARTLY_UPHELD = "complaint_partly_upheld"
    COMPLAINT_REJECTED = "complaint_rejected"
    DISPUTE_RECEIVED = "dispute_received"
    DISPUTE_UPHELD = "dispute_upheld"
    DISPUTE_PARTLY_UPHELD = "dispute_partly_upheld"
    DISPUTE_REJECTED = "dispute_rejected"
    DISPUTE_ENDED = "dispute_ended"
    DISPUTE_IMPLEMENTED = "dispute_implemented"
    ORDER_RECEIVED = "order_received"
    ORDER_CONFIRMED = "order_confirmed"
    ORDER_EXECUTED = "order_executed"
    WITHDRAWN = "withdrawn"


class Means(StrEnum):
    """Who or what applied an outcome."""

    AUTOMATED = "automated"
    MODERATOR = "moderator"


class NoticeSource(StrEnum):
    """Where a notice came from: articles 16 and 22 of Regulation (EU) 2022/2065, or elsewhere."""

    ARTICLE_16 = "article_16"
    TRUSTED_FLAGGER = "trusted_flagger"
    OTHER = "other"


class Restriction(StrEnum):
    """What was restricted; names as in the EU's transparency database, without DECISION_."""

    VISIBILITY_REMOVED = "visibility_removed"
    VISIBILITY_DISABLED = "visibility_disabled"
    VISIBILITY_DEMOTED = "visibility_demoted"
    VISIBILITY_AGE_RESTRICTED = "visibility_age_restricted"
    VISIBILITY_INTERACTION_RESTRICTED = "visibility_interaction_restricted"
    VISIBILITY_LABELLED = "visibility_labelled"
    MONETARY_SUSPENSION = "monetary_suspension"
    MONETARY_TERMINATION = "monetary_termination"
    PROVISION_PARTIAL_SUSPENSION = "provision_partial_suspension"
    PROVISION_TOTAL_SUSPENSION = "provision_total_suspension"
    PROVISION_PARTIAL_TERMINATION = "provision_partial_termination"
    PROVISION_TOTAL_TERMINATION = "provision_total_termination"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_TERMINATED = "account_terminated"


class Ground(StrEnum):
    """Why a restriction was imposed."""

    ILLEGAL = "illegal"
    TERMS = "terms"


class Misuse(StrEnum):
    """What an account was suspended for (Article 23 of the same)."""

    ILLEGAL_CONTENT = "illegal_content"
    UNFOUNDED_NOTICES = "unfounded_notices"
    UNFOUNDED_COMPLAINTS = "unfounded_complaints"


class AccountType(StrEnum):
    """Whose account posted."""

    BUSINESS = "business"
    PRIVATE = "private"


class OutcomeDetails(TypedDict, total=False):
    """What `report_outcome` and `Outcome.of` take beside what happened; None and what is left out: not known."""

    means: Means | str | None
    notice_source: NoticeSource | str | None
    occurred_time: datetime | None
    outcome_id: str | None
    restrictions: Iterable[Restriction | str]
    ground: Ground | str | None
    corrects: str
    reference: str
    items: int
    misuse: Misuse | str | None
    authority: str
    restricted_until: datetime | None
    account_type: AccountType | str | None
    territories: Iterable[str]
    taxon_group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One thing that happened to a listing after its decision.

    Give `decision_id` or `request_id`; `Outcome.of(decision, …)` takes what is needed from a
    decision. The same `outcome_id` sent again is recorded once; to put a wrong one right, send
    another that `corrects` it.
    """

    applied: OutcomeKind
    decision_id: str | None = None
    request_id: str | None = None
    means: Means | None = None
    """None: not known."""
    notice_source: NoticeSource | None = None
    """For notices."""
    occurred_time: datetime | None = None
    """With a time zone; None: now."""
    degraded_action: Action | None = None
    """For a decision that the client made itself: what it answered."""
    degraded_reason: str = ""
    """And why."""
    restrictions: tuple[Restriction, ...] = ()
    """What was restricted; empty: as `applied` says."""
    ground: Ground | None = None
    """Why; None: as the service's policy says."""
    corrects: str = ""
    """`outcome_id` of the outcome that this one replaces."""
    reference: str = ""
    """Ties together one notice, complaint, dispute or order: at most 64 letters, digits, _ and -."""
    items: int = 1
    """Items that a notice or order names."""
    misuse: Misuse | None = None
    """What an account was suspended for."""
    authority: str = ""
    """Country of the authority that gave an order, ISO 3166-1 alpha-2."""
    restricted_until: datetime | None = None
    """With a time zone; None: without end."""
    account_type: AccountType | None = None
    """Whose account posted."""
    territories: tuple[str, ...] = ()
    """Countries in which the restriction holds; empty: as the service's policy says."""
    taxon_group: str = ""
    """What somebody who looked found offered, such as elephant; empty: as the decision says."""
    outcome_id: str = field(default_factory=lambda: str(uuid7()))

    @classmethod
    def of(cls, subject: Decision | str, applied: OutcomeKind | str, details: OutcomeDetails | None = None) -> Outcome:
        """Make the outcome of a decision, or of the request with that id.

        Raises WildgateInvalidRequestError for a word that is not in the enumerations.
        """
        decision = subject if isinstance(subject, Decision) else None
        decision_id = decision.decision_id if decision else None
        own = decision if decision and not decision.answered else None
        given: OutcomeDetails = details or {}
        return cls(
            applied=read_enum(OutcomeKind, applied, "applied"),
            decision_id=decision_id,
            request_id=None if decision_id else _request_id(subject),
            means=_read(Means, given.get("means"), "means"),
            notice_source=_read(NoticeSource, given.get("notice_source"), "notice_source"),
            occurred_time=given.get("occurred_time"),
            degraded_action=own.action if own else None,
            degraded_reason=own.degraded_reasons[0] if own and own.degraded_reasons else "",
            restrictions=tuple(read_enum(Restriction, each, "restrictions") for each in given.get("restrictions", ())),
            ground=_read(Ground, given.get("ground"), "ground"),
            corrects=given.get("corrects", ""),
            reference=given.get("reference", ""),
            items=given.get("items", 1),
            misuse=_read(Misuse, given.get("misuse"), "misuse"),
            authority=given.get("authority", ""),
            restricted_until=given.get("restricted_until"),
            account_type=_read(AccountType, given.get("account_type"), "account_type"),
            territories=tuple(given.get("territories", ())),
            taxon_group=given.get("taxon_group", ""),
            outcome_id=given.get("outcome_id") or str(uuid7()),
        )


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """Result of one outcome."""

    outcome_id: str
    duplicate: bool = False
    """It was recorded before; nothing changed."""
    error: WildgateError | None = None
    """Why it was not recorded."""


def _read(kind: type[E], value: str | None, name: str) -> E | None:
    return None if value is None else read_enum(kind, value, name)


def _request_id(subject: Decision | str) -> str:
    return subject.request_id if isinstance(subject, Decision) else str(subject)
