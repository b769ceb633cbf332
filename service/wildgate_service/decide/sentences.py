"""What is said of a decision: to a moderator why, to the poster what; each in a language of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wildgate_service.decide.policy import Policy, Words
from wildgate_service.types import Action, Listing, Match, Matches, RuleKind, Score

MOST_SURFACES = 4
LONGEST_SURFACE = 80
WITHHELD = "…"  # for the words of a restricted rule: a reason is read by people who may not read the rule
LAST_RESORT = "en"
# Where a tag says a language and not how it is written, or has an older name: what sentences are kept under.
KEPT_UNDER = {"zh": "zh-Hans", "zh-TW": "zh-Hant", "zh-HK": "zh-Hant", "zh-MO": "zh-Hant", "fil": "tl", "in": "id"}


def spoken(language: str, market: str, known: Iterable[str]) -> str:
    """The known language nearest to a BCP 47 tag: its own, that of the market, the base, English.

    >>> spoken("zh", "TW", {"en", "zh-Hans", "zh-Hant"}), spoken("pt-PT", "", {"en", "pt", "pt-BR"})
    ('zh-Hant', 'pt')
    """
    return next((tag for tag in _nearest(language, market) if tag in known), LAST_RESORT)


def _nearest(language: str, market: str) -> Iterator[str]:
    parts = language.split("-")
    if len(parts) == 1 and market:
        yield from _with_kept(f"{language}-{market}")
    for count in range(len(parts), 0, -1):
        yield from _with_kept("-".join(parts[:count]))


def _with_kept(tag: str) -> Iterator[str]:
    yield tag
    if tag in KEPT_UNDER:
        yield KEPT_UNDER[tag]


def notice_of(action: Action, language: str, market: str, policy: Policy) -> str:
    """One sentence for the poster, in the language of the text; nothing for who is not stopped."""
    if action is Action.ALLOW:
        return ""
    notices = policy.notices[action.value]
    return notices[spoken(language, market, notices)]


def reason_of(name: str, found: list[Match], matches: Matches, score: Score, listing: Listing, policy: Policy, language: str) -> str:
    """One sentence for a moderator in their language, filled in with what was found."""
    template = policy.reasons[language].get(name) or policy.reasons[LAST_RESORT][name]
    if "{" not in template and "}" not in template:  # spares an ordinary text the filling in
        return template
    if not found:
        return template.format(score=f"{score.value:.2f}")
    words = policy.words.get(language, Words())
    surfaces = list(dict.fromkeys(WITHHELD if match.restricted else match.surface for match in found))[:MOST_SURFACES]
    return template.format(
        groups=", ".join(_word(words.groups, group) for group in dict.fromkeys(group for match in found for group in match.groups)),
        surfaces=", ".join(f"“{_cut(surface)}”" for surface in surfaces),
        score=f"{score.value:.2f}",
        cues="".join(f", {_word(words.cues, name)}" for name in _evasions(matches)),
        market=f" ({listing.market})" if listing.market else "",
    )


def name_of_reason(action: Action, matches: Matches, score: Score, *, unlisted: bool) -> str:
    """Which of the policy's reasons a decision has. `unlisted`: no list in force names what was found, and the policy heeds that."""
    if unlisted:
        return "unlisted"
    if action is Action.REVIEW and any(cue.kind is RuleKind.LEGAL_TRADE_CUE for cue in matches.cues):
        return "legal"
    if action is Action.REVIEW and score.value < score.strict:
        return "covered"
    return {Action.ALLOW: "explained", Action.REVIEW: "review", Action.BLOCK: "block"}[action]


def _cut(surface: str) -> str:
    return surface if len(surface) <= LONGEST_SURFACE else f"{surface[:LONGEST_SURFACE]}…"


def _evasions(matches: Matches) -> Iterable[str]:
    return dict.fromkeys(cue.cue_type for cue in matches.cues if cue.kind is RuleKind.EVASION_CUE)


def _word(words: dict[str, str], key: str) -> str:
    return words.get(key) or key.replace("_", " ")
