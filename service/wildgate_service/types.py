"""Every value that passes between the stages, in the order in which data flows.

All are frozen. Spans are half-open and in Unicode code points unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

# --- in ------------------------------------------------------------------------------------------


class ContentKind(StrEnum):
    """What the text is on the platform."""

    LISTING = "listing"
    SOCIAL_POST = "social_post"
    CARGO_BOOKING = "cargo_booking"


class Attribute(Struct, frozen=True):
    """One name and value of the listing's form."""

    name: str
    value: str


class Listing(Struct, frozen=True, kw_only=True):
    """The text to score and what the platform knows of it."""

    id: str = ""
    title: str = ""
    description: str = ""
    attributes: tuple[Attribute, ...] = ()
    content_kind: ContentKind = ContentKind.LISTING
    category: str = ""
    language: str = ""
    market: str = ""
    seller_ref: str = ""
    posted_time: datetime | None = None


# --- normalize -----------------------------------------------------------------------------------


class FieldSlice(Struct, frozen=True):
    """Where one field lies in the document, which is all fields joined by U+001F."""

    name: str
    start: int
    end: int


# --- match ---------------------------------------------------------------------------------------


class RuleKind(StrEnum):
    """What a rule's forms are."""

    SPECIES = "species"
    PRODUCT = "product"
    CODE_WORD = "code_word"
    TRADE_CUE = "trade_cue"
    EVASION_CUE = "evasion_cue"
    LEGAL_TRADE_CUE = "legal_trade_cue"
    BENIGN_CONTEXT = "benign_context"


TAXON_KINDS = frozenset({RuleKind.SPECIES, RuleKind.PRODUCT, RuleKind.CODE_WORD})
CUES = frozenset({RuleKind.TRADE_CUE, RuleKind.EVASION_CUE})  # that are company


class Level(StrEnum):
    """How strong a form is with nothing beside it."""

    ALONE = "alone"
    WITH_COMPANY = "with_company"
    COMPANY_ONLY = "company_only"


class Match(Struct, frozen=True, kw_only=True):
    """A rule that fired at one place.

    `start` and `end` are in the field as sent; `skeleton_start` and `skeleton_end` in the skeleton.
    `company` says whether the form had the company its level asks for, `amount` whether it had only a
    price or weight. Benign contexts: `canceled_by`
    those whose own form it lies in, `explained_by` those near it that cancel it, `weakened_by` the rest.
    """

    rule_id: str
    kind: RuleKind
    level: Level
    language: str
    form: str
    gloss: str
    surface: str
    field: str
    start: int
    end: int
    skeleton_start: int
    skeleton_end: int
    views: tuple[str, ...] = ()
    taxa: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    cue_type: str = ""
    sourced: bool = False
    restricted: bool = False
    company: bool = False
    amount: bool = False
    canceled_by: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()
    weakened_by: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether the match has what its level asks for and lies in no innocent phrase; a context near it may still explain it."""
        return not self.canceled_by and (self.company or self.amount or self.level is Level.ALONE)

    @property
    def counts(self) -> bool:
        """Whether the match is full evidence: it stands and nothing explains it."""
        return self.stands and not self.explained_by

    @property
    def is_faint(self) -> bool:
        """Whether the match is a form that usually means wildlife, with nothing beside it that says so."""
        return not (self.canceled_by or self.explained_by or self.stands) and self.level is Level.WITH_COMPANY


class Matches(Struct, frozen=True):
    """All rules that fired, in the order of the text: taxon rules, cues and contexts.

    `read_in_full` is false where not all readings behind disguises were searched, `crowded` where that is because more of the text may be
    disguised words than of any ordinary one.
    """

    taxa: tuple[Match, ...] = ()
    cues: tuple[Match, ...] = ()
    contexts: tuple[Match, ...] = ()
    read_in_full: bool = True
    crowded: bool = False

    def __iter__(self) -> Iterator[Match]:
        """All, kind by kind."""
        return iter((*self.taxa, *self.cues, *self.contexts))


# --- classify ------------------------------------------------------------------------------------


class Classification(Struct, frozen=True, kw_only=True):
    """What the models said of the text; `probabilities` is empty when no tier ran.

    `tiers` are those that ran. `screen` is the screen's log-odds of an offer (0 without one), `struck` whether that is enough for the
    encoder to read a text in which no rule fired, `sale_screen` its log-odds of a sale against talk (asked where something was found or it
    is struck), `windows` the number of windows that it reads in the text, `share_read` the share of the text that the encoder read.
    `strict_probabilities` and `strict_screen` are what they say of the text with its benign contexts cut out. The encoder did not read
    where it is `missing`, the language is not `readable` to it, or it was `skipped_for` the caller's "deadline" or the service's "load".
    """

    language: str = "und"
    tiers: tuple[str, ...] = ()
    probabilities: dict[str, float] = {}
    strict_probabilities: dict[str, float] = {}
    readable: bool = True
    share_read: float = 0.0
    missing: bool = False
    skipped_for: str = ""
    screen: float = 0.0
    strict_screen: float = 0.0
    sale_screen: float = 0.0
    windows: int = 1
    struck: bool = False


# --- fuse ----------------------------------------------------------------------------------------


class Evidence(Struct, frozen=True):
    """One fact behind the score, and what it added to its log-odds."""

    name: str
    weight: float


class Score(Struct, frozen=True):
    """Calibrated probability and its reasons; `strict` is what it would be had no benign context weakened a match."""

    value: float
    evidence: tuple[Evidence, ...]
    strict: float


# --- decide --------------------------------------------------------------------------------------


class Action(StrEnum):
    """What the policy asks the platform to do."""

    ALLOW = "allow"
    REVIEW = "review"
    BLOCK = "block"


class Taxon(Struct, frozen=True):
    """A taxon the text seems to offer; `appendix` is by the listing's market and day, "" where no list in force there names it."""

    group: str
    scientific_name: str
    appendix: str


