"""The engine that is measured, and what it says of a text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wildgate_service
from wildgate_service.local import local_engine
from wildgate_service.pipeline import TITLE_LIMIT, Engine, score_listing
from wildgate_service.types import Action, ContentKind, Listing


class NothingToMeasureWithError(Exception):
    """The engine is incomplete; the message says how to complete it."""


@dataclass(frozen=True)
class Verdict:
    """What the service would answer, by the policy that ships."""

    action: Action
    score: float

    @property
    def stopped(self) -> bool:
        """REVIEW or BLOCK."""
        return self.action is not Action.ALLOW

    @property
    def blocked(self) -> bool:
        """BLOCK."""
        return self.action is Action.BLOCK


def complete_engine() -> Engine:
    """The engine as it is served. Raises NothingToMeasureWithError if the encoder is not there: that would be another product."""
    engine = local_engine()
    if engine.missing:
        raise NothingToMeasureWithError(f"the encoder is missing ({engine.missing}); run `wildgate model build`")
    return engine


def verdict(engine: Engine, listing: Listing) -> Verdict:
    """Score one listing."""
    decision = score_listing(engine, listing)
    return Verdict(decision.action, decision.score)


def as_listing(text: str, kind: ContentKind) -> Listing:
    """A text without a form around it: a post is a description, all else a title if it fits; no language or market is given."""
    if kind is ContentKind.SOCIAL_POST or len(text) > TITLE_LIMIT:
        return Listing(description=text, content_kind=kind)
    return Listing(title=text, content_kind=kind)


def provenance(engine: Engine) -> dict[str, Any]:
    """Versions of what was measured; `code_sha256` is of every file of the service's package, models and policies included."""
    versions = engine.versions
    return {
        "versions": {"lexicon": versions.lexicon, "model": versions.model, "policy": versions.policy},
        "fusion_weights": engine.fusion.weights,
        "code_sha256": _hash_of(Path(wildgate_service.__file__).parent),
    }


def _hash_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
