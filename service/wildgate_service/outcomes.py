"""Outcomes: what a platform did about a listing after its decision, and what it heard about it.

An outcome is never changed: one that was wrong is replaced by another that `corrects` it, and both are kept. What counts are the outcomes
*in force*: those that no other corrects and that were not withdrawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from wildgate_service.groups import GROUPS
from wildgate_service.types import Action

REFERENCE = re.compile(r"[A-Za-z0-9_-]{0,64}")
COUNTRY = re.compile(r"[A-Z]{2}")
MOST_ITEMS = 1_000_000
MOST_TERRITORIES = 64


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

    UNKNOWN = "unknown"
    AUTOMATED = "automated"
    MODERATOR = "moderator"


class NoticeSource(StrEnum):
    """Where a notice came from: articles 16 and 22 of Regulation (EU) 2022/2065, or elsewhere."""

    NONE = "none"
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
    """Why a restriction was imposed; UNKNOWN: as the policy's mapping says."""

    UNKNOWN = "unknown"
    ILLEGAL = "illegal"
    TERMS = "terms"


class Misuse(StrEnum):
    """What an account was suspended for (Article 23 of the same)."""

    NONE = "none"
    ILLEGAL_CONTENT = "illegal_content"
    UNFOUNDED_NOTICES = "unfounded_notices"
    UNFOUNDED_COMPLAINTS = "unfounded_complaints"


class AccountType(StrEnum):
    """Whose account posted."""

    UNKNOWN = "unknown"
    BUSINESS = "business"
    PRIVATE = "private"


# The kinds that restrict, and what they restrict unless an outcome says more; RESTRICTED does not say it by itself.
RESTRICTING: dict[OutcomeKind, tuple[Restriction, ...]] = {
    OutcomeKind.REMOVED: (Restriction.VISIBILITY_REMOVED,),
    OutcomeKind.RESTRICTED: (),
    OutcomeKind.ACCOUNT_SUSPENDED: (Restriction.ACCOUNT_SUSPENDED,),
    OutcomeKind.ACCOUNT_TERMINATED: (Restriction.ACCOUNT_TERMINATED,),
}
NOTICES = frozenset({OutcomeKind.NOTICE_RECEIVED, OutcomeKind.NOTICE_UPHELD, OutcomeKind.NOTICE_REJECTED})
ORDERS = frozenset({OutcomeKind.ORDER_RECEIVED, OutcomeKind.ORDER_CONFIRMED, OutcomeKind.ORDER_EXECUTED})


class Outcome(Struct, frozen=True, kw_only=True):
    """One thing the platform did or received; about a decision or, if that is unknown, a request.

    `restrictions` are () where `kind` says it all (`restricted` has what holds), `items` how many a notice or order names, `authority` and
    `territories` countries by ISO 3166-1 alpha-2, `restricted_until` None without end. `taxon_group` is what somebody who looked found
    offered, "" if they do not say.
    """

    tenant: str
    outcome_id: str
    kind: OutcomeKind
    occurred_time: datetime
    recorded_time: datetime
    decision_id: str = ""
    request_id: str = ""
    means: Means = Means.UNKNOWN
    notice_source: NoticeSource = NoticeSource.NONE
    degraded_action: Action | None = None
    degraded_reason: str = ""
    restrictions: tuple[Restriction, ...] = ()
    ground: Ground = Ground.UNKNOWN
    corrects: str = ""
    reference: str = ""
    items: int = 1
    misuse: Misuse = Misuse.NONE
    authority: str = ""
    restricted_until: datetime | None = None
    account_type: AccountType = AccountType.UNKNOWN
    territories: tuple[str, ...] = ()
    taxon_group: str = ""

    @property
    def restricted(self) -> tuple[Restriction, ...]:
        """What it restricts."""
        return self.restrictions or RESTRICTING.get(self.kind, ())


class Following(Struct, frozen=True, kw_only=True):
    """An outcome with what it followed.

    `asked` is the action that the policy asked for, in shadow too, or that the client took by itself; None where nobody knows.
    `order` is by time of happening, then of recording. `position` is that of the decision in the log, 0 without one.
    """

    tenant: str
    outcome_id: str
    kind: OutcomeKind
    means: Means
    order: tuple[int, int, str]
    request_id: str
    listing_id: str
    asked: Action | None
    language: str
    content_kind: str
    groups: tuple[str, ...]
    position: int


def wrong_fields(outcome: Outcome) -> Iterator[str]:
    """Names of the fields that do not go with the others."""
    if outcome.restrictions and outcome.kind not in RESTRICTING:
        yield "restrictions"
    if outcome.notice_source is not NoticeSource.NONE and outcome.kind not in NOTICES:
        yield "notice_source"
    if outcome.misuse is not Misuse.NONE and outcome.kind is not OutcomeKind.ACCOUNT_SUSPENDED:
        yield "misuse"
    if bool(outcome.authority) != (outcome.kind in ORDERS) or not COUNTRY.fullmatch(outcome.authority or "XX"):
        yield "authority"
    if outcome.corrects == outcome.outcome_id or (outcome.kind is OutcomeKind.WITHDRAWN and not outcome.corrects):
        yield "corrects"
    if not REFERENCE.fullmatch(outcome.reference):
        yield "reference"
    if not 1 <= outcome.items <= MOST_ITEMS:
        yield "items"
    if len(outcome.territories) > MOST_TERRITORIES or not all(map(COUNTRY.fullmatch, outcome.territories)):
        yield "territories"
    if outcome.taxon_group and outcome.taxon_group not in GROUPS:
        yield "taxon_group"
