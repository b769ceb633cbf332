"""Company: what stands beside a match decides whether it counts.

A form that needs company has it in a trade cue, an evasion cue or another taxon rule. A benign context explains a match away when the
match lies inside the context's own form ("ivory coast"), or stands near it while nothing else in the text speaks of a sale in hiding.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from wildgate_service.match.repeated import BLOCKS
from wildgate_service.match.tables import EVERY_GROUP
from wildgate_service.match.views import FEWEST_LETTERS, ORDINARY
from wildgate_service.types import CUES, Level, Match, Matches, RuleKind

if TYPE_CHECKING:
    from wildgate_service.match.tables import CompiledLexicon, RuleRow

NOBODYS = frozenset({"la", "zxx"})  # Latin names and emoji stand in texts of any language
# Vowel and tone signs of Thai, Hindi and their like: no letters to `\w`, but parts of words.
SIGNS = "".join(chr(point) for block in BLOCKS for point in range(*block) if unicodedata.category(chr(point)) in {"Mn", "Mc"})
LETTER = rf"(?:[^\W\d_]|[{SIGNS}])"
ONE_PHRASE = re.compile(rf"{LETTER}*(?:[ '-]+{LETTER}+)*[ '-]*")
AMOUNT = "amount"  # cue_type of prices and weights: weaker company than words of trade
ANYWHERE = 1 << 30
Phrases = dict[tuple[str, str], dict[str, None]]
Tongues = dict[tuple[int, int], set[str]]


def settle(
    skeleton: str,
    taxa: tuple[Match, ...],
    cues: tuple[Match, ...],
    contexts: tuple[Match, ...],
    lexicon: CompiledLexicon,
) -> Matches:
    """The matches with company and contexts worked out."""
    rows = lexicon.rows
    contexts = _without_those_in_cues(contexts, cues)
    cues = _without_denied_sales(_without_denied_papers(cues), contexts)
    inside = [_explained_inside(match, contexts, rows) for match in taxa]
    standing = [match for match in inside if not match.canceled_by]
    tongues = _tongues(inside)
    near = [_explained_near(skeleton, match, standing, cues, contexts, rows, tongues) for match in inside]
    phrases = _phrases_of(inside)
    near = [_explained_elsewhere(match, phrases) for match in near]
    return Matches(
        taxa=tuple(_with_company(match, standing, cues, lexicon) for match in near),
        cues=cues,
        contexts=contexts,
    )


def _without_denied_papers(cues: tuple[Match, ...]) -> tuple[Match, ...]:
    """The cues without papers that are named only to say that there are none: "no CITES papers"."""
    evasions = [cue for cue in cues if cue.kind is RuleKind.EVASION_CUE]
    return tuple(cue for cue in cues if cue.kind is not RuleKind.LEGAL_TRADE_CUE or not any(_overlap(cue, each) for each in evasions))


def _without_denied_sales(cues: tuple[Match, ...], contexts: tuple[Match, ...]) -> tuple[Match, ...]:
    """The cues without words of trade inside a longer context, which means something else: "not for sale", "black market price"."""
    trade = RuleKind.TRADE_CUE
    return tuple(cue for cue in cues if cue.kind is not trade or not any(_is_part(cue, each) for each in contexts))


def _without_those_in_cues(contexts: tuple[Match, ...], cues: tuple[Match, ...]) -> tuple[Match, ...]:
    """The contexts but for those inside a longer cue, which means something else: "not a replica", "cage included"."""
    return tuple(each for each in contexts if not any(_is_part(each, cue) for cue in cues))


def _is_part(one: Match, other: Match) -> bool:
    """Whether one match lies inside another that is longer."""
    inside = other.skeleton_start <= one.skeleton_start and one.skeleton_end <= other.skeleton_end
    return inside and other.skeleton_end - other.skeleton_start > one.skeleton_end - one.skeleton_start


def is_disguised(match: Match) -> bool:
    """Whether reading the match took undoing a disguise that ordinary writers do not use."""
    return any(view not in ORDINARY for view in match.views)


def distance(one: Match, other: Match) -> int:
    """Code points of the skeleton between two matches; 0 if they touch or overlap."""
    return max(0, other.skeleton_start - one.skeleton_end, one.skeleton_start - other.skeleton_end)


def _explained_inside(match: Match, contexts: Iterable[Match], rows: dict[str, RuleRow]) -> Match:
    """The match with the contexts whose own form it lies in."""
    names = [
        context.rule_id
        for context in contexts
        if context.skeleton_start <= match.skeleton_start
        and match.skeleton_end <= context.skeleton_end
        and _speaks_of(rows[context.rule_id].cancels, match)
    ]
    return msgspec.structs.replace(match, canceled_by=tuple(dict.fromkeys(names))) if names else match


def _explained_near(
    skeleton: str,
    match: Match,
    standing: list[Match],
    cues: tuple[Match, ...],
    contexts: tuple[Match, ...],
    rows: dict[str, RuleRow],
    tongues: Tongues,
) -> Match:
    """The match with the contexts near it: explained if it is weak and nothing else speaks against, else weakened."""
    if match.canceled_by or not contexts:
        return match
    near = [(context, rows[context.rule_id]) for context in contexts if _same_tongue(context, match, tongues)]
    canceling = [context for context, row in near if 0 < row.cancels_within >= distance(match, context) and _speaks_of(row.cancels, match)]
    if match.level is not Level.ALONE and not _speaks_against(match, standing, cues):
        modifiers = _names(context for context in canceling if _modifies(skeleton, context, match))
        if modifiers:
            return msgspec.structs.replace(match, explained_by=modifiers)
    weakening = [context for context, row in near if row.weakens_within >= distance(match, context) and _speaks_of(row.weakens, match)]
    both = _names((*canceling, *weakening))
    return msgspec.structs.replace(match, weakened_by=both) if both else match


def _phrases_of(taxa: list[Match]) -> Phrases:
    """The forms that stand in innocent phrases, and the contexts that say so."""
    phrases: Phrases = {}
    for match in taxa:
        if match.canceled_by:
            phrases.setdefault((match.rule_id, match.form), {}).update(dict.fromkeys(match.canceled_by))
    return phrases


def _explained_elsewhere(match: Match, phrases: Phrases) -> Match:
    """An innocent word explained by the phrase that it stands in elsewhere: "a lute ... bring your son to hear it", one word in Arabic.

    A word has one sense in one text (Gale, Church and Yarowsky 1992, https://aclanthology.org/H92-1045). Words that usually mean wildlife
    are left to themselves: a seller may write any phrase besides.
    """
    if match.level is not Level.COMPANY_ONLY or match.canceled_by or match.explained_by or is_disguised(match):
        return match
    names = phrases.get((match.rule_id, match.form))
    return msgspec.structs.replace(match, explained_by=tuple(names)) if names else match


def _names(contexts: Iterable[Match]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(context.rule_id for context in contexts))


def _speaks_against(match: Match, standing: list[Match], cues: tuple[Match, ...]) -> bool:
    """Evasion, a disguise, or a second taxon rule: then a context near the match may be a cover word."""
    if any(cue.kind is RuleKind.EVASION_CUE for cue in cues) or any(is_disguised(each) for each in standing):
        return True
    return any(is_other(match, each) and each.level is not Level.COMPANY_ONLY for each in standing)


def _with_company(match: Match, standing: list[Match], cues: tuple[Match, ...], lexicon: CompiledLexicon) -> Match:
    """The match with the company that stands beside it, if it is what the form asks for."""
    if match.canceled_by:
        return match
    kinds, within = lexicon.requirements.get((match.rule_id, match.form), ((), 0))
    reach = within or ANYWHERE
    beside = [
        cue
        for cue in cues
        if cue.kind in (kinds or CUES) and not _overlap(match, cue) and distance(match, cue) <= reach and _speaks_to(match, cue)
    ]
    others = any(
        is_other(match, each)
        and (not kinds or each.kind in kinds)
        and each.level is not Level.COMPANY_ONLY
        and distance(match, each) <= reach
        for each in standing
    )
    company = others or any(cue.cue_type != AMOUNT for cue in beside)
    return msgspec.structs.replace(match, company=company, amount=bool(beside) and not company)


def _speaks_to(match: Match, cue: Match) -> bool:
    """Whether a cue may be company: one in a few Latin letters, as of Thai "khai", only for a form of its own language."""
    fewest = max((FEWEST_LETTERS.get(view, 0) for view in cue.views), default=0)
    return sum(map(str.isalpha, cue.surface)) >= fewest or tongue(cue.language) == tongue(match.language) or match.language in NOBODYS


def is_other(match: Match, other: Match) -> bool:
    """Whether another rule fired at another place."""
    return other.rule_id != match.rule_id and not _overlap(match, other)


def _overlap(one: Match, other: Match) -> bool:
    return one.skeleton_start < other.skeleton_end and other.skeleton_start < one.skeleton_end


def _modifies(skeleton: str, context: Match, match: Match) -> bool:
    """Whether a context stands in one phrase with a match, with nothing but words between: "faux ivory", not "ivory bangle (resin)"."""
    first, last = sorted((context, match), key=lambda each: each.skeleton_start)
    return ONE_PHRASE.fullmatch(skeleton, first.skeleton_end, max(first.skeleton_end, last.skeleton_start)) is not None


def _tongues(taxa: list[Match]) -> Tongues:
    """The languages of the rules that fired at each span: a word of several languages is explained in each of them."""
    tongues: dict[tuple[int, int], set[str]] = {}
    for match in taxa:
        tongues.setdefault((match.skeleton_start, match.skeleton_end), set()).add(tongue(match.language))
    return tongues


def _same_tongue(context: Match, match: Match, tongues: Tongues) -> bool:
    """Whether a context near a match is in its language: "game" explains a Vietnamese name, not an English rhino."""
    return match.language in NOBODYS or tongue(context.language) in tongues[match.skeleton_start, match.skeleton_end]


def tongue(language: str) -> str:
    """The language without its script; Malay counts as Indonesian, whose words it shares."""
    base = language.partition("-")[0]
    return "id" if base == "ms" else base


def _speaks_of(groups: tuple[str, ...], match: Match) -> bool:
    return any(group == EVERY_GROUP or group in match.groups for group in groups)
