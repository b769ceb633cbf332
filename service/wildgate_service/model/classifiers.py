"""The classifiers that training compares: embeddings, n-grams, others, and all together.

Only what is fitted on embeddings is ever stored: n-grams would carry pieces of the texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from wildgate_service.model.encoder import Vectors
from wildgate_service.model.evaluation import (
    Groups,
    Labels,
    Places,
    Scores,
    best_threshold,
    grouped_folds,
)
from wildgate_service.model.heads import HeadConfig, Hidden
from wildgate_service.model.reliability import reliability
from wildgate_service.model.results import Bin

ENCODER_STRENGTH, NGRAM_STRENGTH, STACK_STRENGTH = 10.0, 10.0, 1.0
STACK = "all"
WORD = r"(?u)\b\w+\b"
FEWEST_TEXTS = 2  # an n-gram of fewer training texts is dropped
MOST_STEPS = 2000

Weights = NDArray[np.float64]


class Classifier(Protocol):
    """Something that can be fitted on some places of a set and score others."""

    def scores(self, labels: Labels, train: Places, test: Places) -> Scores:
        """Log odds of the test places, after fitting on the train places."""


@dataclass(frozen=True, eq=False)
class EmbeddingClassifier:
    """Logistic regression on sentence embeddings [n, dimension], each text weighing `weights`."""

    embeddings: Vectors
    weights: Weights
    strength: float = ENCODER_STRENGTH  # inverse regularization C

    def scores(self, labels: Labels, train: Places, test: Places) -> Scores:
        """Log odds of the test places, after fitting on the train places."""
        model = self.fit(labels, train)
        return np.asarray(model.decision_function(self.embeddings[test]))

    def fit(self, labels: Labels, train: Places) -> LogisticRegression:
        """The regression over some places, both classes weighing the same."""
        weights = balanced(labels[train], self.weights[train])
        model = LogisticRegression(C=self.strength, max_iter=MOST_STEPS)
        return model.fit(self.embeddings[train], labels[train], sample_weight=weights)


class NgramClassifier:
    """Logistic regression on TF-IDF of word 1-2-grams and character 2-5-grams within words.

    Everything is counted once; what a fold may not know (n-grams its training texts lack, document
    frequencies) is hidden from it, so the figures equal those of a vectorizer fitted per fold.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        words = CountVectorizer(ngram_range=(1, 2), token_pattern=WORD)
        letters = CountVectorizer(ngram_range=(2, 5), analyzer="char_wb")
        self.counts = [csr_matrix(kind.fit_transform(texts)) for kind in (words, letters)]

    def scores(self, labels: Labels, train: Places, test: Places) -> Scores:
        """Log odds of the test places, after fitting on the train places."""
        parts = [tfidf(counts, train) for counts in self.counts]
        features = csr_matrix(hstack(parts))
        model = LogisticRegression(C=NGRAM_STRENGTH, class_weight="balanced", solver="liblinear", max_iter=MOST_STEPS)
        model.fit(features[train], labels[train])
        return np.asarray(model.decision_function(features[test]))


@dataclass(frozen=True)
class Judged:
    """Every text of a set, judged by a model that has not seen its group."""

    scores: Scores  # log odds
    calls: Labels  # at the threshold that was best on the training folds


def tfidf(counts: Any, train: Places) -> Any:  # noqa: ANN401 - sparse matrices are untyped
    """TF-IDF of all rows as the training rows alone define it."""
    known = counts[train].getnnz(axis=0) >= FEWEST_TEXTS
    kept = counts[:, np.flatnonzero(known)]
    return TfidfTransformer(sublinear_tf=True).fit(kept[train]).transform(kept)


def held_out_scores(classifier: Classifier, labels: Labels, groups: Groups, places: Places, seed: int) -> Scores:
    """Log odds of each place by a model that has not seen its group."""
    scores = np.empty(len(places))
    for train, test in grouped_folds(labels[places], groups[places], seed):
        scores[test] = classifier.scores(labels, places[train], places[test])
    return scores


def compare(parts: dict[str, Classifier], labels: Labels, groups: Groups, seed: int) -> dict[str, Judged]:
    """Each classifier, and all stacked, on the same grouped folds.

    Thresholds, and the weights of the stack, are learned on inner folds of the training part.
    """
    names = (*parts, STACK)
    scores = {name: np.empty(len(labels)) for name in names}
    calls = {name: np.empty(len(labels), np.bool_) for name in names}
    for train, test in grouped_folds(labels, groups, seed):
        inner = [held_out_scores(part, labels, groups, train, seed) for part in parts.values()]
        outer = [part.scores(labels, train, test) for part in parts.values()]
        stack = fit_stack(inner, labels[train])
        inner.append(stack_scores(stack, inner))
        outer.append(stack_scores(stack, outer))
        for name, seen, unseen in zip(names, inner, outer, strict=True):
            scores[name][test] = unseen
            calls[name][test] = unseen >= best_threshold(labels[train], seen)
    return {name: Judged(scores[name], calls[name]) for name in names}


def fit_stack(scores: Sequence[Scores], labels: Labels) -> LogisticRegression:
    """Logistic regression on the scores of several classifiers."""
    model = LogisticRegression(C=STACK_STRENGTH, class_weight="balanced")
    return model.fit(np.stack(scores, axis=1), labels)


def stack_scores(stack: LogisticRegression, scores: Sequence[Scores]) -> Scores:
    """Log odds by a stack."""
    return np.asarray(stack.decision_function(np.stack(scores, axis=1)))


def fit_platt(scores: Scores, labels: Labels, weights: Weights) -> tuple[float, float]:
    """Slope and offset of Platt's calibration, all but unregularized."""
    model = LogisticRegression(C=1e6).fit(scores[:, None], labels, sample_weight=weights)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


@dataclass(frozen=True)
class TrainedHead:
    """A head ready to be written, and what its calibration is worth."""

    config: HeadConfig
    weights: Vectors  # [dimension]
    bins: tuple[Bin, ...]
    hidden: Hidden | None = None

    def probabilities(self, embeddings: Vectors) -> Scores:
        """Calibrated probabilities [n] of embeddings [n, dimension]."""
        added = self.hidden.scores(embeddings) if self.hidden else 0.0
        return self.calibrated(np.asarray(embeddings @ self.weights + added + self.config.bias, np.float64))

    def calibrated(self, scores: Scores) -> Scores:
        """Calibrated probabilities of uncalibrated log odds."""
        return np.asarray(expit(self.config.slope * scores + self.config.offset), np.float64)


def finish_head(description: str, classifier: EmbeddingClassifier, labels: Labels, held_out: Scores) -> TrainedHead:
    """Fit on everything, calibrate on `held_out` log odds; the text's weights set the prior."""
    weights = classifier.weights
    model = classifier.fit(labels, np.arange(len(labels)))
    slope, offset = fit_platt(held_out, labels, weights)
    prior = float(weights[labels].sum() / weights.sum())
    config = HeadConfig(description, float(model.intercept_[0]), slope, offset, prior)
    probabilities = expit(slope * held_out + offset)
    row = np.asarray(model.coef_[0], np.float32)
    return TrainedHead(config, row, reliability(probabilities, labels, weights))


def balanced(labels: Labels, weights: Weights) -> Weights:
    """The weights rescaled so that both classes weigh the same, and 1 per text on average."""
    sums = np.where(labels, weights[labels].sum(), weights[~labels].sum())
    return np.asarray(weights / sums * len(labels) / 2)
