"""What the service, or one tier of it alone, says of a text."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from wildgate_service.classify import Classifier
from wildgate_service.classify.screen import Screen
from wildgate_service.classify.windows import readable_windows
from wildgate_service.errors import ModelError
from wildgate_service.model.heads import sigmoid
from wildgate_service.model.labeled_texts import LabeledText
from wildgate_service.normalize import normalize
from wildgate_service.pipeline import Engine, decide_on, weigh
from wildgate_service.types import Action, Listing

OFFER_HEAD = "wildlife_offer"
HALF = 0.5  # from which a tier by itself is taken to stop a text


class Verdict(Struct, frozen=True):
    """An answer to one text: action, probability of an offer, and whether the encoder read it."""

    action: Action
    score: float
    read: bool = False

    @property
    def stopped(self) -> bool:
        """REVIEW or BLOCK."""
        return self.action is not Action.ALLOW

    @property
    def blocked(self) -> bool:
        """BLOCK."""
        return self.action is Action.BLOCK


class Answered(Struct, frozen=True):
    """A text with its verdict, and how long that took."""

    text: LabeledText
    verdict: Verdict
    microseconds: float = 0.0

    @property
    def right(self) -> bool:
        """An offer that is not let through, or a benign text that is."""
        return self.text.offer == self.verdict.stopped


Judge = Callable[[LabeledText], Verdict]


def verdict(engine: Engine, listing: Listing) -> Verdict:
    """Score one listing, by the engine's policy."""
    weighed = weigh(engine, listing)
    decision = decide_on(weighed, engine, engine.policy, tenant="")
    return Verdict(decision.action, decision.score, bool(weighed.classification.probabilities))


def complete(engine: Engine) -> Engine:
    """The engine itself. Raises ModelError if the encoder is not there: what is measured without it is another product."""
    if engine.missing:
        raise ModelError(f"the encoder is missing ({engine.missing}); run `wildgate model build`")
    return engine


def lexicons_alone(engine: Engine) -> Engine:
    """The same with screen and encoder off."""
    return msgspec.structs.replace(engine, classifier=None, screen=None, missing="switched off for this measurement")


def judge_of(tier: str, engine: Engine) -> Judge:
    """How a tier answers: `all` and `lexicon` by the policy, a model alone by its probability of an offer, from one half.

    Raises ModelError if the engine lacks what the tier needs.
    """
    if tier == "lexicon":
        return _by_policy(lexicons_alone(engine))
    if tier == "screen":
        return _by_screen(engine.screen)
    if complete(engine).classifier and tier == "encoder":
        return _by_encoder(engine.classifier)
    return _by_policy(engine)


def _by_policy(engine: Engine) -> Judge:
    return lambda text: verdict(engine, text.listing)


def _by_screen(screen: Screen | None) -> Judge:
    if screen is None:
        raise ModelError("there is no screen to measure")
    return lambda text: _alone(sigmoid(screen.logit(normalize(text.listing).skeleton)), read=False)


def _by_encoder(classifier: Classifier | None) -> Judge:
    """A text in a language that the encoder does not read has no probability, and is let through."""
    if classifier is None:
        raise ModelError("there is no encoder to measure")

    def judge(text: LabeledText) -> Verdict:
        if not classifier.encoder.reads(text.language):
            return Verdict(Action.ALLOW, 0.0)
        parts, _ = readable_windows(normalize(text.listing), ())
        rows = map(classifier.heads.probabilities, classifier.encoder.embed(parts))
        return _alone(max(row[OFFER_HEAD] for row in rows), read=True)

    return judge


def _alone(probability: float, *, read: bool) -> Verdict:
    return Verdict(Action.REVIEW if probability >= HALF else Action.ALLOW, probability, read)


def answer(judge: Judge, texts: list[LabeledText]) -> list[Answered]:
    """All texts answered, one after the other."""
    found = []
    for text in texts:
        started = time.perf_counter_ns()
        said = judge(text)
        found.append(Answered(text, said, (time.perf_counter_ns() - started) / 1000))
    return found


def provenance(engine: Engine) -> dict[str, Any]:
    """Versions of what was measured; `code_sha256` is of every file of the service's package, models and policies included."""
    versions = engine.versions
    return {
        "versions": {"lexicon": versions.lexicon, "model": versions.model, "policy": versions.policy},
        "fusion_weights": engine.fusion.weights,
        "code_sha256": _hash_of(Path(__file__).parent.parent),
    }


def _hash_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
