"""Fit the weights of `fuse` on texts written for development, under sign constraints.

Maximum a posteriori: logistic loss plus a quadratic pull toward `models/fusion-priors` (weights set by hand), bounded so that no weight
takes the wrong sign (L-BFGS-B, Byrd et al. 1995). It is fitted on what no model below it was trained on: the development half of a file
of labeled texts, templates and texts that are kept for it, and, where there is a data folder, real texts without an offer that are kept for
calibration. Needs the extra `train`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.optimize import minimize

from wildgate_service.classify import classify
from wildgate_service.errors import ModelError
from wildgate_service.fuse import FEATURES, Fusion, features, load_fusion
from wildgate_service.match import match
from wildgate_service.model.authored import AuthoredText, Origin
from wildgate_service.model.folder import PRIORS
from wildgate_service.model.labeled_texts import LabeledText, as_listing, is_development
from wildgate_service.model.training_data import Negative, is_for_calibration
from wildgate_service.normalize import normalize
from wildgate_service.pipeline import Engine
from wildgate_service.types import Listing

PULL = 1.0  # strength of the priors: one text's worth of loss per unit of squared distance
FILLS = 3  # fillings of one kept template; together they weigh one text
ORDINARY = 5.0  # weight of an ordinary text: they are far more on a platform than here
Floats = NDArray[np.float64]


class Weighed(Struct, frozen=True):
    """A text to fit on, and how much it weighs."""

    listing: Listing
    offer: bool
    weight: float = 1.0


def development_texts(texts: list[LabeledText]) -> list[Weighed]:
    """Those of a file of labeled texts that may be tuned on."""
    return [Weighed(each.listing, each.offer) for each in texts if is_development(each)]


def kept_texts(authored: Iterable[AuthoredText]) -> list[Weighed]:
    """Some fillings of each kept template, and the kept ones of those written one by one; ordinary ones weigh as real texts do."""
    kept = [each for each in authored if each.is_kept]
    offered = {each.source for each in kept if each.offer}
    left: Counter[tuple[str, bool]] = Counter()
    found = []
    for each in kept:
        if left[each.source, each.offer] < FILLS:
            left[each.source, each.offer] += 1
            weight = 1 / FILLS if each.origin is Origin.TEMPLATE else ORDINARY if each.is_ordinary and each.source not in offered else 1.0
            found.append(Weighed(as_listing(each.text, each.content_kind), each.offer, weight))
    return found


def ordinary_texts(negatives: Iterable[Negative]) -> list[Weighed]:
    """Real texts without an offer that no model was trained on and no figure is reported of."""
    return [Weighed(Listing(title=each.text), offer=False, weight=ORDINARY) for each in negatives if is_for_calibration(each.id)]


def fit_fusion(engine: Engine, texts: list[Weighed], version: str) -> Fusion:
    """The fitted model on the features that `engine` finds; the intercept is the priors'."""
    below, prior = fitted_on(engine), load_fusion(PRIORS)
    names = list(FEATURES)
    rows = [(values, text) for text in texts if (values := _features(engine, text))]
    matrix = np.array([[values.get(name, 0.0) for name in names] for values, _ in rows])
    labels = np.array([text.offer for _, text in rows], float)
    sizes = np.array([text.weight for _, text in rows])
    priors = np.array([prior.weights[name] for name in names])
    bounds = [(0.0, None) if FEATURES[name] > 0 else (None, 0.0) for name in names]

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = matrix @ weights + prior.intercept
        away = weights - priors
        value = sizes @ (np.logaddexp(0.0, logits) - labels * logits) + PULL * (away @ away)
        gradient = matrix.T @ (sizes * (1.0 / (1.0 + np.exp(-logits)) - labels)) + 2.0 * PULL * away
        return float(value), gradient

    found = minimize(loss, priors, jac=True, method="L-BFGS-B", bounds=bounds)
    weights = {name: round(float(value), 4) for name, value in zip(names, found.x, strict=True)}
    return Fusion(version, prior.intercept, weights, below)


def fitted_on(engine: Engine) -> tuple[str, ...]:
    """Versions of the models below the fusion. Raises ModelError if one is missing: a fusion without it would be another."""
    if engine.screen is None or engine.classifier is None:
        raise ModelError(f"the encoder is missing ({engine.missing}); run `wildgate model build`")
    return engine.screen.version, engine.classifier.heads.config.version


def _features(engine: Engine, text: Weighed) -> dict[str, float]:
    normalized = normalize(text.listing)
    matches = match(normalized, engine.lexicon)
    said = classify(normalized, matches, text.listing, engine.classifier, screen=engine.screen, routing=engine.policy.routing)
    return features(matches, said, text.listing.content_kind)
