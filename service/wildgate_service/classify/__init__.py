"""Classify: a cascade of models, so that an ordinary text costs microseconds and a doubtful one gets a language model.

Tiers: `screen` reads every text; `encoder` runs when a rule fired and its context must be judged, or when the screen is struck by a text
in which no rule fired; `deep`, if it is installed, in its stead where it cannot read the language. How much strikes the screen, and how
long an encoder may take, is the policy's to say (`Routing`). A language that no encoder reads is said so and not guessed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wildgate_service.classify.language import UNKNOWN, identify_language
from wildgate_service.classify.windows import readable_windows
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.heads import HeadSet
from wildgate_service.normalize import fold
from wildgate_service.types import Classification, Listing, Match, Matches

if TYPE_CHECKING:
    from wildgate_service.classify.screen import Screen
    from wildgate_service.normalize import NormalizedText

SCREEN, ENCODER, DEEP = "screen", "encoder", "deep"


class Routing(Struct, frozen=True, forbid_unknown_fields=True):
    """Which texts go on to an encoder.

    `read_from` is the screen's log-odds from which it reads a text in which no rule fired; `encoder_seconds` what must be left of the
    caller's deadline for the first to read at all, `deep_seconds` what must be left for each window that the deep one would read.
    """

    read_from: float = 2.0
    encoder_seconds: float = 0.004
    deep_seconds: float = 0.01

    def seconds(self, tier: str, windows: int) -> float:
        """What must be left for a tier to read so many windows."""
        return self.deep_seconds * windows if tier == DEEP else self.encoder_seconds


DEFAULT_ROUTING = Routing()


class Classifier(Struct, frozen=True):
    """An encoder and the heads trained on it; `deep`, if installed, reads the languages that the encoder does not."""

    encoder: SentenceEncoder
    heads: HeadSet
    tier: str = ENCODER
    deep: Classifier | None = None

    @property
    def version(self) -> str:
        """Version of the heads, which name their encoder, and of the deep one's."""
        own = self.heads.config.version
        return f"{own}+{self.deep.version}" if self.deep else own

    def reader_of(self, languages: AbstractSet[str]) -> Classifier | None:
        """Itself or the deep one, if it reads one of the languages."""
        if any(map(self.encoder.reads, languages)):
            return self
        return self.deep.reader_of(languages) if self.deep else None


def classify(
    text: NormalizedText,
    matches: Matches,
    listing: Listing,
    classifier: Classifier | None,
    *,
    screen: Screen | None = None,
    routing: Routing = DEFAULT_ROUTING,
    deadline: float | None = None,
) -> Classification:
    """Language of the text, what the screen says of it, and what the encoder says if something was found or the screen was struck.

    `deadline` is by `time.monotonic`; the encoder does not begin what it would not end before it.
    """
    found = tuple(match for match in matches.taxa if not match.canceled_by)
    spoken = _languages_of([match for match in found if match.stands] or found)
    language = identify_language(text.document, listing.language, spoken)
    parts, share = readable_windows(text, found) if found else ([], 0.0)
    contexts = tuple(context for context in matches.contexts if found and not any(_overlap(context, match) for match in found))
    strict_parts = readable_windows(text, found, without=contexts)[0] if contexts else parts
    screened = _screened(screen, [text.skeleton, *map(fold, parts)])
    struck = screen is not None and screened >= routing.read_from
    said = Classification(
        language=language,
        tiers=(SCREEN,) if screen else (),
        screen=screened,
        strict_screen=max(screened, _screened(screen, list(map(fold, strict_parts)))) if contexts else screened,
        struck=struck,
    )
    if not found and (not struck or matches.taxa):
        return said
    if classifier is None:
        return replace(said, missing=True)
    reader = classifier if not spoken and language == UNKNOWN else classifier.reader_of(spoken or {language})
    if reader is None:
        return replace(said, readable=False)
    if not found:
        parts, share = readable_windows(text, ())
    windows = len(parts) + (len(strict_parts) if contexts else 0)
    if deadline is not None and deadline - time.monotonic() < routing.seconds(reader.tier, windows):
        return replace(said, hurried=True)
    probabilities = _highest(reader, parts)
    strict = _highest(reader, strict_parts) if contexts else probabilities
    return replace(said, tiers=(*said.tiers, reader.tier), probabilities=probabilities, strict_probabilities=strict, share_read=share)


def _screened(screen: Screen | None, skeletons: list[str]) -> float:
    """The screen's highest log-odds."""
    return max(map(screen.logit, skeletons), default=0.0) if screen else 0.0


def _highest(classifier: Classifier, parts: list[str]) -> dict[str, float]:
    """Each head's highest probability over the windows."""
    rows = [classifier.heads.probabilities(vector) for vector in classifier.encoder.embed(parts)]
    return {name: max(row[name] for row in rows) for name in rows[0]}


def _overlap(one: Match, other: Match) -> bool:
    return one.skeleton_start < other.skeleton_end and other.skeleton_start < one.skeleton_end


def _languages_of(found: Sequence[Match]) -> frozenset[str]:
    """Languages of the rules that fired, without those that are nobody's: Latin names and emoji."""
    return frozenset(match.language.partition("-")[0] for match in found) - {"la", "zxx"}
