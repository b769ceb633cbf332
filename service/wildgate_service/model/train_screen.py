"""The screen's two tables: logistic regression on hashed n-grams of authored texts and real ones, in every language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from wildgate_service.classify.screen import (
    Floats,
    Screen,
    ScreenConfig,
    Table,
    Weights,
    fold_digest,
    log_odds,
    write_screen,
)
from wildgate_service.model.authored import AuthoredText
from wildgate_service.model.classifiers import Weights as Weighing
from wildgate_service.model.classifiers import fit_platt
from wildgate_service.model.evaluation import Labels, Scores, average_precision, share
from wildgate_service.model.letters import counts, rarity
from wildgate_service.model.reliability import reliability
from wildgate_service.model.results import SaleResults, ScreenLanguage, ScreenResults, Share
from wildgate_service.model.train_offers import part_weights
from wildgate_service.model.train_sale import SaleTexts, sale_results, trained_and_kept
from wildgate_service.model.training_data import Negative, is_for_calibration, is_held_out
from wildgate_service.normalize import fold

STRENGTH = 0.1  # inverse regularization
MOST_STEPS = 300
LARGEST = 127  # of a stored weight
CLIPPED = 1e-4  # share of the largest weights that are cut to the next
ORDINARY_HALF = 0.001  # share of ordinary texts at which recall is told

Bytes = NDArray[np.int8]


@dataclass(frozen=True)
class _Set:
    """Texts with labels; the authored ones first."""

    skeletons: Sequence[str]
    labels: Labels
    authored: Sequence[AuthoredText]
    languages: Sequence[str]


def train_screen(authored: Sequence[AuthoredText], negatives: Sequence[Negative], output: Path) -> ScreenResults:
    """Train both tables, calibrate on what was kept, write the folder `output`, and say how they fare there and on held-out negatives."""
    trained = _set(
        [each for each in authored if not each.is_kept],
        [each for each in negatives if not (is_held_out(each.id) or is_for_calibration(each.id))],
    )
    kept = _set([each for each in authored if each.is_kept], [each for each in negatives if is_for_calibration(each.id)])
    balance = part_weights(kept.labels, kept.authored)
    fitted = _Part(trained.skeletons, trained.labels, part_weights(trained.labels, trained.authored))
    offer = _table(fitted, _Part(kept.skeletons, kept.labels, balance))
    sale_trained, sale_kept = trained_and_kept(authored, negatives)
    sale = _table(_part(sale_trained), _part(sale_kept))
    weights = Weights(offer.weights, sale.weights)
    config = write_screen(output, ScreenConfig(offer.table, sale.table, fold_digest()), weights)
    held_out = [each for each in negatives if is_held_out(each.id)]
    sales = sale_results(sale_trained, sale_kept, np.asarray(expit(sale.logits)))
    return _results(Screen(config, weights), trained, kept, balance, held_out, sales)


class _Part(NamedTuple):
    """Texts to fit or calibrate on."""

    skeletons: Sequence[str]
    labels: Labels
    weights: Weighing


class _Fitted(NamedTuple):
    """One table, and its calibrated log-odds of the kept texts."""

    weights: Bytes
    table: Table
    logits: Scores


def _part(texts: SaleTexts) -> _Part:
    return _Part(list(map(fold, texts.texts)), texts.labels, texts.weights)


def _table(trained: _Part, kept: _Part) -> _Fitted:
    weights, scale = _quantized(_fit(trained))
    plain = weights.astype(np.float32) * np.float32(scale)
    scores = np.array([log_odds(skeleton, plain, Table(scale)) for skeleton in kept.skeletons])
    slope, offset = fit_platt(scores, kept.labels, kept.weights)
    return _Fitted(weights, Table(scale, slope, offset), slope * scores + offset)


def _set(authored: Sequence[AuthoredText], negatives: Sequence[Negative]) -> _Set:
    texts: list[AuthoredText | Negative] = [*authored, *negatives]
    labels = np.array([each.offer for each in authored] + [False] * len(negatives))
    return _Set([fold(each.text) for each in texts], labels, authored, [each.language for each in texts])


def _fit(trained: _Part) -> Floats:
    """One weight per hash, which holds how rare its n-grams are."""
    rows = counts(trained.skeletons)
    scaled = rarity(rows)
    model = LogisticRegression(C=STRENGTH, max_iter=MOST_STEPS, fit_intercept=False)
    model.fit(csr_matrix(rows @ scaled), trained.labels, sample_weight=trained.weights)
    return np.asarray(scaled @ model.coef_[0], np.float32)


def _quantized(weights: Floats) -> tuple[Bytes, float]:
    """The weights in one byte each, and their scale."""
    scale = float(np.quantile(np.abs(weights), 1 - CLIPPED)) / LARGEST
    return np.clip(np.round(weights / scale), -LARGEST, LARGEST).astype(np.int8), scale


def _results(
    screen: Screen, trained: _Set, kept: _Set, balance: Weighing, held_out: Sequence[Negative], sales: SaleResults
) -> ScreenResults:
    scores = np.array(list(map(screen.logit, kept.skeletons)))
    ordinary = np.array([screen.logit(fold(each.text)) for each in held_out])
    threshold = float(np.quantile(ordinary, 1 - ORDINARY_HALF)) if len(ordinary) else 0.0
    texts = len(kept.authored)
    languages = np.array(kept.languages[:texts])
    labels, authored = kept.labels[:texts], scores[:texts]
    return ScreenResults(
        version=screen.version,
        trained=len(trained.labels),
        kept=texts,
        held_out=len(held_out),
        average_precision=average_precision(labels, authored),
        threshold=threshold,
        languages={str(name): _language(languages == name, labels, authored, threshold) for name in sorted(set(languages))},
        held_out_above=share(int((ordinary >= threshold).sum()), len(ordinary)),
        calibration=reliability(expit(scores), kept.labels, balance),
        sale=sales,
    )


def _language(chosen: Labels, labels: Labels, scores: Scores, threshold: float) -> ScreenLanguage:
    def above(wanted: Labels) -> Share:
        return share(int((chosen & wanted & (scores >= threshold)).sum()), int((chosen & wanted).sum()))

    return ScreenLanguage(found=above(labels), false=above(~labels))
