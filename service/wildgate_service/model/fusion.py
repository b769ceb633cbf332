"""Fit the weights of `fuse` on texts written for development, under sign constraints.

Maximum a posteriori: logistic loss plus a quadratic pull toward `models/fusion-priors` (weights set by hand), bounded so that no weight
takes the wrong sign (L-BFGS-B, Byrd et al. 1995). Texts: JSON Lines with `id`, `pair`, `kind`, `title`, `description` and
`expected` (offer or benign). Only those that `is_development` are read; the others are kept for reporting. Needs the extra `train`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.optimize import minimize

from wildgate_service.classify import classify
from wildgate_service.errors import ModelError
from wildgate_service.fuse import FEATURES, Fusion, features, load_fusion
from wildgate_service.match import match
from wildgate_service.normalize import normalize
from wildgate_service.pipeline import MODELS, Engine
from wildgate_service.types import ContentKind, Listing

PULL = 1.0  # strength of the priors: one text's worth of loss per unit of squared distance
Floats = NDArray[np.float64]


class LabeledText(Struct, frozen=True):
    """A text and what it is."""

    id: str
    title: str
    expected: str
    kind: ContentKind = ContentKind.LISTING
    description: str | None = None
    pair: str | None = None


def is_development(text: LabeledText) -> bool:
    """Whether a text may be tuned on: the first byte of SHA-256 of the lesser id of its contrast pair is even. Twins stay together."""
    lesser = min(text.id, text.pair or text.id)
    return hashlib.sha256(lesser.encode()).digest()[0] % 2 == 0


def read_texts(path: Path) -> list[LabeledText]:
    """All texts of a file. Raises ModelError if it cannot be read."""
    try:
        return [msgspec.json.decode(line, type=LabeledText) for line in path.read_bytes().splitlines() if line.strip()]
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"texts {path} cannot be read: {error}") from error


def fit_fusion(engine: Engine, texts: list[LabeledText], version: str) -> Fusion:
    """The fitted model on the features that `engine` finds; the intercept is the priors'."""
    prior = load_fusion(MODELS / "fusion-priors")
    names = list(FEATURES)
    rows = [(_features(engine, text), text.expected == "offer") for text in texts if is_development(text)]
    used = [(values, label) for values, label in rows if values]
    matrix = np.array([[values.get(name, 0.0) for name in names] for values, _ in used])
    labels = np.array([label for _, label in used], float)
    priors = np.array([prior.weights[name] for name in names])
    bounds = [(0.0, None) if FEATURES[name] > 0 else (None, 0.0) for name in names]

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = matrix @ weights + prior.intercept
        away = weights - priors
        value = np.logaddexp(0.0, logits).sum() - labels @ logits + PULL * (away @ away)
        gradient = matrix.T @ (1.0 / (1.0 + np.exp(-logits)) - labels) + 2.0 * PULL * away
        return float(value), gradient

    found = minimize(loss, priors, jac=True, method="L-BFGS-B", bounds=bounds)
    weights = {name: round(float(value), 4) for name, value in zip(names, found.x, strict=True)}
    return Fusion(version, prior.intercept, weights)


def _features(engine: Engine, text: LabeledText) -> dict[str, float]:
    listing = Listing(title=text.title, description=text.description or "", content_kind=text.kind)
    normalized = normalize(listing)
    matches = match(normalized, engine.lexicon)
    return features(matches, classify(normalized, matches, listing, engine.classifier), text.kind)
