"""What a policy says: limits by group, market and tenant, what is in shadow, and the sentences. Read by `policy.load_policy`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from wildgate_service.classify import DEFAULT_ROUTING, Routing
from wildgate_service.sampling import NO_SAMPLING, Sampling

NEVER = 2.0  # a threshold that no probability reaches
LONE_FORM_UNTIL = 300  # code points of a text in which one form that can mean something else bears a refusal


class Unlisted(StrEnum):
    """What becomes of a taxon that no list in force in the listing's market names."""

    ALLOW = "allow"  # it asks for nothing
    REVIEW = "review"  # for a person at most
    AS_LISTED = "as_listed"  # for what it would if it were listed


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Probabilities from which a person looks, and from which the listing is refused; None: as in the wider scope."""

    review: float | None = None
    block: float | None = None
    unlisted: Unlisted | None = None


class Scope(Struct, frozen=True):
    """What is said of everything, of a market or union, or of a tenant; None and "" leave it to the wider scope."""

    limits: Limits = Limits()
    groups: dict[str, Limits] = {}
    shadow: bool | None = None
    shadow_rules: frozenset[str] = frozenset()
    moderator_language: str = ""


class InForce(Struct, frozen=True):
    """The limits that hold for one group in one place."""

    review: float
    block: float
    unlisted: Unlisted


class Words(Struct, frozen=True):
    """One language's words for taxon groups and for types of evasion cues; what is not there is said by its key."""

    groups: dict[str, str] = {}
    cues: dict[str, str] = {}


class Policy(Struct, frozen=True):
    """What to do with a score, and what to say.

    `reasons` are by language and name, `notices` by action and language, `words` by language.
    """

    version: str
    everywhere: Scope
    markets: dict[str, Scope]
    tenants: dict[str, Scope]
    reasons: dict[str, dict[str, str]]
    notices: dict[str, dict[str, str]]
    words: dict[str, Words]
    lone_form_until: int = LONE_FORM_UNTIL
    routing: Routing = DEFAULT_ROUTING
    sampling: Sampling = NO_SAMPLING

    def scopes(self, market: str, unions: Mapping[str, Iterable[str]], tenant: str) -> tuple[Scope, ...]:
        """What is said of a listing's place, the widest first: everywhere, the market's unions (of `unions`), the market, the tenant."""
        if not (self.markets or self.tenants):
            return (self.everywhere,)
        there = (*(self.markets.get(place) for place in (*unions.get(market, ()), market)), self.tenants.get(tenant))
        return (self.everywhere, *(scope for scope in there if scope is not None))

    def out_of_shadow(self) -> Policy:
        """The same policy with nothing in shadow."""
        return Policy(
            self.version,
            _live(self.everywhere),
            {key: _live(scope) for key, scope in self.markets.items()},
            {key: _live(scope) for key, scope in self.tenants.items()},
            self.reasons,
            self.notices,
            self.words,
            self.lone_form_until,
            self.routing,
            self.sampling,
        )


def _live(scope: Scope) -> Scope:
    return Scope(scope.limits, scope.groups, moderator_language=scope.moderator_language)


def limits_in_force(group: str, scopes: Iterable[Scope]) -> InForce:
    """The limits for a taxon group; of two that say something the later wins, and in each its group's."""
    review, block, unlisted = 0.0, NEVER, Unlisted.ALLOW
    for scope in scopes:
        for limits in (scope.limits, scope.groups.get(group)):
            if limits is not None:
                review = review if limits.review is None else limits.review
                block = block if limits.block is None else limits.block
                unlisted = limits.unlisted or unlisted
    return InForce(review, block, unlisted)


def is_shadow(scopes: Iterable[Scope]) -> bool:
    """Whether decisions are only recorded, not asked for."""
    shadow = False
    for scope in scopes:
        shadow = shadow if scope.shadow is None else scope.shadow
    return shadow


def rules_in_shadow(scopes: Iterable[Scope]) -> frozenset[str]:
    """Ids of the rules on trial; every scope adds its own."""
    return frozenset().union(*(scope.shadow_rules for scope in scopes))


def moderator_language(scopes: Iterable[Scope]) -> str:
    """The language that reasons are written in."""
    language = "en"
    for scope in scopes:
        language = scope.moderator_language or language
    return language
