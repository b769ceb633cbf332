"""The way of a listing: read this file first.

    Listing ─normalize→ NormalizedText ─match→ Matches ─classify→ Classification ─fuse→ Score ─decide→ Decision

One stage, one module, one frozen type. Everything here is pure and does no I/O once an `Engine` is loaded: the gRPC service, the command
line and the tests all call `score_listing`. `record` and `report` follow in the shells.
"""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
from msgspec import Struct, field

from wildgate_service.cargo import CargoTables, Pattern, booking_of, load_tables, patterns_of, with_patterns
from wildgate_service.classify import DEEP, ENCODER, Classifier, classify
from wildgate_service.classify.screen import Screen, fold_digest
from wildgate_service.decide import decide
from wildgate_service.decide.policy import Policy, rules_in_shadow
from wildgate_service.decide.shadow import held_back, without_rules
from wildgate_service.errors import InvalidListingError, ModelError
from wildgate_service.fuse import Fusion, check_fitted, fuse, load_fusion
from wildgate_service.match import match
from wildgate_service.match.stored import load_compiled
from wildgate_service.match.tables import CompiledLexicon
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.folder import ModelFolder, find_models
from wildgate_service.model.heads import OWN_HEADS, HeadSet
from wildgate_service.normalize import normalize
from wildgate_service.policy import default_policy, load_policy
from wildgate_service.types import Classification, ContentKind, Decision, Listing, Matches, Score, Versions

TITLE_LIMIT = 1_000
DESCRIPTION_LIMIT = 20_000
ATTRIBUTES_LIMIT = 64
SHORT_LIMIT = 256

Timings = list[tuple[str, int]]


class Engine(Struct, frozen=True):
    """Everything that a decision depends on. `classifier` is None where the encoder is missing, and `missing` says why."""

    lexicon: CompiledLexicon
    policy: Policy
    fusion: Fusion
    classifier: Classifier | None
    versions: Versions
    missing: str = ""
    screen: Screen | None = None
    cargo: CargoTables = field(default_factory=load_tables)


def load_engine(
    compiled_lexicon: Path,
    policy: Path | None = None,
    encoder: Path | None = None,
    models: ModelFolder | None = None,
    *,
    deep: Path | None = None,
) -> Engine:
    """Load an engine from a compiled lexicon, a policy file, models (None: what ships), and the encoders' folders (None: without).

    Raises LexiconError, PolicyError or ModelError. A missing or damaged *encoder* does not raise: the engine runs on what is left, and
    every answer that wanted the encoder says so. Models that are damaged or do not belong together do raise.
    """
    lexicon = load_compiled(compiled_lexicon)
    rules = load_policy(policy or default_policy())
    opened, missing = open_encoder(encoder)
    opened_deep, deep_missing = open_encoder(deep) if deep else (None, "")
    why = missing or (f"without the deep encoder: {deep_missing}" if deep_missing else "")
    bare = Engine(lexicon, rules, Fusion("", 0.0, {}), None, Versions(lexicon.version, "", rules.version), why)
    return with_models(bare, models or find_models(), opened, opened_deep)


def open_encoder(folder: Path | None) -> tuple[SentenceEncoder | None, str]:
    """The encoder, or None and why there is none."""
    if folder is None:
        return None, "no encoder was given; run `wildgate model build`"
    try:
        return SentenceEncoder.load(folder).open(), ""
    except ModelError as error:
        return None, str(error)


def with_models(engine: Engine, models: ModelFolder, encoder: SentenceEncoder | None, deep: SentenceEncoder | None = None) -> Engine:
    """The same engine with other models, over encoders that are open. Raises ModelError."""
    fusion, screen = load_fusion(models.fusion), Screen.load(models.screen, fold_digest())
    check_fitted(fusion, models.fusion, (screen.version, HeadSet.load(models.heads).config.version))
    classifier = classifier_of(encoder, models.heads) if encoder else None
    if classifier and deep and models.deep:
        classifier = msgspec.structs.replace(classifier, deep=classifier_of(deep, models.deep, DEEP))
    model = f"{fusion.version}/{screen.version}/{classifier.version if classifier else 'no-encoder'}"
    versions = msgspec.structs.replace(engine.versions, model=model)
    return msgspec.structs.replace(engine, fusion=fusion, screen=screen, classifier=classifier, versions=versions)


def classifier_of(encoder: SentenceEncoder, heads: Path, tier: str = ENCODER) -> Classifier:
    """An encoder with the heads in its own folder, else with those in `heads`. Raises ModelError unless they belong together."""
    own = encoder.folder / OWN_HEADS
    found = HeadSet.load(own if own.exists() else heads, encoder=encoder.config)
    found.check(encoder.embed)
    return Classifier(encoder, found, tier)


class Weighed(Struct, frozen=True):
    """A listing with all that a policy decides by; of policies only the routing of the engine's has a part in it.

    `patterns` are those of a booking of cargo: they are told and ranked by, and have no part in score or action.
    """

    listing: Listing
    skeleton: str
    matches: Matches
    classification: Classification
    score: Score
    patterns: tuple[Pattern, ...] = ()


