"""What reads like something for sale or wanted, whatever it is, against what reads like talk: news, questions, petitions.

A form tells that wildlife is named; this tells whether it is offered. It learns from authored texts and, since it asks nothing about
wildlife, from real titles of listings against real posts and reviews.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from wildgate_service.model.authored import AuthoredText, Origin, readable
from wildgate_service.model.classifiers import TrainedHead, Weights, fit_platt
from wildgate_service.model.embedding_cache import EmbeddingCache
from wildgate_service.model.encoder import Vectors
from wildgate_service.model.evaluation import Labels, Scores, average_precision, share
from wildgate_service.model.heads import HeadConfig
from wildgate_service.model.reliability import reliability
from wildgate_service.model.results import SaleLanguage, SaleResults
from wildgate_service.model.train_offers import fit_hidden
from wildgate_service.model.training_data import Negative, is_for_calibration, is_held_out

# Kinds of templates and functionalities of written texts that name wildlife and offer nothing.
TALK = frozenset(
    [
        *("adoption", "awareness", "education", "law", "lost", "museum", "nature", "news", "ngo", "petition"),
        *("question", "religion", "science", "talk", "travel", "vet", "zoo"),
    ]
)
GOODS = frozenset({"ordinary", "mammoth"})  # functionalities of written texts that offer something
REAL_SALE, REAL_TALK = "listing_title", frozenset({"social_post", "product_review"})
AUTHORED, REAL = 0.375, 0.125  # share of authored texts and of real ones in the weight of either label
UNITS, EPOCHS = 128, 10
HALF = 0.5


class SaleTexts(NamedTuple):
    """Texts with labels, the authored ones first: whether each sells or seeks something."""

    authored: Sequence[AuthoredText]
    real: Sequence[Negative]
    labels: Labels

    @property
    def texts(self) -> list[str]:
        """All of them."""
        return [each.text for each in self.authored] + [each.text for each in self.real]

    @property
    def weights(self) -> Weights:
        """Weights by which authored and real texts of either label weigh their shares; 1 on average."""
        weights = np.array([each.weight for each in self.authored] + [1.0] * len(self.real))
        authored = np.arange(len(weights)) < len(self.authored)
        for part, wanted in ((authored, AUTHORED), (~authored, REAL)):
            for labeled in (part & self.labels, part & ~self.labels):
                weights[labeled] *= wanted / max(weights[labeled].sum(), 1.0)
        return np.asarray(weights * len(weights) / weights.sum())


def sale_texts(authored: Iterable[AuthoredText], real: Iterable[Negative]) -> SaleTexts:
    """Those whose label is known."""
    chosen, found = [each for each in authored if sale_of(each) is not None], [each for each in real if sale_of_real(each) is not None]
    return SaleTexts(chosen, found, np.array([*map(sale_of, chosen), *map(sale_of_real, found)], np.bool_))


def trained_and_kept(written: Iterable[AuthoredText], negatives: Iterable[Negative]) -> tuple[SaleTexts, SaleTexts]:
    """What is trained on, and what calibrates and measures."""
    authored, real = list(written), [each for each in negatives if not is_held_out(each.id)]
    return (
        sale_texts((each for each in authored if not each.is_kept), (each for each in real if not is_for_calibration(each.id))),
        sale_texts((each for each in authored if each.is_kept), (each for each in real if is_for_calibration(each.id))),
    )


def sale_of(text: AuthoredText) -> bool | None:
    """Whether an authored text sells or seeks something; None if nobody said."""
    if text.origin is Origin.EXAMPLE:
        return None
    if text.offer or text.is_twin or (text.origin is Origin.WRITTEN and text.kind in GOODS):
        return True
    return False if text.kind in TALK else None


def sale_of_real(text: Negative) -> bool | None:
    """The same of a real text, by where it stood."""
    if text.source_kind == REAL_SALE:
        return True
    return False if text.source_kind in REAL_TALK else None


def train_sale(
    written: Sequence[AuthoredText], negatives: Sequence[Negative], cache: EmbeddingCache, description: str, seed: int
) -> tuple[TrainedHead, SaleResults]:
    """The head, trained on what the encoder reads, calibrated and measured on templates, pairs and real texts that it has not seen."""
    languages = set(cache.languages)
    trained, kept = trained_and_kept(
        [each for each in written if each.language in languages],
        [each for each in negatives if languages.issuperset(each.language.split("/"))],
    )
    hidden, bias = fit_hidden(_embedded(trained, cache), trained.labels, trained.weights, seed, units=UNITS, epochs=EPOCHS)
    scores = np.asarray(hidden.scores(_embedded(kept, cache)) + bias, np.float64)
    slope, offset = fit_platt(scores, kept.labels, kept.weights)
    head = TrainedHead(HeadConfig(description, bias, slope, offset, HALF), np.zeros(cache.dimension, np.float32), (), hidden)
    return head, sale_results(trained, kept, head.calibrated(scores))


def _embedded(texts: SaleTexts, cache: EmbeddingCache) -> Vectors:
    return cache.embed(list(map(readable, texts.texts)))


def sale_results(trained: SaleTexts, kept: SaleTexts, probabilities: Scores) -> SaleResults:
    """How probabilities of the kept texts fare, authored ones by language."""
    authored = len(kept.authored)
    languages = np.array([each.language for each in kept.authored])
    offers = np.array([each.offer for each in kept.authored])
    labels, chances = kept.labels[:authored], probabilities[:authored]
    return SaleResults(
        trained=len(trained.labels),
        kept=authored,
        kept_real=len(kept.real),
        average_precision=average_precision(labels, chances),
        average_precision_real=average_precision(kept.labels[authored:], probabilities[authored:]),
        languages={str(name): _language(languages == name, offers, labels, chances) for name in sorted(set(languages))},
        calibration=reliability(probabilities, kept.labels, kept.weights),
    )


def _language(chosen: Labels, offers: Labels, labels: Labels, chances: Scores) -> SaleLanguage:
    def above(wanted: Labels) -> tuple[int, int]:
        return int((chosen & wanted & (chances >= HALF)).sum()), int((chosen & wanted).sum())

    return SaleLanguage(offers=share(*above(offers)), talk=share(*above(~labels)))
