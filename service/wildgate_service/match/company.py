"""Company: what stands beside a match decides whether it counts.

A form that needs company has it in a trade cue, an evasion cue or another taxon rule. A benign context explains a match away when the
match lies inside the context's own form ("ivory coast"), or stands near it while nothing else in the text speaks of a sale in hiding.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from wildgate_service.match.neighbors import Neighbors, distance, overlap
from wildgate_service.match.repeated import BLOCKS
from wildgate_service.match.tables import EVERY_GROUP
from wildgate_service.match.thin import FARTHEST
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
Kinds = tuple[RuleKind, ...]


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
    placed = Neighbors(contexts)
    cues = _without_denied_sales(_without_denied_papers(cues), placed)
    inside = [_explained_inside(match, placed, rows) for match in taxa]
    beside = _Beside([match for match in inside if not match.canceled_by], cues)
    tongues = _tongues(inside)
    near = [_explained_near(skeleton, match, beside, placed, rows, tongues) for match in inside]
    phrases = _phrases_of(inside)
    near = [_explained_elsewhere(match, phrases) for match in near]
    return Matches(
        taxa=tuple(_with_company(match, beside, lexicon) for match in near),
        cues=cues,
        contexts=contexts,
    )


class _Beside:
    """What stands in a text beside its matches, sorted so that one of thousands learns of its company without looking at all."""

    def __init__(self, standing: list[Match], cues: tuple[Match, ...]) -> None:
        self.speaks_of_hiding = any(cue.kind is RuleKind.EVASION_CUE for cue in cues) or any(map(is_disguised, standing))
        self._loud = [each for each in standing if each.level is not Level.COMPANY_ONLY]
        self._loud_of: dict[Kinds, tuple[Neighbors, Counter[str]]] = {}
        groups = defaultdict[_Sort, list[Match]](list)
        for cue in cues:
            groups[_sort_of(cue)].append(cue)
        self._cues = {sort: Neighbors(group) for sort, group in groups.items()}

    def has_other(self, match: Match, kinds: Kinds = (), reach: int = ANYWHERE) -> bool:
        """Whether another rule of some kinds (default: any) fired at another place within reach."""
        if kinds not in self._loud_of:
            chosen = [each for each in self._loud if not kinds or each.kind in kinds]
            self._loud_of[kinds] = Neighbors(chosen), Counter(each.rule_id for each in chosen)
        neighbors, rules = self._loud_of[kinds]
        if reach < ANYWHERE:
            return any(is_other(match, each) for each in neighbors.near(match, reach))
        covered = sum(each.rule_id != match.rule_id for each in neighbors.overlapping(match))
        return len(neighbors) - rules[match.rule_id] > covered

    def has_cue(self, match: Match, kinds: Kinds, reach: int, *, amount: bool) -> bool:
        """Whether a cue of some kinds within reach is company: an amount, or anything else."""
        sorts = (sort for sort in self._cues if sort.kind in kinds and sort.amount == amount and sort.speaks_to(match))
        return any(_stands_beside(match, self._cues[sort], reach) for sort in sorts)


class _Sort(NamedTuple):
    """What tells for which matches a cue may be company; `tongue` is the language of the only ones, if it is so."""

    kind: RuleKind
    amount: bool
    tongue: str

    def speaks_to(self, match: Match) -> bool:
        """Whether it may be for this one."""
        return not self.tongue or self.tongue == tongue(match.language) or _is_nobodys(match)


def _sort_of(cue: Match) -> _Sort:
    """A cue in a few Latin letters, as of Thai "khai", is company only for a form of its own language."""
    fewest = max((FEWEST_LETTERS.get(view, 0) for view in cue.views), default=0)
    is_short = sum(map(str.isalpha, cue.surface)) < fewest
    return _Sort(cue.kind, cue.cue_type == AMOUNT, tongue(cue.language) if is_short else "")


def _stands_beside(match: Match, cues: Neighbors, reach: int) -> bool:
    """Whether one of some cues stands within reach of a match, apart from it."""
    if reach < ANYWHERE:
        return any(not overlap(match, cue) for cue in cues.near(match, reach))
    return len(cues) > len(cues.overlapping(match))


def _without_denied_papers(cues: tuple[Match, ...]) -> tuple[Match, ...]:
    """The cues without papers that are named only to say that there are none: "no CITES papers"."""
    evasions = Neighbors(cue for cue in cues if cue.kind is RuleKind.EVASION_CUE)
    return tuple(cue for cue in cues if cue.kind is not RuleKind.LEGAL_TRADE_CUE or not evasions.overlapping(cue))


def _without_denied_sales(cues: tuple[Match, ...], contexts: Neighbors) -> tuple[Match, ...]:
    """The cues without words of trade inside a longer context, which means something else: "not for sale", "black market price"."""
    trade = RuleKind.TRADE_CUE
    return tuple(cue for cue in cues if cue.kind is not trade or not any(_is_part(cue, each) for each in contexts.near(cue, 0)))


def _without_those_in_cues(contexts: tuple[Match, ...], cues: tuple[Match, ...]) -> tuple[Match, ...]:
    """The contexts but for those inside a longer cue, which means something else: "not a replica", "cage included"."""
    neighbors = Neighbors(cues)
    return tuple(each for each in contexts if not any(_is_part(each, cue) for cue in neighbors.near(each, 0)))


def _is_part(one: Match, other: Match) -> bool:
    """Whether one match lies inside another that is longer."""
    inside = other.skeleton_start <= one.skeleton_start and one.skeleton_end <= other.skeleton_end
    return inside and other.skeleton_end - other.skeleton_start > one.skeleton_end - one.skeleton_start


def is_disguised(match: Match) -> bool:
    """Whether reading the match took undoing a disguise that ordinary writers do not use."""
    return any(view not in ORDINARY for view in match.views)


def _explained_inside(match: Match, contexts: Neighbors, rows: dict[str, RuleRow]) -> Match:
    """The match with the contexts whose own form it lies in. What is plainly written is explained by no other word read there."""
    names = [
        context.rule_id
        for context in contexts.near(match, 0)
        if context.skeleton_start <= match.skeleton_start
        and match.skeleton_end <= context.skeleton_end
        and not (context.views and not match.views and _is_at_one_place(match, context))
        and _cancels(rows[context.rule_id], match)
    ]
    return msgspec.structs.replace(match, canceled_by=tuple(dict.fromkeys(names))) if names else match


def _is_at_one_place(one: Match, other: Match) -> bool:
    return (one.skeleton_start, one.skeleton_end) == (other.skeleton_start, other.skeleton_end)


def _explained_near(
    skeleton: str,
    match: Match,
    beside: _Beside,
    contexts: Neighbors,
    rows: dict[str, RuleRow],
    tongues: Tongues,
) -> Match:
    """The match with the contexts near it: explained if it is weak and nothing else speaks against, else weakened."""
    if match.canceled_by or not contexts:
        return match
    around = [(context, rows[context.rule_id]) for context in contexts.near(match, FARTHEST)]
    near = [(context, row) for context, row in around if row.cancels_forms or _same_tongue(context, match, tongues)]
    canceling = [context for context, row in near if 0 < row.cancels_within >= distance(match, context) and _cancels(row, match)]
    if match.level is not Level.ALONE and not _speaks_against(match, beside):
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


def _speaks_against(match: Match, beside: _Beside) -> bool:
    """Evasion, a disguise, or a second taxon rule: then a context near the match may be a cover word."""
    return beside.speaks_of_hiding or beside.has_other(match)


def _with_company(match: Match, beside: _Beside, lexicon: CompiledLexicon) -> Match:
    """The match with the company that stands beside it, if it is what the form asks for."""
    if match.canceled_by:
        return match
    kinds, within = lexicon.requirements.get((match.rule_id, match.form), ((), 0))
    reach, wanted = within or ANYWHERE, kinds or tuple(CUES)
    company = beside.has_other(match, kinds, reach) or beside.has_cue(match, wanted, reach, amount=False)
    return msgspec.structs.replace(match, company=company, amount=not company and beside.has_cue(match, wanted, reach, amount=True))


def is_other(match: Match, other: Match) -> bool:
    """Whether another rule fired at another place."""
    return other.rule_id != match.rule_id and not overlap(match, other)


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
    return _is_nobodys(match) or tongue(context.language) in tongues[match.skeleton_start, match.skeleton_end]


def _is_nobodys(match: Match) -> bool:
    return match.language in NOBODYS


def tongue(language: str) -> str:
    """The language without its script; Malay counts as Indonesian, whose words it shares."""
    base = language.partition("-")[0]
    return "id" if base == "ms" else base


def _cancels(row: RuleRow, match: Match) -> bool:
    """Whether a context speaks of a form: of one of its groups and, if it names forms, of that very one."""
    return _speaks_of(row.cancels, match) and (not row.cancels_forms or match.form in row.cancels_forms)


def _speaks_of(groups: tuple[str, ...], match: Match) -> bool:
    return any(group == EVERY_GROUP or group in match.groups for group in groups)
