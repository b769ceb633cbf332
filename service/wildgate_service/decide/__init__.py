"""Decide: from a score and its evidence to what the platform is asked to do, by policy.

BLOCK needs lexicon evidence and a score over its threshold; the classifier alone asks for REVIEW at most. Legal-trade cues, an unreviewed
code word alone, a benign context near a strong match, and that one form with other meanings is all that a long text has, turn BLOCK into
REVIEW, never into ALLOW. What no list in force in the listing's
market names asks for what the policy says of `unlisted`. A text crowded with what may be disguises is not allowed unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from wildgate_service.decide.policy import NEVER, Policy, is_shadow, limits_in_force, moderator_language
from wildgate_service.decide.protection import Asked, Lists, asked_of, is_listed, lists_of, taxa_of
from wildgate_service.decide.sentences import name_of_reason, notice_of, reason_of
from wildgate_service.fuse import EVEN, speaks_of_trade
from wildgate_service.match.company import is_disguised
from wildgate_service.match.neighbors import overlap
from wildgate_service.match.views import GUESSED
from wildgate_service.model.heads import GROUP
from wildgate_service.types import (
    Action,
    Classification,
    ContentKind,
    Decision,
    Evidence,
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
    from wildgate_service.match.tables import CompiledLexicon

SURELY_NONE = 0.25  # probability of an offer under which the encoder surely sees none
ENCODER_MISSING = "encoder_missing"
UNREADABLE = "encoder_unreadable_language"
SKIPPED = "encoder_skipped_for_{why}"
PARTLY_READ = "disguises_partly_read"
UNLISTED = "on_no_list_in_force"
LONE_FORM = "lone_form_in_long_text"
LIKELY = "reads_like_{group}"
LIKELY_FROM = 0.5  # probability of a group
OUTRIGHT = 0.5  # of the score that review needs, where a form that has no innocent reading stands in a listing
_NOTHING_NAMED = {Action.ALLOW: "allow", Action.REVIEW: "unnamed"}


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
    scopes = policy.scopes(listing.market, lexicon.unions, tenant)
    found = [match for match in matches.taxa if match.stands or match.is_faint]
    taxa: tuple[Taxon, ...] = ()
    shown: tuple[Match, ...] = ()
    told: tuple[Evidence, ...] = ()
    if found:
        lists = lists_of(found, listing, lexicon)
        asked = asked_of(found, lists, lexicon, scopes)
        longest = policy.lone_form_until
        action = _action(listing, matches, classification, score, asked, longest)
        name = name_of_reason(action, matches, score, unlisted=_asks_too_little(asked))
        taxa, shown = taxa_of(found, lists, lexicon), _shown(found, matches)
        told = (*_told_of_lists(found, lists), *_told_of_length(found, listing, longest))
    else:
        group = likely_group(classification)
        action = Action.REVIEW if score.value >= limits_in_force(group, scopes).review else Action.ALLOW  # models alone never refuse
        name = _NOTHING_NAMED[action]
        told = (Evidence(LIKELY.format(group=group), 0.0),) if group and action is Action.REVIEW else ()
    if action is Action.ALLOW and matches.crowded:
        action, name = Action.REVIEW, "crowded"
    shadow = is_shadow(scopes)
    live = Action.ALLOW if shadow else action
    return Decision(
        action=live,
        shadow_action=action,
        shadow=shadow,
        score=round(score.value, 6),
        language=classification.language,
        taxa=taxa,
        matches=shown,
        evidence=(*score.evidence, *told),
        reason=reason_of(name, found, matches, score, listing, policy, moderator_language(scopes)),
        notice=notice_of(live, classification.language, listing.market, policy),
        versions=versions,
        degraded_reasons=tuple(_degraded(classification, matches)),
        sampling_rate=policy.sampling.rate_of(
            (*lexicon.unions.get(listing.market, ()), listing.market), classification.language, (taxon.group for taxon in taxa)
        ),
    )


def likely_group(classification: Classification) -> str:
    """The taxon group that the encoder's heads find likelier than not, of a text in which no form names one; "" if there is none."""
    groups = {name: value for name, value in classification.probabilities.items() if name.startswith(GROUP) and value >= LIKELY_FROM}
    return max(groups, key=groups.__getitem__).removeprefix(GROUP) if groups else ""


def _asks_too_little(asked: Asked) -> bool:
    """Whether every match asks for less than it would if a list in force named it."""
    return all(block == NEVER for _, limits in asked for _, block in limits)


