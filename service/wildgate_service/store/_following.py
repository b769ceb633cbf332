"""What followed decisions: every outcome with the decision or answer that it is about, for those who learn from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from wildgate_service.outcomes import Following, Means, OutcomeKind
from wildgate_service.record import read_payload
from wildgate_service.store import _facets
from wildgate_service.store._database import Database
from wildgate_service.store._groups import payload_at
from wildgate_service.types import Action

EPOCH = datetime.fromtimestamp(0, UTC)

# An outcome names its decision, or a request that one may have been made on.
FOLLOWING = """
SELECT
    o.tenant, o.kind, o.means, o.occurred_time, o.recorded_time, o.outcome_id, o.degraded_action,
    coalesce(d.request_id, r.request_id, o.request_id), coalesce(d.listing_id, r.listing_id, ''),
    coalesce(d.facets, r.facets), coalesce(d.position, r.position)
FROM outcomes_in_force AS o
LEFT JOIN decisions AS d ON d.decision_id = o.decision_id
LEFT JOIN decisions AS r ON o.decision_id = '' AND r.tenant = o.tenant AND r.request_id = o.request_id
WHERE :tenant IS NULL OR o.tenant = :tenant
ORDER BY o.tenant, o.outcome_id
"""


def following(database: Database, tenant: str | None) -> Iterator[Following]:
    """All outcomes of a tenant (None: of all)."""
    facets = _facets.by_id(database)
    for owner, kind, means, occurred, recorded, outcome_id, degraded, request_id, listing_id, known, position in database.execute(
        FOLLOWING, {"tenant": tenant}
    ):
        of = facets.get(known)
        asked = (of.shadow_action if of.shadow else of.action) if of else degraded
        yield Following(
            tenant=owner,
            outcome_id=outcome_id,
            kind=OutcomeKind(kind),
            means=Means(means),
            order=(occurred, recorded, outcome_id),
            request_id=request_id,
            listing_id=listing_id,
            asked=Action(asked) if asked else None,
            language=of.language if of else "",
            content_kind=of.content_kind if of else "",
            groups=of.taxon_groups if of else (),
            position=position or 0,
        )


def fingerprint_at(database: Database, position: int) -> str:
    """The keyed hash of the text that was decided on; "" if it was erased."""
    payload = payload_at(database, position)
    return read_payload(payload).fingerprint if payload else ""
