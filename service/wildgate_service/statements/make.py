"""Make the statement of reasons of a measure, or say why there is none. Pure.

What the law asks no statement for is *left out*; what cannot be said without a guess makes a statement *incomplete*. Both are listed,
neither is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from msgspec import Struct

from wildgate_service.measures import Measure
from wildgate_service.outcomes import AccountType, Ground, Means, Misuse, NoticeSource, Restriction
from wildgate_service.policy.file import PolicyFile, StatementTable
from wildgate_service.record import keyed_hash
from wildgate_service.statements.check import Wrong, check
from wildgate_service.statements.facts import StatementFacts
from wildgate_service.statements.mapping import mapped
from wildgate_service.statements.schema import ILLEGAL, TERMS, dsa_values, fields
from wildgate_service.statements.sentences import slots_of

PUID_DOMAIN = b"wildgate/statement/1\0"
UNION = "EU"

SOURCES = {
    NoticeSource.NONE: "SOURCE_VOLUNTARY",
    NoticeSource.ARTICLE_16: "SOURCE_ARTICLE_16",
    NoticeSource.TRUSTED_FLAGGER: "SOURCE_TRUSTED_FLAGGER",
    NoticeSource.OTHER: "SOURCE_TYPE_OTHER_NOTIFICATION",
}
END_DATES = {
    "visibility": "end_date_visibility_restriction",
    "monetary": "end_date_monetary_restriction",
    "provision": "end_date_service_restriction",
    "account": "end_date_account_restriction",
}

ORDERED = "an authority's order was before it, and no statement is owed for those (Article 17(5))"
NOT_ABOUT_CONTENT = "the account was suspended for notices or complaints, not for content (Article 23(2))"
OUTSIDE = "the listing or the restriction was outside the European Economic Area"
NO_PLATFORM = "content of this kind is on no online platform (policy, statements.content_types)"


class Complete(Struct, frozen=True, kw_only=True):
    """A statement that can be sent; `day` is that on which the restriction was applied."""

    day: date
    outcome_id: str
    statement: dict[str, Any]


class Incomplete(Struct, frozen=True, kw_only=True):
    """A statement that is owed and cannot be sent: what is missing or wrong, by field."""

    day: date
    outcome_id: str
    wrong: tuple[Wrong, ...]


class LeftOut(Struct, frozen=True, kw_only=True):
    """A measure that no statement is owed for, and why."""

    day: date
    outcome_id: str
    reason: str


Made = Complete | Incomplete | LeftOut


def make(facts: StatementFacts, policy: PolicyFile, tenant_key: bytes) -> Made:
    """The statement of one measure. The same facts, policy and key give the same one."""
    day, outcome_id = _day(facts.measure.occurred_time), facts.measure.outcome_id
    if reason := _left_out(facts.measure, policy.statements):
        return LeftOut(day=day, outcome_id=outcome_id, reason=reason)
    missing = tuple(_missing(facts, policy))
    if missing:
        return Incomplete(day=day, outcome_id=outcome_id, wrong=missing)
    statement = _statement(facts, policy, puid_of(facts.first_outcome_id, tenant_key))
    if wrong := check(statement):
        return Incomplete(day=day, outcome_id=outcome_id, wrong=tuple(wrong))
    return Complete(day=day, outcome_id=outcome_id, statement=statement)


def puid_of(first_outcome_id: str, tenant_key: bytes) -> str:
    """The statement's id on the platform: a keyed hash, so that it tells nothing, the same whatever corrected the outcome since."""
    return keyed_hash(tenant_key, PUID_DOMAIN + first_outcome_id.encode())


# --- whether ---------------------------------------------------------------------------------------


def _left_out(measure: Measure, table: StatementTable) -> str:
    """Why no statement is owed; "" if one is."""
    if measure.ordered:
        return ORDERED
    if measure.misuse in {Misuse.UNFOUNDED_NOTICES, Misuse.UNFOUNDED_COMPLAINTS}:
        return NOT_ABOUT_CONTENT
    kind = measure.subject.content_kind
    if kind and not getattr(table.content_types, kind):
        return NO_PLATFORM
    return "" if _is_inside(measure, table) else OUTSIDE


def _is_inside(measure: Measure, table: StatementTable) -> bool:
    area = {*dsa_values()["territorial_scope"], UNION, ""}
    if measure.territories:
        return not area.isdisjoint(measure.territories)
    return table.markets == "all" or measure.subject.market in area


