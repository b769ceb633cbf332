"""What goes in and what comes out: plain frozen values, without protobuf.

The fields mean what `proto/wildgate/v1` says; here stand the shapes, units and what Python adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from wildgate._errors import WildgateError, WildgateInvalidRequestError
from wildgate._spans import code_point_index, mark


class Action(StrEnum):
    """What the policy asks the platform to do.

    An action that this version does not know, from a newer service, is read as REVIEW with
    `degraded_reasons` naming "unknown_action": somebody looks, nothing is let through or refused
    by accident.
    """

    ALLOW = "allow"
    REVIEW = "review"
    BLOCK = "block"


class ContentKind(StrEnum):
    """What the text is on the platform."""

    LISTING = "listing"
    SOCIAL_POST = "social_post"
    CARGO_BOOKING = "cargo_booking"


class Explain(StrEnum):
    """How much explanation to return; each level holds the ones before it."""

    NONE = "none"
    TAXA = "taxa"
    MATCHES = "matches"
    FULL = "full"


class SpanUnit(StrEnum):
    """What spans are counted in: `str` indexes, UTF-16 code units or bytes of UTF-8."""

    CODE_POINT = "code_point"
    UTF16 = "utf16"
    UTF8 = "utf8"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One name and value of the listing's form; both at most 256 code points, both scored."""

    name: str
    value: str


E = TypeVar("E", bound=StrEnum)
AttributesLike = Mapping[str, str] | Iterable[Attribute | tuple[str, str]]


@dataclass(frozen=True, slots=True, init=False)
class Listing:
    """The text to score and what the platform knows of it."""

    id: str
    """The platform's own id, at most 256 code points."""
    title: str
    """At most 1,000 code points."""
    description: str
    """At most 20,000 code points."""
    attributes: tuple[Attribute, ...]
    """At most 64."""
    content_kind: ContentKind
    category: str
    """The platform's category as text, at most 256 code points; not scored."""
    language: str
    """BCP 47 hint; empty lets the service find it."""
    market: str
    """ISO 3166-1 alpha-2; empty: unknown, any protection list counts."""
    seller_ref: str
    """Opaque, at most 256 code points; the service stores only a keyed hash of it."""
    posted_time: datetime | None
    """With a time zone."""

    def __init__(
        self,
        *,
        id: str = "",  # noqa: A002 the contract's word
        title: str = "",
        description: str = "",
        attributes: AttributesLike = (),
        content_kind: ContentKind | str = ContentKind.LISTING,
        category: str = "",
        language: str = "",
        market: str = "",
        seller_ref: str = "",
        posted_time: datetime | None = None,
    ) -> None:
        """Keep the values; `attributes` may be a mapping, pairs or `Attribute`s.

        Sizes are checked when the listing is sent, so that one bad listing fails alone in a batch.
        Raises WildgateInvalidRequestError for attributes or a content kind that cannot be read.
        """
        keep = object.__setattr__
        keep(self, "id", id)
        keep(self, "title", title)
        keep(self, "description", description)
        keep(self, "attributes", _read_attributes(attributes))
        keep(self, "content_kind", read_enum(ContentKind, content_kind, "content_kind"))
        keep(self, "category", category)
        keep(self, "language", language)
        keep(self, "market", market)
        keep(self, "seller_ref", seller_ref)
        keep(self, "posted_time", posted_time)

    def text_of(self, name: str) -> str | None:
        """Return the text of a field as `Match.field` names it, or None if there is none."""
        if name in ("title", "description"):
            return self.title if name == "title" else self.description
        for index, attribute in enumerate(self.attributes):
            if name == f"attributes[{index}].name":
                return attribute.name
            if name == f"attributes[{index}].value":
                return attribute.value
        return None