class Versions(Struct, frozen=True):
    """What produced an answer."""

    lexicon: str
    model: str
    policy: str


class Decision(Struct, frozen=True, kw_only=True):
    """What the policy asks, and why. Pure: ids, receipt and times are added when it is recorded.

    `sampling_rate` is the probability with which a listing such as this one is drawn for a moderator's look if it is allowed, `sampled`
    whether this one was (drawn when it is recorded: `sampling.drawn`).
    """

    action: Action
    shadow_action: Action
    shadow: bool
    score: float
    language: str
    taxa: tuple[Taxon, ...]
    matches: tuple[Match, ...]
    evidence: tuple[Evidence, ...]
    reason: str
    notice: str
    versions: Versions
    degraded_reasons: tuple[str, ...] = ()
    sampled: bool = False
    sampling_rate: float = 0.0

    def __str__(self) -> str:
        found = ", ".join(dict.fromkeys(match.surface for match in self.matches)) or "nothing"
        return f"{self.action.upper()} {self.score:.3f} {self.language}: {found}"


# --- record --------------------------------------------------------------------------------------


class DecisionRecord(Struct, frozen=True, kw_only=True):
    """One row of the log. Texts and sellers are kept as keyed hashes, never as themselves.

    `fingerprint` is HMAC-SHA-256 of the listing's text fields, `seller` of `seller_ref` ("" if none).
    `request_fingerprint` is of all that a decision depends on, so that one request_id cannot stand for two listings.
    """

    tenant: str
    decision_id: str
    request_id: str
    listing_id: str
    decided_time: datetime
    content_kind: ContentKind
    market: str
    fingerprint: str
    seller: str
    decision: Decision
    posted_time: datetime | None = None
    request_fingerprint: str = ""


class Receipt(Struct, frozen=True):
    """Position of a record in the log, from 1, and the chain hash there (hex SHA-256)."""

    log_id: str
    position: int
    chain_hash: str


class Recorded(Struct, frozen=True):
    """What the writer answers: the record that stands under the request, and its receipt; None while the record waits for the store.

    It is an earlier record if the request was a repeat.
    """

    record: DecisionRecord
    receipt: Receipt | None
    repeated: bool


# --- report --------------------------------------------------------------------------------------


class ReportCount(Struct, frozen=True, kw_only=True):
    """Decisions counted under one value of one dimension."""

    dimension: str
    value: str
    decisions: int
    allowed: int
    reviewed: int
    blocked: int
    stopped: int


class ReportShare(Struct, frozen=True):
    """A share with its sample size and 95 % Wilson interval."""

    name: str
    count: int
    total: int
    lower: float
    upper: float


class ErrorEstimate(Struct, frozen=True, kw_only=True):
    """How often decisions are right, from what moderators found; how it is estimated is said in docs/measured_error.md.

    `measure`: "precision", the share of stopped listings (held or refused by what was asked for, in shadow too) that are offers; "recall",
    the share of offers that were stopped; "accuracy", the share of listings that were decided rightly (not by taxon group). `dimension` is
    "total" (with `value` ""), "language" or "taxon_group".

    `estimate`, `lower` and `upper` (95 %) are shares from 0 to 1, and None where there are too few judgments to say: then say so, never 0.
    They rest on `judged` moderators' judgments, of which `offers` were offers: of precision on stopped listings, of recall on looks at
    drawn allowed listings (so `offers` are missed offers that were seen), of accuracy on both. `listings` are all that the judged ones
    stand for. A recall with `offers` 0 is no 100 %: say "at least `lower`".
    """

    measure: str
    dimension: str
    value: str
    estimate: float | None
    lower: float | None
    upper: float | None
    judged: int
    offers: int
    listings: int


class MeasuredErrors(Struct, frozen=True, kw_only=True):
    """Estimates of error, and what they rest on.

    Of `allowed` listings `covered` could be drawn by chance for a look (recall and accuracy speak of that part alone), `drawn` were, and of
    these `looked_at` were judged. `noticed_first` of those drawn were told of by a notice or order before anybody had looked, and count as
    not looked at. `notices_upheld` are allowed listings against which a notice was upheld; they are counted here and in no estimate. What
    fewer than `fewest` judgments bear is not stated.
    """

    estimates: tuple[ErrorEstimate, ...]
    allowed: int
    covered: int
    drawn: int
    looked_at: int
    noticed_first: int
    notices_upheld: int
    fewest: int


class TransparencyReport(Struct, frozen=True, kw_only=True):
    """The numbers of the public report of the days from `start` to `end`, both included."""

    tenant: str
    start: date
    end: date
    generated_time: datetime
    total: ReportCount
    counts: tuple[ReportCount, ...]
    shares: tuple[ReportShare, ...]
    outcomes: dict[str, int]
    degraded_answers: dict[str, int]
    median_hours_to_act: float | None
    checkpoints: tuple[Receipt, ...]
    measured_error: MeasuredErrors | None = None
