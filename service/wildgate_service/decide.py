"""Decide: from a score and its evidence to what the platform is asked to do, by policy.

BLOCK needs lexicon evidence and a score over its threshold; the classifier alone asks for REVIEW at most. Legal-trade cues, an unreviewed
code word alone, and a benign context near a strong match turn BLOCK into REVIEW, never into ALLOW.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from wildgate_service.classify import Routing
from wildgate_service.fuse import speaks_of_trade
from wildgate_service.match.tables import lists_in_force
from wildgate_service.types import (
    Action,
    Classification,
    ContentKind,
    Decision,
    Level,
    Listing,
    Match,
    Matches,
    RuleKind,
    Score,
    Taxon,
    Versions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wildgate_service.match.tables import CompiledLexicon, Listed

MOST_SURFACES = 4
LONGEST_SURFACE = 80
WITHHELD = "…"  # for the words of a restricted rule: a reason is read by people who may not read the rule
CITES = "CITES"
ENCODER_MISSING = "encoder_missing"
UNREADABLE = "encoder_unreadable_language"
HURRIED = "encoder_skipped_for_deadline"


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Probabilities from which a person looks, and from which the listing is refused; None: as in the wider scope."""

    review: float | None = None
    block: float | None = None


Scope = tuple[Limits, dict[str, Limits]]


class Thresholds(Struct, frozen=True):
    """Limits by scope; the later of default, group, market, market's group, tenant and tenant's group wins."""

    default: Limits
    groups: dict[str, Limits]
    markets: dict[str, Scope]
    tenants: dict[str, Scope]

    def of(self, group: str, market: str, tenant: str) -> tuple[float, float]:
        """(review, block) for one taxon group."""
        review, block = self.default.review or 0.0, self.default.block or 0.0
        for limits in self._layers(group, market, tenant):
            review = review if limits.review is None else limits.review
            block = block if limits.block is None else limits.block
        return review, block

    def _layers(self, group: str, market: str, tenant: str) -> Iterable[Limits]:
        yield self.groups.get(group, Limits())
        for scope in (self.markets.get(market), self.tenants.get(tenant)):
            if scope:
                yield scope[0]
                yield scope[1].get(group, Limits())


class Policy(Struct, frozen=True):
    """What to do with a score, and what to say. Read from a file by `policy.load_policy`."""

    version: str
    thresholds: Thresholds
    shadow: bool
    shadow_markets: dict[str, bool]
    shadow_tenants: dict[str, bool]
    reasons: dict[str, str]
    notices: dict[str, dict[str, str]]
    routing: Routing = Routing()

    def is_shadow(self, market: str, tenant: str) -> bool:
        """Whether decisions are only recorded, not asked for."""
        return self.shadow_tenants.get(tenant, self.shadow_markets.get(market, self.shadow))


def decide(
    listing: Listing,
    matches: Matches,
    classification: Classification,
    score: Score,
    policy: Policy,
    lexicon: CompiledLexicon,
    *,
    tenant: str,
    versions: Versions,
) -> Decision:
    """The decision on a listing."""
    action = _action(listing, matches, score, policy, tenant)
    shadow = policy.is_shadow(listing.market, tenant)
    asked = Action.ALLOW if shadow else action
    shown = _shown(matches)
    return Decision(
        action=asked,
        shadow_action=action,
        shadow=shadow,
        score=round(score.value, 6),
        language=classification.language,
        taxa=_taxa(matches.taxa, lexicon, listing),
        matches=shown,
        evidence=score.evidence,
        reason=_reason(action, matches, score, policy),
        notice=_notice(asked, classification.language, policy),
        versions=versions,
        degraded_reasons=_degraded(classification),
    )


def _action(listing: Listing, matches: Matches, score: Score, policy: Policy, tenant: str) -> Action:
    """The strictest action that the groups found ask for.

    A listing or booking is an offer by its nature, so an outright form asks for review by itself; a post is one if it speaks of trade, and
    news of a seizure is never refused.
    """
    found = [match for match in matches.taxa if match.stands or match.is_faint]
    if not found:  # the models alone ask for review at most
        return Action.REVIEW if score.value >= policy.thresholds.of("", listing.market, tenant)[0] else Action.ALLOW
    groups = dict.fromkeys(group for match in found for group in match.groups)
    limits = [policy.thresholds.of(group, listing.market, tenant) for group in groups]
    by_nature = listing.content_kind is not ContentKind.SOCIAL_POST
    offers = by_nature or speaks_of_trade(matches)
    if offers and any(score.value >= block for _, block in limits) and _may_block(matches):
        return Action.BLOCK
    outright = any(match.counts and match.level is Level.ALONE and not match.weakened_by for match in found)
    if (outright and by_nature) or any(score.value >= review for review, _ in limits):
        return Action.REVIEW
    # A benign context never turns BLOCK into ALLOW. Half the way to review is margin: cutting a context out leaves traces.
    if offers and any(score.strict >= (review + block) / 2 for review, block in limits) and _may_block(matches, heed_contexts=False):
        return Action.REVIEW
    return Action.ALLOW


