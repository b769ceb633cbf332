"""The head `wildlife_offer`: a small network over the embedding, trained on texts that people wrote against real ones without an offer."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from wildgate_service.model.authored import AuthoredText, readable
from wildgate_service.model.classifiers import TrainedHead, Weights, fit_platt
from wildgate_service.model.embedding_cache import EmbeddingCache
from wildgate_service.model.encoder import Vectors
from wildgate_service.model.evaluation import Labels, Scores, average_precision, bootstrap, share
from wildgate_service.model.heads import HeadConfig, Hidden
from wildgate_service.model.reliability import reliability
from wildgate_service.model.results import Interval, LanguageResults, NegativeResults, OfferResults, Share
from wildgate_service.model.training_data import Negative, is_for_calibration, is_held_out

HALF, NINE_TENTHS = 0.5, 0.9
NARROW = 0.5  # length of the mean of unit vectors from which they count as pointing one way
OFFERS_WEIGHT, INNOCENT_WEIGHT, ORDINARY_WEIGHT = 0.50, 0.25, 0.25  # shares of the three parts
HIDDEN, EPOCHS, BATCH, RATE, DECAY = 512, 20, 512, 2e-3, 1e-4  # 256 units and 15 epochs did a little worse on kept templates


def train_offers(
    written: Sequence[AuthoredText], negatives: Sequence[Negative], cache: EmbeddingCache, lexicon_version: str, description: str, seed: int
) -> tuple[TrainedHead, OfferResults]:
    """The head, trained on what the encoder reads, calibrated and measured on templates and real texts that it has not seen."""
    languages = set(cache.languages)
    read = [each for each in written if each.language in languages]
    ordinary = [each for each in negatives if languages.issuperset(each.language.split("/"))]
    examples = [each for each in read if not each.is_kept]
    kept = [each for each in read if each.is_kept]
    trained = [each for each in ordinary if not (is_held_out(each.id) or is_for_calibration(each.id))]
    calibrating = [each for each in ordinary if is_for_calibration(each.id)]
    held_out = [each for each in ordinary if is_held_out(each.id)]
    labels, weights = _labels(examples, trained)
    hidden, bias = fit_hidden(_embedded([*examples, *trained], cache), labels, weights, seed)
    labels, weights = _labels(kept, calibrating)
    scores = np.asarray(hidden.scores(_embedded([*kept, *calibrating], cache)) + bias, np.float64)
    slope, offset = fit_platt(scores, labels, weights)
    prior = float(weights[labels].sum() / weights.sum())
    head = TrainedHead(HeadConfig(description, bias, slope, offset, prior), np.zeros(cache.dimension, np.float32), (), hidden)
    probabilities = head.calibrated(scores)
    results = OfferResults(
        lexicon_version,
        offers=sum(each.offer for each in examples),
        innocent=sum(not each.offer for each in examples),
        negatives=len(trained),
        held_out=len(held_out),
        kept=len(kept),
        average_precision=_authored_precision(kept, scores[: len(kept)], seed),
        languages=_by_language(kept, probabilities[: len(kept)] >= HALF),
        held_out_negatives=negative_results(held_out, head.probabilities(_embedded(held_out, cache))),
        calibration=reliability(probabilities, labels, weights),
    )
    return head, results


def fit_hidden(
    embeddings: Vectors, labels: Labels, weights: Weights, seed: int, *, units: int = HIDDEN, epochs: int = EPOCHS
) -> tuple[Hidden, float]:
    """A network of one hidden layer (rectified, Adam: Kingma and Ba 2015) over embeddings [n, dimension], and its bias.

    Vectors that all point one way are moved and stretched around their mean first, and the layer is written so that it undoes it.
    """
    center, spread = _centered(embeddings)
    model = MLPClassifier(
        hidden_layer_sizes=(units,),
        alpha=DECAY,
        batch_size=min(BATCH, len(labels)),
        learning_rate_init=RATE,
        max_iter=epochs,
        tol=0.0,
        n_iter_no_change=epochs,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of epochs is what is wanted
        model.fit((embeddings - center) / spread, labels, sample_weight=weights)
    outputs = np.asarray(model.coefs_[1][:, 0], np.float32)
    inputs = np.asarray(model.coefs_[0].T / spread, np.float16).astype(np.float32)  # as it is kept, so that the bias fits it
    hidden = Hidden(inputs, np.asarray(model.intercepts_[0] - inputs @ center, np.float32), outputs)
    return hidden, float(model.intercepts_[1][0])


def _centered(embeddings: Vectors) -> tuple[Vectors, float]:
    """Mean and spread of vectors of which most is their mean, as those of BERT-like encoders; else nothing to move or stretch."""
    center = np.asarray(embeddings.mean(axis=0), np.float32)
    narrow = float(np.linalg.norm(center)) > NARROW
    return (center, float(embeddings.std())) if narrow else (np.zeros_like(center), 1.0)


def part_weights(labels: Labels, authored: Sequence[AuthoredText]) -> Weights:
    """Weights by which offers, innocent authored texts and ordinary ones weigh their shares; 1 on average. The authored ones come first."""
    weights = np.array([each.weight for each in authored] + [1.0] * (len(labels) - len(authored)))
    ordinary = np.arange(len(labels)) >= len(authored)
    parts = (labels, ~ordinary & ~labels, ordinary)
    wanted = (OFFERS_WEIGHT, INNOCENT_WEIGHT, ORDINARY_WEIGHT)
    for part, weight in zip(parts, wanted, strict=True):
        weights[part] *= weight / max(weights[part].sum(), 1.0)
    return np.asarray(weights * len(weights) / weights.sum())


def _labels(authored: Sequence[AuthoredText], ordinary: Sequence[Negative]) -> tuple[Labels, Weights]:
    """Labels and weights of authored texts, then ordinary ones."""
    labels = np.array([each.offer for each in authored] + [False] * len(ordinary))
    return labels, part_weights(labels, authored)


def _embedded(texts: Sequence[AuthoredText | Negative], cache: EmbeddingCache) -> Vectors:
    """Embeddings [n, dimension]."""
    return cache.embed([readable(text.text) for text in texts])


def _authored_precision(kept: Sequence[AuthoredText], scores: Scores, seed: int) -> Interval:
    """Average precision of offers among twins and talk, templates resampled."""
    labels = np.array([each.offer for each in kept])
    _, groups = np.unique([each.source for each in kept], return_inverse=True)
    name = "average_precision"
    return bootstrap(groups, seed, {name: lambda sample: average_precision(labels[sample], scores[sample])})[name]


def _by_language(kept: Sequence[AuthoredText], calls: Labels) -> dict[str, LanguageResults]:
    labels, languages = np.array([each.offer for each in kept]), np.array([each.language for each in kept])
    return {
        str(name): LanguageResults(
            found=share(int((chosen & labels & calls).sum()), int((chosen & labels).sum())),
            false=share(int((chosen & ~labels & calls).sum()), int((chosen & ~labels).sum())),
        )
        for name in sorted(set(languages))
        for chosen in [languages == name]
    }


def negative_results(negatives: Sequence[Negative], probabilities: Scores) -> tuple[NegativeResults, ...]:
    """False positives by language and kind of text."""
    kinds = [(negative.language, negative.source_kind) for negative in negatives]
    rows = np.array(kinds)
    return tuple(
        NegativeResults(
            *kind,
            at_half=share_above(probabilities[(rows == kind).all(axis=1)], HALF),
            at_nine_tenths=share_above(probabilities[(rows == kind).all(axis=1)], NINE_TENTHS),
        )
        for kind in sorted(set(kinds))
    )


def share_above(probabilities: Scores, threshold: float) -> Share:
    """How many are at or above a threshold."""
    return share(int((probabilities >= threshold).sum()), len(probabilities))
