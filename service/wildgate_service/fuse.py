"""Fuse: one calibrated probability from named facts, each fact's share of it reported.

A logistic model over the features below, log-odds = intercept + Σ weight · value. Its weights are fitted under sign constraints
(`model/fusion.py`): evidence for wildlife never lowers the score, a benign context never raises it.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from wildgate_service.errors import ModelError
from wildgate_service.match.company import AMOUNT, is_disguised, is_other
from wildgate_service.match.views import DOUBTFUL, LEGIBLE
from wildgate_service.types import CUES, Classification, ContentKind, Evidence, Level, Match, Matches, RuleKind, Score

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTEXT = "weakening_context"
UNNAMED = "no_form_found"
# What each feature is, and the sign that its weight may have.
FEATURES: dict[str, int] = {
    "form": 1,  # a form that usually means wildlife; the next ones add to it
    "form_alone": 1,  # one with no innocent reading
    "form_with_amount": 1,  # one with at least a price or weight beside it
    "form_in_company": 1,  # one with the company it asks for
    "uncertain_reading": -1,  # only read by a view that mistakes are made with: misspelling, marks dropped
    "second_rule": 1,  # another taxon rule elsewhere in the text
    "trade_cue": 1,
    AMOUNT: 1,  # a price or weight
    "evasion_cue": 1,
    "second_evasion_cue": 1,  # of another type
    "disguise": 1,  # a word had to be undone
    "social_post": -1,  # a post is no offer by its nature
    "post_without_trade": -1,  # a post in which nothing speaks of trade
    "cargo_booking": 1,  # a booking is
    CONTEXT: -1,
    "encoder_for": 1,  # the encoder's log-odds of an offer, where positive
    "encoder_against": -1,  # the same, where negative, as a positive number
    "ivory_promotion": 1,  # probability of the head, beside an elephant or mammoth rule
    "screen_for": 1,  # the screen's log-odds of an offer, where positive
    "screen_against": -1,  # the same, where negative, as a positive number
    "encoder_sale": 1,  # the encoder's log-odds of a sale against talk, where positive
    "encoder_talk": -1,  # the same, where negative, as a positive number
    "screen_sale": 1,
    "screen_talk": -1,
    UNNAMED: -1,  # no form was found, but a model was struck; the next ones are the models' log-odds then
    "unnamed_unread": -1,  # and the encoder could not read it
    "unnamed_windows": -1,  # the logarithm of the number of windows of the screen: of many one will look like an offer
    "unnamed_screen": 1,
    "unnamed_encoder_for": 1,
    "unnamed_encoder_against": -1,
    "unnamed_encoder_talk": -1,
    "unnamed_screen_talk": -1,
}
AGAINST = frozenset({"encoder_against", "encoder_talk", "screen_against", "screen_talk"})
SALE = ("sale", "talk")  # names of the sides of log-odds of a sale
EVEN = 0.5  # probability of what heads do not say: those of an encoder of one's own may lack some
PRIOR = "prior"
SHARE_READ = "encoder_read_{percent}_percent"
CANNOT_READ = "encoder_cannot_read_language"
READ_BY = "read_by_{tier}"
MOST_LOGIT = 4.0


class Fusion(Struct, frozen=True):
    """The fitted model; `version` names it in every answer, `fitted_on` the models whose log-odds it was fitted on, if it says so."""

    version: str
    intercept: float
    weights: dict[str, float]
    fitted_on: tuple[str, ...] = ()


def load_fusion(folder: Path) -> Fusion:
    """Read `config.json` of a fusion folder. Raises ModelError if it is missing, malformed, or breaks a sign constraint."""
    path = folder / "config.json"
    try:
        fusion = msgspec.json.decode(path.read_bytes(), type=Fusion)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"fusion model {path} cannot be read: {error}; reinstall the service or train it again") from error
    wrong = [name for name, weight in fusion.weights.items() if name not in FEATURES or weight * FEATURES[name] < 0]
    if wrong or set(FEATURES) - set(fusion.weights):
        raise ModelError(f"fusion model {path} does not fit this version's features: {', '.join(wrong) or 'some are missing'}")
    return fusion


def check_fitted(fusion: Fusion, folder: Path, models: tuple[str, ...]) -> None:
    """ModelError if a fusion says that it was fitted on other models: its scores would be no probabilities."""
    if fusion.fitted_on and fusion.fitted_on != models:
        fitted, found = " and ".join(fusion.fitted_on), " and ".join(models)
        raise ModelError(f"the fusion in {folder} was fitted on {fitted}, not on {found}; run `wildgate model fuse` again")


def features(matches: Matches, classification: Classification, kind: ContentKind, *, strict: bool = False) -> dict[str, float]:
    """The facts of a text that are not zero, by name; `strict`: had no context weakened them, nor models what is offered outright."""
    if not (matches.taxa or classification.struck):
        return {}
    standing = [match for match in matches.taxa if match.counts]
    faint = [match for match in matches.taxa if match.is_faint]
    if not standing and not faint:
        return dict(_of_models_alone(matches, classification))
    names = dict.fromkeys((*_of_matches(standing, faint), *_of_cues(matches, standing), *_of_kind(kind, matches)), 1.0)
    if strict:
        names.pop(CONTEXT, None)
    probabilities = classification.strict_probabilities if strict else classification.probabilities
    screened = classification.strict_screen if strict else classification.screen
    sales = _sided("screen", classification.sale_screen, SALE)
    models = (*_sided("screen", screened), *sales, *_of_encoder(probabilities, [*standing, *faint]))
    unread = AGAINST if (strict and any(map(_is_offered, standing))) or _is_illegible(matches, standing or faint) else ()
    return {**names, **{name: size for name, size in models if name not in unread}}


def fuse(matches: Matches, classification: Classification, kind: ContentKind, fusion: Fusion) -> Score:
    """The score with its evidence, whose weights add up to its log-odds; what was not read is said with weight 0."""
    values = features(matches, classification, kind)
    if not values:
        alone = _sigmoid(fusion.intercept)
        return Score(alone, (), alone)
    weighed = [(name, fusion.weights[name] * value) for name, value in values.items() if fusion.weights[name]]
    evidence = tuple(Evidence(name, round(weight, 4)) for name, weight in ((PRIOR, fusion.intercept), *weighed))
    value = _sigmoid(sum(each.weight for each in evidence))
    told = (*evidence, *(Evidence(name, 0.0) for name in _unread(classification)))
    if not matches.contexts:
        return Score(value, told, value)
    strict = features(matches, classification, kind, strict=True)
    logit = fusion.intercept + sum(fusion.weights[name] * size for name, size in strict.items())
    return Score(value, told, max(value, _sigmoid(logit)))


def _unread(classification: Classification) -> Iterator[str]:
    """Which encoder read the text, and what it did not read of it."""
    yield from (READ_BY.format(tier=tier) for tier in classification.tiers if tier != "screen")
    if not classification.readable:
        yield CANNOT_READ
    elif classification.probabilities and classification.share_read < 1:
        yield SHARE_READ.format(percent=round(100 * classification.share_read))


def _of_matches(standing: list[Match], faint: list[Match]) -> Iterator[str]:
    """What was found: the strongest kind of form, whether it stands twice, how it was written."""
    found = [*standing, *faint]
    yield "form"
    if any(match.level is Level.ALONE for match in standing):
        yield "form_alone"
    if any(match.amount or match.company for match in standing):
        yield "form_with_amount"
    if any(match.company for match in standing):
        yield "form_in_company"
    if all(_is_uncertain(match) for match in standing or faint):
        yield "uncertain_reading"
    if any(is_other(found[0], match) for match in found[1:]):
        yield "second_rule"
    if any(is_disguised(match) for match in found):
        yield "disguise"


def _of_cues(matches: Matches, standing: list[Match]) -> Iterator[str]:
    """What stands beside it."""
    trade = {cue.cue_type for cue in matches.cues if cue.kind is RuleKind.TRADE_CUE}
    if trade - {AMOUNT}:
        yield "trade_cue"
    if AMOUNT in trade:
        yield AMOUNT
    evasions = {cue.cue_type for cue in matches.cues if cue.kind is RuleKind.EVASION_CUE}
    if evasions:
        yield "evasion_cue"
    if len(evasions) > 1:
        yield "second_evasion_cue"
    if standing and all(match.weakened_by for match in standing):
        yield CONTEXT


def _of_kind(kind: ContentKind, matches: Matches) -> Iterator[str]:
    if kind is ContentKind.SOCIAL_POST:
        yield "social_post"
        if not speaks_of_trade(matches):
            yield "post_without_trade"
    elif kind is ContentKind.CARGO_BOOKING:
        yield "cargo_booking"


def _of_encoder(probabilities: dict[str, float], found: list[Match]) -> Iterator[tuple[str, float]]:
    """What the encoder said beside a form."""
    probability = probabilities.get("wildlife_offer")
    if probability is not None:
        yield from _sided("encoder", _log_odds(probability))
        yield from _sided("encoder", _log_odds(probabilities.get("sale", EVEN)), SALE)
    ivory = probabilities.get("ivory_promotion", 0.0)
    if ivory and any({"elephant", "mammoth"} & set(match.groups) for match in found):
        yield "ivory_promotion", ivory


def _of_models_alone(matches: Matches, classification: Classification) -> Iterator[tuple[str, float]]:
    """What the models say of a text in which no form was found; nothing if a form was and its context explains it."""
    read = classification.probabilities or not classification.readable
    if not (classification.struck and read) or any(match.canceled_by or match.explained_by for match in matches.taxa):
        return
    yield UNNAMED, 1.0
    if classification.windows > 1:
        yield "unnamed_windows", math.log(classification.windows)
    offered = _log_odds(classification.probabilities["wildlife_offer"]) if classification.readable else 0.0
    if offered >= 0:  # the letters alone stop nothing that the encoder takes for something else
        yield "unnamed_screen", max(0.0, _cut(classification.screen))
    yield from _talk("unnamed_screen", classification.sale_screen)
    if classification.readable:
        yield from _sided("unnamed_encoder", offered)
        yield from _talk("unnamed_encoder", _log_odds(classification.probabilities.get("sale", EVEN)))
    else:
        yield "unnamed_unread", 1.0


def _sided(name: str, logit: float, sides: tuple[str, str] = ("for", "against")) -> Iterator[tuple[str, float]]:
    """Log-odds as two features, for and against, cut at ±`MOST_LOGIT`, so that each has one sign."""
    if logit:
        yield (f"{name}_{sides[0]}", _cut(logit)) if logit > 0 else (f"{name}_{sides[1]}", -_cut(logit))


def _talk(name: str, logit: float) -> Iterator[tuple[str, float]]:
    """How much a text reads like talk: nothing for one that reads like a sale, which alone says nothing of wildlife."""
    if logit < 0:
        yield f"{name}_talk", -_cut(logit)


def _cut(logit: float) -> float:
    return max(-MOST_LOGIT, min(MOST_LOGIT, logit))


def _log_odds(probability: float) -> float:
    return math.log(max(probability, 1e-6) / max(1 - probability, 1e-6))


def speaks_of_trade(matches: Matches) -> bool:
    """Whether words of trade or of hiding stand in the text; a price or weight alone is in news as well."""
    return any(cue.kind in CUES and cue.cue_type != AMOUNT for cue in matches.cues)


def _is_offered(match: Match) -> bool:
    """Whether a form with no innocent reading is offered: words heaped around it do not make it less."""
    return match.level is Level.ALONE and bool(match.company)


def _is_illegible(matches: Matches, found: list[Match]) -> bool:
    """Whether the models, which read a text as it is written, cannot: its forms and something else that was found hide in their writing."""
    if any(map(LEGIBLE.issuperset, (match.views for match in found))):
        return False
    hidden = [match for match in (*found, *matches.cues) if not LEGIBLE.issuperset(match.views)]
    return min(match.skeleton_end for match in hidden) <= max(match.skeleton_start for match in hidden)


def _is_uncertain(match: Match) -> bool:
    return not DOUBTFUL.isdisjoint(match.views)


def _sigmoid(logit: float) -> float:
    return 0.5 * (1.0 + math.tanh(logit / 2.0))
