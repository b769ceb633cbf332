"""Classify: a cascade of models, so that an ordinary text costs microseconds and a doubtful one gets a language model.

Tiers: `screen` reads every text; `encoder` runs when a rule fired and its context must be judged, or when the screen is struck by a text
in which no rule fired; `deep`, if it is installed, in its stead where it cannot read the language. How much strikes the screen, and how
long an encoder may take, is the policy's to say (`Routing`). A language that no encoder reads is said so and not guessed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wildgate_service.classify.windows import readable_windows
from wildgate_service.language import UNKNOWN, identify_language
from wildgate_service.match.boundaries import is_unspaced
from wildgate_service.match.neighbors import Neighbors
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

    read_from: float = 0.75
    encoder_seconds: float = 0.004
    deep_seconds: float = 0.01

    def seconds(self, tier: str, windows: int) -> float:
        """What must be left for a tier to read so many windows."""
        return self.deep_seconds * windows if tier == DEEP else self.encoder_seconds


DEFAULT_ROUTING = Routing()
NOBODYS: frozenset[str] = frozenset()


class Windows(Struct, frozen=True):
    """What the encoder reads of a text: readable parts, the same without benign contexts, and the share of the text in the parts."""

    parts: list[str]
    strict: list[str]
    share: float

    @property
    def distinct(self) -> list[str]:
        """Each part once."""
        return list(dict.fromkeys((*self.parts, *self.strict)))


NOTHING = Windows([], [], 0.0)


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
    hurry: bool = False,
) -> Classification:
    """Language of the text, what the screen says of it, and what the encoder says if something was found or the screen was struck.

    `deadline` is by `time.monotonic`; the encoder does not begin what it would not end before it, and nothing at all in a `hurry`.
    """
    found = tuple([match for match in matches.taxa if not match.canceled_by])
    if found:
        spoken = _languages_of([match for match in found if match.stands] or found)
        windows = _windows(text, found, matches.contexts)
        said = _at_a_glance(text, listing, screen, routing, spoken, windows)
    else:
        spoken, windows = NOBODYS, None
        said = _at_a_glance(text, listing, screen, routing)
        if matches.taxa or not said.struck:
            return said
    if classifier is None:
        return replace(said, missing=True)
    reader = classifier if not spoken and said.language == UNKNOWN else classifier.reader_of(spoken or {said.language})
    if reader is None:
        return replace(said, readable=False)
    if hurry:
        return replace(said, skipped_for="load")
    read = windows or _where_struck(text, screen)
    if deadline is not None and deadline - time.monotonic() < routing.seconds(reader.tier, len(read.distinct)):
        return replace(said, skipped_for="deadline")
    return _read(said, read, reader)


def _at_a_glance(
    text: NormalizedText,
    listing: Listing,
    screen: Screen | None,
    routing: Routing,
    spoken: frozenset[str] = NOBODYS,
    windows: Windows = NOTHING,
) -> Classification:
    """What is said of a text without the encoder."""
    language = identify_language(text.document, listing.language, spoken)
    if screen is None:
        return Classification(language=language)
    screened = strict = screen.logit(text.skeleton)
    if windows.parts:
        screened = max(screened, _highest(screen.logit, windows.parts))
        strict = screened if windows.strict is windows.parts else max(screened, _highest(screen.logit, windows.strict))
    struck = screened >= routing.read_from and not _is_spelled_out(text.tokens)
    sale = _highest(screen.sale_logit, windows.parts or [text.document]) if windows.parts or struck else 0.0
    return Classification(
        language=language,
        tiers=(SCREEN,),
        screen=screened,
        strict_screen=strict,
        sale_screen=sale,
        windows=screen.windows(text.skeleton),
        struck=struck,
    )


def _is_spelled_out(tokens: list[str]) -> bool:
    """Whether most of a text are single letters of a script with blanks: of such a text models have read nothing."""
    single = sum(len(token) == 1 and token.isalpha() and not is_unspaced(token) for token in tokens)
    return 2 * single > len(tokens)


def _highest(logit: Callable[[str], float], parts: list[str]) -> float:
    return max(map(logit, set(map(fold, parts))))


def _windows(text: NormalizedText, found: tuple[Match, ...], contexts: tuple[Match, ...]) -> Windows:
    parts, share = readable_windows(text, found)
    neighbors = Neighbors(found)
    apart = tuple(context for context in contexts if not neighbors.overlapping(context))
    return Windows(parts, readable_windows(text, found, without=apart)[0] if apart else parts, share)


def _where_struck(text: NormalizedText, screen: Screen | None) -> Windows:
    parts, share = readable_windows(text, (), around=text.source.span(*screen.struck_by(text.skeleton)) if screen else None)
    return Windows(parts, parts, share)


def _read(said: Classification, windows: Windows, classifier: Classifier) -> Classification:
    """With what the encoder says: each head's highest probability over the windows, each of which is read once."""
    distinct = windows.distinct
    rows = dict(zip(distinct, map(classifier.heads.probabilities, classifier.encoder.embed(distinct)), strict=True))
    probabilities, strict = (_likeliest([rows[part] for part in parts]) for parts in (windows.parts, windows.strict))
    tiers = (*said.tiers, classifier.tier)
    return replace(said, tiers=tiers, probabilities=probabilities, strict_probabilities=strict, share_read=windows.share)


def _likeliest(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: max(row[name] for row in rows) for name in rows[0]}


def _languages_of(found: Sequence[Match]) -> frozenset[str]:
    """Languages of the rules that fired, without those that are nobody's: Latin names and emoji."""
    return frozenset(match.language.partition("-")[0] for match in found) - {"la", "zxx"}
