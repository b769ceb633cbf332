"""Rules on trial: what a decision would be without them, so that the platform is asked for that, and what they would do is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from wildgate_service.match.company import settle
from wildgate_service.types import Decision, Evidence, Match, Matches

if TYPE_CHECKING:
    from wildgate_service.match.tables import CompiledLexicon

RULE_IN_SHADOW = "rule_in_shadow"


def without_rules(skeleton: str, matches: Matches, rules: frozenset[str], lexicon: CompiledLexicon) -> Matches:
    """What had matched without some rules: company and contexts are worked out anew among the rest."""
    taxa = tuple(_bare(match) for match in matches.taxa if match.rule_id not in rules)
    if not taxa:
        return Matches(read_in_full=matches.read_in_full, crowded=matches.crowded)
    cues, contexts = (tuple(each for each in kind if each.rule_id not in rules) for kind in (matches.cues, matches.contexts))
    rest = settle(skeleton, taxa, cues, contexts, lexicon)
    return msgspec.structs.replace(rest, read_in_full=matches.read_in_full, crowded=matches.crowded)


def _bare(match: Match) -> Match:
    """A match without what stood beside it."""
    return msgspec.structs.replace(match, company=False, amount=False, canceled_by=(), explained_by=(), weakened_by=())


def held_back(full: Decision, live: Decision) -> Decision:
    """The full decision, of which only what the live one asks for is asked."""
    return msgspec.structs.replace(
        full,
        action=live.action,
        shadow=full.shadow or live.action is not full.shadow_action,
        notice=live.notice,
        evidence=(*full.evidence, Evidence(RULE_IN_SHADOW, 0.0)),
    )
