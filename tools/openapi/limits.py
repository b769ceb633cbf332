"""What the descriptors do not say: limits, forms and needs of fields, each taken from the code that enforces it."""

from __future__ import annotations

from typing import Any

from wildgate_service.groups import GROUPS
from wildgate_service.outcomes import COUNTRY, MOST_ITEMS, MOST_TERRITORIES, REFERENCE
from wildgate_service.pipeline import ATTRIBUTES_LIMIT, DESCRIPTION_LIMIT, SHORT_LIMIT, TITLE_LIMIT
from wildgate_service.rpc.lexicon import MAX_YAML_BYTES
from wildgate_service.rpc.scoring import MAX_CORRELATION_ID, MAX_ITEMS
from wildgate_service.rpc.transparency import MAX_OUTCOMES, MAX_STATEMENTS, PAGE_TOKEN
from wildgate_service.tags import LANGUAGE, MARKET
from wildgate_service.wire import UUID
from wildgate_service.wire_transparency import DEGRADED_REASONS, RESTRICTIONS

Schema = dict[str, Any]


def _form(pattern: str, *, empty: bool = True) -> Schema:
    return {"pattern": f"^({pattern})?$" if empty else f"^({pattern})$"}


SHORT: Schema = {"maxLength": SHORT_LIMIT}
ID = _form(UUID.pattern)
NEEDED_ID = _form(UUID.pattern, empty=False)
DAY: Schema = {"format": "date"}

FIELDS: dict[str, Schema] = {
    "Attribute.name": SHORT,
    "Attribute.value": SHORT,
    "Listing.listing_id": SHORT | {"pattern": "^[^\\u0000]*$"},
    "Listing.title": {"maxLength": TITLE_LIMIT},
    "Listing.description": {"maxLength": DESCRIPTION_LIMIT},
    "Listing.attributes": {"maxItems": ATTRIBUTES_LIMIT},
    "Listing.category": SHORT,
    "Listing.language": _form(LANGUAGE.pattern),
    "Listing.market": _form(MARKET.pattern),
    "Listing.seller_ref": SHORT,
    "ScoreListingRequest.request_id": ID,
    "BatchItem.correlation_id": {"maxLength": MAX_CORRELATION_ID},
    "BatchItem.request_id": ID,
    "BatchScoreListingsRequest.items": {"maxItems": MAX_ITEMS},
    "RecordOutcomesRequest.outcomes": {"maxItems": MAX_OUTCOMES},
    "Outcome.outcome_id": NEEDED_ID,
    "Outcome.decision_id": NEEDED_ID,
    "Outcome.request_id": NEEDED_ID,
    "Outcome.degraded_reason": {"enum": sorted(DEGRADED_REASONS)},
    "Outcome.restrictions": {"maxItems": len(RESTRICTIONS)},
    "Outcome.corrects": ID,
    "Outcome.reference": _form(REFERENCE.pattern, empty=False),
    "Outcome.items": {"maximum": MOST_ITEMS},
    "Outcome.authority": _form(COUNTRY.pattern),
    "Outcome.territories": {"maxItems": MOST_TERRITORIES},
    "Outcome.taxon_group": {"enum": ["", *sorted(GROUPS)]},
    "GetTransparencyReportRequest.start_date": DAY,
    "GetTransparencyReportRequest.end_date": DAY,
    "ExportStatementsOfReasonsRequest.date": DAY,
    "ExportStatementsOfReasonsRequest.page_size": {"maximum": MAX_STATEMENTS},
    "ExportStatementsOfReasonsRequest.page_token": _form(PAGE_TOKEN.pattern),
    "ValidateRulesRequest.yaml": {"maxLength": MAX_YAML_BYTES},
    "Decision.score": {"minimum": 0, "maximum": 1},
}
NEEDED: dict[str, tuple[str, ...]] = {
    "ScoreListingRequest": ("listing",),
    "BatchItem": ("listing",),
    "Outcome": ("outcomeId", "kind"),
    "GetTransparencyReportRequest": ("startDate", "endDate"),
    "ExportStatementsOfReasonsRequest": ("date",),
}
# Numbers and words that the contract has for "not said" and a request may not say.
NEVER = {"OUTCOME_KIND_UNSPECIFIED", "RESTRICTION_UNSPECIFIED"}
