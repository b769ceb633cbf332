"""Classify: a cascade of models, so that an ordinary text costs nothing and a doubtful one gets a language model.

Tiers: `encoder`, which runs when a rule fired and its context must be judged. A screen that reads every text has its place before it and
comes later. A language that the encoder cannot read is said so and not guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from wildgate_service.classify.language import UNKNOWN, identify_language
from wildgate_service.classify.windows import readable_windows
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.heads import HeadSet
from wildgate_service.types import Classification, Listing, Match, Matches

if TYPE_CHECKING:
    from wildgate_service.normalize import NormalizedText

ENCODER = "encoder"


class Classifier(Struct, frozen=True):
    """The encoder and the heads trained on it."""

    encoder: SentenceEncoder
    heads: HeadSet

    @property
    def version(self) -> str:
        """Version of the heads, which name their encoder."""
        return self.heads.config.version


def classify(text: NormalizedText, matches: Matches, listing: Listing, classifier: Classifier | None) -> Classification:
    """Language of the text, and what the encoder says of it if something was found."""
    found = tuple(match for match in matches.taxa if not match.canceled_by)
    spoken = _languages_of([match for match in found if match.stands] or found)
    language = identify_language(text.document, listing.language, spoken)
    if not found:
        return Classification(language=language)
    if classifier is None:
        return Classification(language=language, missing=True)
    if not any(map(classifier.encoder.reads, spoken or {language})) and (spoken or language != UNKNOWN):
        return Classification(language=language, readable=False)
    parts, share = readable_windows(text, found)
    probabilities = _highest(classifier, parts)
    contexts = tuple(context for context in matches.contexts if not any(_overlap(context, match) for match in found))
    strict = _highest(classifier, readable_windows(text, found, without=contexts)[0]) if contexts else probabilities
    return Classification(language=language, tiers=(ENCODER,), probabilities=probabilities, strict_probabilities=strict, share_read=share)


def _highest(classifier: Classifier, parts: list[str]) -> dict[str, float]:
    """Each head's highest probability over the windows."""
    rows = [classifier.heads.probabilities(vector) for vector in classifier.encoder.embed(parts)]
    return {name: max(row[name] for row in rows) for name in rows[0]}


def _overlap(one: Match, other: Match) -> bool:
    return one.skeleton_start < other.skeleton_end and other.skeleton_start < one.skeleton_end


def _languages_of(found: Sequence[Match]) -> frozenset[str]:
    """Languages of the rules that fired, without those that are nobody's: Latin names and emoji."""
    return frozenset(match.language.partition("-")[0] for match in found) - {"la", "zxx"}