@dataclass(frozen=True, slots=True)
class Taxon:
    """A protected taxon that the text seems to offer."""

    group: str
    """Such as elephant or marine_turtle."""
    scientific_name: str = ""
    appendix: str = ""
    """Appendix or list it is protected by in the listing's market; empty if none."""

    def __str__(self) -> str:
        """Read like `elephant (Loxodonta africana, I)`."""
        facts = ", ".join(filter(None, (self.scientific_name, self.appendix)))
        return f"{self.group} ({facts})" if facts else self.group


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range in the field exactly as it was sent, in the decision's `span_unit`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Match:
    """A lexicon rule that fired."""

    rule_id: str
    kind: str = ""
    """species, product, code_word, trade_cue, evasion_cue, legal_trade_cue or benign_context."""
    form: str = ""
    """The lexicon's form; empty for a restricted rule that the API key may not read."""
    gloss: str = ""
    """What the form means, in English; empty as above."""
    surface: str = ""
    """The seller's own characters that matched."""
    field: str = "title"
    """title, description, attributes[i].name or attributes[i].value."""
    span: Span = Span(0, 0)
    views: tuple[str, ...] = ()
    """The views needed to read it, such as leetspeak; empty if it was written plainly."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact behind the score."""

    name: str
    weight: float
    """What it added to the log-odds of the score."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Position of a decision in the service's append-only log."""

    log_id: str
    position: int
    chain_hash: str