def _may_block(matches: Matches, *, heed_contexts: bool = True) -> bool:
    """Whether the lexicon evidence bears a refusal."""
    if any(cue.kind is RuleKind.LEGAL_TRADE_CUE for cue in matches.cues):
        return not heed_contexts
    solid = [match for match in matches.taxa if match.counts and (match.kind is not RuleKind.CODE_WORD or match.sourced)]
    if heed_contexts:
        solid = [match for match in solid if not match.weakened_by]
    return bool(solid)


def _shown(matches: Matches) -> tuple[Match, ...]:
    """Taxon matches that stand, and the cues beside them, in the order of the text. Forms that need company and have none are not shown."""
    taxa = [match for match in matches.taxa if match.stands or match.is_faint]
    if not taxa:
        return ()
    speaking = {name for match in taxa for name in (*match.explained_by, *match.weakened_by)}
    contexts = [each for each in matches.contexts if each.rule_id in speaking]
    return tuple(sorted((*taxa, *matches.cues, *contexts), key=lambda match: (match.skeleton_start, match.skeleton_end)))


def _taxa(found: tuple[Match, ...], lexicon: CompiledLexicon, listing: Listing) -> tuple[Taxon, ...]:
    """Taxa of the matches that count, strongest first; faint ones only when there are no others."""
    standing = [match for match in found if match.stands] or [match for match in found if match.is_faint]
    ranked = sorted(standing, key=lambda match: match.level is not Level.ALONE)
    keys = dict.fromkeys(taxon for match in ranked for taxon in match.taxa)
    day = (listing.posted_time or datetime.now(UTC)).date().isoformat()
    places = lexicon.places(listing.market) if listing.market else None
    rows = (lexicon.taxa[key] for key in keys)
    return tuple(Taxon(row.group, row.scientific_name, _appendix(lists_in_force(row, places, day))) for row in rows)


def _appendix(lists: tuple[Listed, ...]) -> str:
    """Appendix on the first list, CITES' by itself and a national one with its market's code: "CN I"."""
    first = lists[0] if lists else None
    if first is None or first.list == CITES:
        return first.appendix if first else ""
    return f"{first.market or first.list} {first.appendix}"


def _reason(action: Action, matches: Matches, score: Score, policy: Policy) -> str:
    found = [match for match in matches.taxa if match.stands or match.is_faint]
    if not found:
        return policy.reasons["allow" if action is Action.ALLOW else "unnamed"].format(score=f"{score.value:.2f}")
    name = {Action.ALLOW: "explained", Action.REVIEW: "review", Action.BLOCK: "block"}[action]
    if action is Action.REVIEW and any(cue.kind is RuleKind.LEGAL_TRADE_CUE for cue in matches.cues):
        name = "legal"
    elif action is Action.REVIEW and score.value < score.strict:
        name = "covered"
    surfaces = list(dict.fromkeys(WITHHELD if match.restricted else match.surface for match in found))[:MOST_SURFACES]
    return policy.reasons[name].format(
        groups=", ".join(dict.fromkeys(group.replace("_", " ") for match in found for group in match.groups)),
        surfaces=", ".join(f"“{_cut(surface)}”" for surface in surfaces),
        score=f"{score.value:.2f}",
        cues=_cues(matches),
    )


def _cut(surface: str) -> str:
    return surface if len(surface) <= LONGEST_SURFACE else f"{surface[:LONGEST_SURFACE]}…"


def _cues(matches: Matches) -> str:
    """The evasion cues in words, such as ", contact off platform"."""
    types = dict.fromkeys(cue.cue_type.replace("_", " ") for cue in matches.cues if cue.cue_type)
    return "".join(f", {name}" for name in types)


def _notice(action: Action, language: str, policy: Policy) -> str:
    if action is Action.ALLOW:
        return ""
    notices = policy.notices[action.value]
    return notices.get(language) or notices.get(language.partition("-")[0]) or notices["en"]


def _degraded(classification: Classification) -> tuple[str, ...]:
    if classification.missing:
        return (ENCODER_MISSING,)
    if classification.hurried:
        return (HURRIED,)
    return () if classification.readable else (UNREADABLE,)