def score_listing(
    engine: Engine,
    listing: Listing,
    *,
    tenant: str = "",
    timings: Timings | None = None,
    deadline: float | None = None,
    hurry: bool = False,
) -> Decision:
    """The decision on one listing.

    `timings`, if given, gets (stage, nanoseconds) appended. Slow tiers do not begin what they would not end before `deadline`, by
    `time.monotonic`, and in a `hurry` do not begin at all. Raises InvalidListingError.
    """
    weighed = weigh(engine, listing, timings, deadline, hurry=hurry)
    started = time.perf_counter_ns()
    decision = decide_on(weighed, engine, engine.policy, tenant=tenant)
    if timings is not None:
        timings.append(("decide", time.perf_counter_ns() - started))
    return decision


def weigh(
    engine: Engine, listing: Listing, timings: Timings | None = None, deadline: float | None = None, *, hurry: bool = False
) -> Weighed:
    """The stages before the policy's. Raises InvalidListingError."""
    clock = time.perf_counter_ns
    check_listing(listing)
    started = clock()
    text = normalize(listing)
    normalized = clock()
    matches = match(text, engine.lexicon)
    matched = clock()
    classification = classify(
        text, matches, listing, engine.classifier, screen=engine.screen, routing=engine.policy.routing, deadline=deadline, hurry=hurry
    )
    classified = clock()
    score = fuse(matches, classification, listing.content_kind, engine.fusion)
    if timings is not None:
        timings += [
            ("normalize", normalized - started),
            ("match", matched - normalized),
            ("classify", classified - matched),
            ("fuse", clock() - classified),
        ]
    return Weighed(listing, text.skeleton, matches, classification, score, _patterns(engine.cargo, listing))


def _patterns(tables: CargoTables, listing: Listing) -> tuple[Pattern, ...]:
    """What of a booking has covered wildlife before; nothing of what is none."""
    return patterns_of(booking_of(listing, tables), tables.patterns) if listing.content_kind is ContentKind.CARGO_BOOKING else ()


def decide_on(weighed: Weighed, engine: Engine, policy: Policy, *, tenant: str) -> Decision:
    """The decision by a policy, the engine's or another. What rules in shadow say is recorded, and what the others say is asked for."""
    full = _decided(weighed, weighed.matches, weighed.score, engine, policy, tenant)
    if not weighed.matches.taxa or full.shadow:
        return full
    on_trial = rules_in_shadow(policy.scopes(weighed.listing.market, engine.lexicon.unions, tenant))
    if not any(each.rule_id in on_trial for each in weighed.matches):
        return full
    rest = without_rules(weighed.skeleton, weighed.matches, on_trial, engine.lexicon)
    score = fuse(rest, weighed.classification, weighed.listing.content_kind, engine.fusion)
    return held_back(full, _decided(weighed, rest, score, engine, policy, tenant))


def _decided(weighed: Weighed, matches: Matches, score: Score, engine: Engine, policy: Policy, tenant: str) -> Decision:
    decision = decide(
        weighed.listing,
        matches,
        weighed.classification,
        score,
        policy,
        engine.lexicon,
        tenant=tenant,
        versions=msgspec.structs.replace(engine.versions, policy=policy.version) if policy is not engine.policy else engine.versions,
    )
    return with_patterns(decision, weighed.patterns, engine.cargo.patterns.text) if weighed.patterns else decision


def check_listing(listing: Listing) -> None:
    """Raise InvalidListingError if a stated limit is broken or there is no text at all."""
    _check_length("title", listing.title, TITLE_LIMIT)
    _check_length("description", listing.description, DESCRIPTION_LIMIT)
    _check_length("listing_id", listing.id, SHORT_LIMIT)
    for name in ("category", "seller_ref", "language", "market"):
        _check_length(name, getattr(listing, name), SHORT_LIMIT)
    if len(listing.attributes) > ATTRIBUTES_LIMIT:
        raise _over("attributes", ATTRIBUTES_LIMIT, len(listing.attributes), "TOO_MANY_ITEMS", "items")
    for index, attribute in enumerate(listing.attributes):
        _check_length(f"attributes[{index}].name", attribute.name, SHORT_LIMIT)
        _check_length(f"attributes[{index}].value", attribute.value, SHORT_LIMIT)
    if not (listing.title or listing.description or any(each.name or each.value for each in listing.attributes)):
        message = "the listing has no text: title, description and attributes are all empty"
        raise InvalidListingError(message, reason="FIELD_MISSING", field="title")


def _check_length(field: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise _over(field, limit, len(text), "FIELD_TOO_LONG", "code points")


def _over(field: str, limit: int, actual: int, reason: str, unit: str) -> InvalidListingError:
    message = f"{field} has {actual} {unit}, the limit is {limit}"
    return InvalidListingError(message, reason=reason, field=field, limit=str(limit), actual=str(actual))