@dataclass(frozen=True, slots=True)
class StageTiming:
    """How long one stage of the service took."""

    stage: str
    microseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one listing, by the service or, when it was out of reach, by `on_unavailable`.

    A decision the client made itself has `answered` False, `degraded` True, the reason in
    `degraded_reasons` (unavailable, deadline_exceeded or resource_exhausted), a `request_id`, and
    neither `decision_id` nor `score`. `degraded` alone is also set by a service that misses a part.
    """

    action: Action
    request_id: str
    decision_id: str | None = None
    """None also when the service runs without recording."""
    listing_id: str = ""
    score: float | None = None
    """Probability, 0 to 1, that the text offers or seeks a specimen of a protected wild taxon."""
    taxa: tuple[Taxon, ...] = ()
    matches: tuple[Match, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    language: str = ""
    reason: str = ""
    """One sentence for a moderator."""
    notice: str = ""
    """One deterrent sentence for the poster, in the language of the text."""
    lexicon_version: str = ""
    model_version: str = ""
    policy_version: str = ""
    shadow: bool = False
    """The policy or a rule of it only watches: `shadow_action` is what `action` would have been."""
    shadow_action: Action | None = None
    degraded: bool = False
    degraded_reasons: tuple[str, ...] = ()
    receipt: Receipt | None = None
    timings: tuple[StageTiming, ...] = ()
    span_unit: SpanUnit = SpanUnit.CODE_POINT
    """What the spans of `matches` are counted in."""
    sample_for_review: bool = False
    """Drawn by chance: publish it as `action` says, let a moderator look soon, and report what they found."""

    @property
    def allowed(self) -> bool:
        """Publish it."""
        return self.action is Action.ALLOW

    @property
    def review(self) -> bool:
        """Let a moderator decide."""
        return self.action is Action.REVIEW

    @property
    def blocked(self) -> bool:
        """Refuse it."""
        return self.action is Action.BLOCK

    @property
    def answered(self) -> bool:
        """Whether the service decided, rather than the client's own `on_unavailable`."""
        return self.score is not None

    def highlight(
        self,
        listing: Listing,
        field: str = "title",
        *,
        before: str = "[",
        after: str = "]",
        escape: Callable[[str], str] = str,
    ) -> str:
        """Return the text of one field of `listing` with every match in it marked.

        For a web page pass `before="<mark>", after="</mark>", escape=html.escape`: the text is the
        seller's. Raises WildgateInvalidRequestError if the listing has no such field.
        """
        text = listing.text_of(field)
        if text is None:
            message = f"the listing has no field {field!r}; see Match.field for the names"
            raise WildgateInvalidRequestError(message, reason="FIELD_INVALID")
        ranges = [self._range(text, match.span) for match in self.matches if match.field == field]
        return mark(text, ranges, before, after, escape)

    def _range(self, text: str, span: Span) -> tuple[int, int]:
        start = code_point_index(text, span.start, self.span_unit)
        return start, code_point_index(text, span.end, self.span_unit)

    def __str__(self) -> str:
        """Fit on one line of a log; never holds the seller's text."""
        if self.score is None:
            why = ", ".join(self.degraded_reasons) or "no score"
            return f"{self.action.upper()} without the service ({why}), request {self.request_id}"
        facts = [f"{self.action.upper()} {self.score:.2f}", *map(str, self.taxa)]
        facts += [f"{len(self.matches)} match{'es' * (len(self.matches) != 1)}", self.language]
        if self.shadow and self.shadow_action is not None:
            facts.append(f"shadow of {self.shadow_action.upper()}")
        facts += [f"degraded: {reason}" for reason in self.degraded_reasons]
        facts.append(f"decision {self.decision_id}" if self.decision_id else "not recorded")
        return " · ".join(filter(None, facts))


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Result of one listing of a batch: a decision, or the error that stands in its place."""

    index: int
    """Position of the listing in the batch, from 0."""
    decision: Decision | None = None
    error: WildgateError | None = None

    def unwrap(self) -> Decision:
        """Return the decision, or raise the error."""
        if self.decision is not None:
            return self.decision
        raise self.error or WildgateError("the result is empty")


@dataclass(frozen=True, slots=True)
class ReportCount:
    """Decisions counted under one value of one dimension."""

    dimension: str
    value: str
    decisions: int
    allowed: int
    reviewed: int
    blocked: int
    stopped: int
    """Listings the platform removed or restricted."""


@dataclass(frozen=True, slots=True)
class ReportShare:
    """A share with its sample size and 95 % Wilson interval."""

    name: str
    """precision, recall_of_notices or reversal_rate."""
    count: int
    total: int
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class ErrorEstimate:
    """How often decisions are right, estimated from what moderators found."""

    measure: str
    """precision, recall or accuracy."""
    dimension: str
    """total, language or taxon_group."""
    value: str
    estimate: float | None
    """A share, 0 to 1; None, as `lower` and `upper`: too few judgments to say. A recall with `offers` 0 is "at least `lower`"."""
    lower: float | None
    upper: float | None
    judged: int
    """Judgments that it rests on."""
    offers: int
    """Of them found to be offers."""
    listings: int
    """Listings that the judged ones stand for."""


@dataclass(frozen=True, slots=True)
class MeasuredErrors:
    """Estimates of error, and what they rest on."""

    estimates: tuple[ErrorEstimate, ...]
    allowed: int
    """Listings that were allowed."""
    covered: int
    """Of them, those that could be drawn for a look."""
    drawn: int
    looked_at: int
    noticed_first: int
    """Drawn, but somebody gave notice before a look; counted as not looked at."""
    notices_upheld: int
    """Allowed listings against which a notice was upheld; in no estimate."""
    fewest: int
    """Fewer judgments than this say nothing."""


@dataclass(frozen=True, slots=True)
class TransparencyReport:
    """The numbers of the public report of a span of days."""

    start_date: str
    end_date: str
    """Included."""
    total: ReportCount
    counts: tuple[ReportCount, ...]
    shares: tuple[ReportShare, ...]
    outcomes: Mapping[str, int]
    """Number of outcomes by kind."""
    degraded_answers: Mapping[str, int]
    """Answers that clients gave themselves, by reason."""
    median_hours_to_act: float | None
    """From decision to removal; None if nothing was removed."""
    checkpoints: tuple[Receipt, ...]
    """Where the log stood."""
    measured_error: MeasuredErrors | None = None
    """How often decisions are right; None from a service that does not measure it."""


@dataclass(frozen=True, slots=True)
class LexiconLanguage:
    """Rules and forms of one language."""

    language: str
    rules: int
    forms: int
    sourced_forms: int


@dataclass(frozen=True, slots=True)
class LexiconInfo:
    """The lexicons that the service runs on."""

    lexicon_version: str
    languages: tuple[LexiconLanguage, ...]


def read_enum(kind: type[E], value: str, name: str) -> E:
    """Return the member that `value` names; WildgateInvalidRequestError lists the choices."""
    try:
        return kind(value)
    except ValueError:
        message = f"{name} must be one of {', '.join(kind)}, not {value!r}"
        raise WildgateInvalidRequestError(message, reason="FIELD_INVALID", metadata={"field": name}) from None


def _read_attributes(given: AttributesLike) -> tuple[Attribute, ...]:
    pairs = given.items() if isinstance(given, Mapping) else given
    try:
        return tuple(pair if isinstance(pair, Attribute) else Attribute(*pair) for pair in pairs)
    except TypeError:
        message = "attributes must be a mapping of names to values, or pairs of name and value"
        raise WildgateInvalidRequestError(message, reason="FIELD_INVALID", metadata={"field": "attributes"}) from None
