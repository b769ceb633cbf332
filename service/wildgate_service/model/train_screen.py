"""The screen: logistic regression on hashed n-grams of authored texts against real ones, in every language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from wildgate_service.classify.screen import BITS, BLOCK, ORDERS, Floats, Screen, ScreenConfig, fold_digest, hashes, write_screen
from wildgate_service.model.authored import AuthoredText
from wildgate_service.model.classifiers import fit_platt
from wildgate_service.model.evaluation import Labels, Scores, average_precision, share
from wildgate_service.model.reliability import reliability
from wildgate_service.model.results import ScreenLanguage, ScreenResults, Share
from wildgate_service.model.train_offers import part_weights
from wildgate_service.model.training_data import Negative, is_for_calibration, is_held_out
from wildgate_service.normalize import fold

LONGEST = 4 * BLOCK  # code points of a text that are trained on
STRENGTH = 0.1  # inverse regularization
RARITY = 1.5  # power of the inverse document frequency; 0 and 1 were worse on the kept texts
MOST_STEPS = 300
LARGEST = 127  # of a stored weight
CLIPPED = 1e-4  # share of the largest weights that are cut to the next
ORDINARY_HALF = 0.001  # share of ordinary texts at which recall is told


@dataclass(frozen=True)
class _Set:
    """Texts with labels; the authored ones first."""

    skeletons: Sequence[str]
    labels: Labels
    authored: Sequence[AuthoredText]
    languages: Sequence[str]


def train_screen(authored: Sequence[AuthoredText], negatives: Sequence[Negative], output: Path) -> ScreenResults:
    """Train, calibrate on what was kept, write the folder `output`, and say how it fares there and on held-out negatives."""
    trained = _set(
        [each for each in authored if not each.is_kept],
        [each for each in negatives if not (is_held_out(each.id) or is_for_calibration(each.id))],
    )
    kept = _set([each for each in authored if each.is_kept], [each for each in negatives if is_for_calibration(each.id)])
    weights, scale = _quantized(_fit(trained))
    plain = ScreenConfig("", BITS, ORDERS, BLOCK, scale, 1.0, 0.0, 0.5, fold_digest(), "")
    scores = _scores(Screen(plain, weights), kept.skeletons)
    balance = part_weights(kept.labels, kept.authored)
    slope, offset = fit_platt(scores, kept.labels, balance)
    config = write_screen(output, ScreenConfig("", BITS, ORDERS, BLOCK, scale, slope, offset, 0.5, fold_digest(), ""), weights)
    held_out = [each for each in negatives if is_held_out(each.id)]
    return _results(Screen(config, weights), trained, kept, slope * scores + offset, balance, held_out)


def _set(authored: Sequence[AuthoredText], negatives: Sequence[Negative]) -> _Set:
    texts: list[AuthoredText | Negative] = [*authored, *negatives]
    labels = np.array([each.offer for each in authored] + [False] * len(negatives))
    return _Set([fold(each.text) for each in texts], labels, authored, [each.language for each in texts])


def _fit(trained: _Set) -> Floats:
    """One weight per hash. Rare n-grams count for more (inverse document frequency, Spärck Jones 1972), which the weights then hold."""
    counts = _counts(trained.skeletons)
    rarity = np.log((1 + len(trained.labels)) / (1 + counts.getnnz(axis=0))) + 1
    scaled = diags(rarity**RARITY)
    model = LogisticRegression(C=STRENGTH, max_iter=MOST_STEPS, fit_intercept=False)
    model.fit(csr_matrix(counts @ scaled), trained.labels, sample_weight=part_weights(trained.labels, trained.authored))
    return np.asarray(scaled @ model.coef_[0], np.float32)


def _counts(skeletons: Sequence[str]) -> csr_matrix:
    """How often each n-gram stands in each text, divided by the root of its length, as `highest_window` has it."""
    ends, places, values = [0], [], []
    for skeleton in skeletons:
        text = skeleton[:LONGEST] or " "
        found, counts = np.unique(hashes(text), return_counts=True)
        places.append(found.astype(np.int32))
        values.append((counts / len(text) ** 0.5).astype(np.float32))
        ends.append(ends[-1] + len(found))
    shape = (len(skeletons), 1 << BITS)
    return csr_matrix((np.concatenate(values), np.concatenate(places), np.array(ends, np.int64)), shape=shape)


def _quantized(weights: Floats) -> tuple[np.ndarray[tuple[int], np.dtype[np.int8]], float]:
    """The weights in one byte each, and their scale."""
    scale = float(np.quantile(np.abs(weights), 1 - CLIPPED)) / LARGEST
    return np.clip(np.round(weights / scale), -LARGEST, LARGEST).astype(np.int8), scale


def _scores(screen: Screen, skeletons: Sequence[str]) -> Scores:
    return np.array([screen.logit(skeleton) for skeleton in skeletons])


def _results(screen: Screen, trained: _Set, kept: _Set, scores: Scores, balance: Scores, held_out: Sequence[Negative]) -> ScreenResults:
    ordinary = _scores(screen, [fold(each.text) for each in held_out])
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
    )


def _language(chosen: Labels, labels: Labels, scores: Scores, threshold: float) -> ScreenLanguage:
    def above(wanted: Labels) -> Share:
        return share(int((chosen & wanted & (scores >= threshold)).sum()), int((chosen & wanted).sum()))

    return ScreenLanguage(found=above(labels), false=above(~labels))