def _told_of_lists(found: list[Match], lists: Lists) -> tuple[Evidence, ...]:
    return () if all(is_listed(match, lists) for match in found) else (Evidence(UNLISTED, 0.0),)


def _told_of_length(found: list[Match], listing: Listing, longest: int) -> tuple[Evidence, ...]:
    counting = [match for match in found if match.counts]
    return (Evidence(LONE_FORM, 0.0),) if counting and _length(listing) > longest and not _is_sure(counting) else ()


def _action(listing: Listing, matches: Matches, classification: Classification, score: Score, asked: Asked, longest: int) -> Action:
    """The strictest action that the groups found ask for.

    A listing or booking is an offer by its nature, so an outright form asks for review with half the score that is else needed; a post is
    one if it speaks of trade, and news of a seizure is never refused. In a text of more than `longest` code points a refusal needs
    more than one form that can mean something else.
    """
    limits = [each for _, of_match in asked for each in of_match]
    by_nature = listing.content_kind is not ContentKind.SOCIAL_POST
    offers = by_nature or speaks_of_trade(matches)
    lone = _length(listing) <= longest
    if offers and any(score.value >= block for _, block in limits) and _may_block(asked, matches, lone=lone):
        return Action.BLOCK
    outright = any(match.counts and match.level is Level.ALONE and not match.weakened_by for match, _ in asked)
    share = OUTRIGHT if outright and by_nature else 1.0
    if any(score.value >= share * review for review, _ in limits):
        return Action.REVIEW
    # A benign context never turns BLOCK into ALLOW. Half the way to review is margin: cutting a context out leaves traces.
    sells = offers and not _reads_as_talk(matches, classification)
    strictly = any(score.strict >= (review + block) / 2 for review, block in limits)
    if sells and strictly and _may_block(asked, matches, heed_contexts=False):
        return Action.REVIEW
    return Action.ALLOW


def _reads_as_talk(matches: Matches, classification: Classification) -> bool:
    """Whether the models take the text for talk, the encoder with its benign contexts cut out: no phrase added to an offer does that.

    Of a disguised form they have read nothing.
    """
    if any(map(is_disguised, matches.taxa)):
        return False
    strict = classification.strict_probabilities
    return strict.get("wildlife_offer", EVEN) < SURELY_NONE and strict.get("sale", EVEN) < EVEN and classification.sale_screen < 0


def _may_block(asked: Asked, matches: Matches, *, heed_contexts: bool = True, lone: bool = True) -> bool:
    """Whether the lexicon evidence bears a refusal; a `lone` form with other meanings does, if nothing else is found."""
    if any(cue.kind is RuleKind.LEGAL_TRADE_CUE for cue in matches.cues):
        return not heed_contexts
    refusing = (match for match, limits in asked if any(block != NEVER for _, block in limits))
    solid = [match for match in refusing if match.counts and (match.kind is not RuleKind.CODE_WORD or match.sourced)]
    solid = [match for match in solid if not set(match.views) >= GUESSED]
    if heed_contexts:
        solid = [match for match in solid if not match.weakened_by]
    return bool(solid) if lone else _is_sure(solid)


def _is_sure(found: list[Match]) -> bool:
    """Whether one of the forms has no innocent reading, or two stand, where each stands first, in two places."""
    if any(match.level is Level.ALONE for match in found):
        return True
    firsts = {match.form: match for match in reversed(found)}.values()
    return any(not overlap(one, other) for one, other in combinations(firsts, 2))


def _length(listing: Listing) -> int:
    return len(listing.title) + len(listing.description)


def _shown(found: list[Match], matches: Matches) -> tuple[Match, ...]:
    """Taxon matches that stand, and the cues beside them, in the order of the text. Forms that need company and have none are not shown."""
    speaking = {name for match in found for name in (*match.explained_by, *match.weakened_by)}
    contexts = [each for each in matches.contexts if each.rule_id in speaking]
    return tuple(sorted((*found, *matches.cues, *contexts), key=lambda match: (match.skeleton_start, match.skeleton_end)))


def _degraded(classification: Classification, matches: Matches) -> Iterator[str]:
    """What was missing."""
    if classification.missing:
        yield ENCODER_MISSING
    elif classification.skipped_for:
        yield SKIPPED.format(why=classification.skipped_for)
    elif not classification.readable:
        yield UNREADABLE
    if not matches.read_in_full:
        yield PARTLY_READ