def _missing(facts: StatementFacts, policy: PolicyFile) -> Iterator[Wrong]:
    """What was not recorded, and nobody may guess."""
    measure, subject = facts.measure, facts.measure.subject
    yield from _unclear_restrictions(measure.restrictions)
    if measure.means is Means.UNKNOWN:
        yield Wrong("automated_decision", "the outcome does not say by whose means it was applied; correct it with `means`")
    if not subject.content_kind:
        yield Wrong("content_type", "there is no decision on the listing: the service was out of reach, and its kind is not recorded")
    if not (facts.posted_time or subject.decided_time):
        yield Wrong("content_date", "there is no decision on the listing, and no time at which it was posted")
    if not subject.groups and policy.statements.without_group == "incomplete":
        yield Wrong(
            "category", "no taxon group was found in the listing, so it may be about something else (policy, statements.without_group)"
        )
    else:
        yield from _unclear_ground(facts, policy)


def _unclear_restrictions(restrictions: tuple[Restriction, ...]) -> Iterator[Wrong]:
    if not restrictions:
        yield Wrong("decision_visibility", "the outcome does not say what was restricted; correct it with `restrictions`")
    for dimension in ("monetary", "provision", "account"):
        if sum(restriction.startswith(f"{dimension}_") for restriction in restrictions) > 1:
            yield Wrong(f"decision_{dimension}", "the outcome names two restrictions of this kind, and a statement has room for one")


def _unclear_ground(facts: StatementFacts, policy: PolicyFile) -> Iterator[Wrong]:
    measure = facts.measure
    ground = mapped(measure.subject.groups, facts.goods, measure.ground, policy).ground
    if ground == TERMS and not policy.statements.terms_ground:
        yield Wrong("incompatible_content_ground", "the policy names no clause of the terms and conditions (statements.terms_ground)")
    if ground == ILLEGAL and measure.ground is Ground.UNKNOWN and not any(measure.subject.appendices):
        yield Wrong("decision_ground", "no list in force names what was found, so it is not known to be illegal; correct it with `ground`")


# --- what ------------------------------------------------------------------------------------------


def _statement(facts: StatementFacts, policy: PolicyFile, puid: str) -> dict[str, Any]:
    """The statement's fields in the database's order, without those that say nothing."""
    measure, table = facts.measure, policy.statements
    automated = _automated_decision(measure, table)
    slots = slots_of(facts, automated)
    said = {
        **_restrictions(measure),
        **_ground(facts, policy, slots),
        "account_type": _account_type(measure.account_type),
        "content_type": sorted(getattr(table.content_types, measure.subject.content_kind)),
        "territorial_scope": sorted(set(measure.territories or table.territorial_scope) & set(dsa_values()["territorial_scope"])),
        "content_language": _language(measure.subject.language),
        "content_date": _day(facts.posted_time or measure.subject.decided_time or measure.occurred_time).isoformat(),
        "application_date": _day(measure.occurred_time).isoformat(),
        "decision_facts": table.facts.format(**slots),
        "source_type": SOURCES[measure.source],
        "automated_detection": "Yes" if measure.found_by_software else "No",
        "automated_decision": automated,
        "puid": puid,
    }
    return {name: said[name] for name in fields() if said.get(name)}


def _restrictions(measure: Measure) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for restriction in sorted(measure.restrictions):
        dimension, _, rest = restriction.value.partition("_")
        if dimension == "visibility":
            said.setdefault("decision_visibility", []).append(f"DECISION_VISIBILITY_CONTENT_{rest.upper()}")
        else:
            said[f"decision_{dimension}"] = f"DECISION_{restriction.value.upper()}"
        if measure.restricted_until:
            said[END_DATES[dimension]] = _day(measure.restricted_until).isoformat()
    return said


def _ground(facts: StatementFacts, policy: PolicyFile, slots: dict[str, str]) -> dict[str, Any]:
    table = policy.statements
    told = mapped(facts.measure.subject.groups, facts.goods, facts.measure.ground, policy)
    said = {
        "decision_ground": told.ground,
        "category": told.category,
        "category_addition": list(told.additions),
        "category_specification": list(told.keywords),
    }
    if told.ground == ILLEGAL:
        return said | {
            "decision_ground_reference_url": table.legal_url,
            "illegal_content_legal_ground": table.legal_ground,
            "illegal_content_explanation": table.legal_explanation.format(**slots),
        }
    return said | {
        "decision_ground_reference_url": table.terms_url,
        "incompatible_content_ground": table.terms_ground,
        "incompatible_content_explanation": table.terms_explanation.format(**slots),
    }


def _automated_decision(measure: Measure, table: StatementTable) -> str:
    if measure.means is Means.AUTOMATED:
        return "AUTOMATED_DECISION_FULLY"
    return table.moderator_after_software if measure.found_by_software else "AUTOMATED_DECISION_NOT_AUTOMATED"


def _account_type(account_type: AccountType) -> str:
    return "" if account_type is AccountType.UNKNOWN else f"ACCOUNT_TYPE_{account_type.upper()}"


def _language(language: str) -> str:
    """The code of the language without script or region, if it is one that the database knows."""
    code = language.partition("-")[0].upper()
    return code if code in dsa_values()["content_language"] else ""


def _day(time: datetime) -> date:
    return time.astimezone(UTC).date()
