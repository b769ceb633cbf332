"""The head `wildlife_offer`: texts that people wrote against real ones without an offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from wildgate_service.model.authored import AuthoredText, readable
from wildgate_service.model.classifiers import (
    EmbeddingClassifier,
    TrainedHead,
    Weights,
    finish_head,
    held_out_scores,
)
from wildgate_service.model.embedding_cache import EmbeddingCache
from wildgate_service.model.encoder import Vectors
from wildgate_service.model.evaluation import (
    Groups,
    Labels,
    Scores,
    average_precision,
    bootstrap,
    share,
)
from wildgate_service.model.near_duplicates import near_duplicate_groups
from wildgate_service.model.results import (
    Interval,
    LanguageResults,
    NegativeResults,
    OfferResults,
    Share,
)
from wildgate_service.model.training_data import (
    Negative,
    is_held_out,
)

HALF, NINE_TENTHS = 0.5, 0.9
OFFERS_WEIGHT, INNOCENT_WEIGHT, ORDINARY_WEIGHT = 0.50, 0.25, 0.25  # shares of the three parts
STRENGTH = 1.0  # inverse regularization; .1, .3, 1, 10 and 100 were tried on the folds
FEWEST_TEXTS = 20  # offers and near misses of a language, to leave it out as a test


@dataclass(frozen=True)
class OfferSet:
    """Authored examples first, then ordinary negatives; all arrays have one place per text."""

    examples: Sequence[AuthoredText]
    negatives: Sequence[Negative]
    embeddings: Vectors

    @cached_property
    def labels(self) -> Labels:
        """Whether a text is an offer."""
        offers = [example.offer for example in self.examples]
        return np.array([*offers, *(False for _ in self.negatives)])

    @cached_property
    def authored(self) -> Labels:
        """Whether a text was written, not found."""
        return np.arange(len(self.labels)) < len(self.examples)

    @cached_property
    def weights(self) -> Weights:
        """Each of the three parts weighs its share, whatever its size."""
        return part_weights(self.labels, self.authored)

    @cached_property
    def groups(self) -> Groups:
        """Texts of one rule or template stay together, and so do negatives that are nearly the same."""
        _, sources = np.unique([example.source for example in self.examples], return_inverse=True)
        ordinary = near_duplicate_groups([negative.text for negative in self.negatives])
        return np.concatenate([sources, ordinary + len(self.examples)])

    @cached_property
    def languages(self) -> NDArray[np.str_]:
        """The language of a text."""
        texts: list[AuthoredText | Negative] = [*self.examples, *self.negatives]
        return np.array([text.language for text in texts])


def part_weights(labels: Labels, authored: Labels) -> Weights:
    """Weights by which offers, innocent authored texts and ordinary ones weigh their shares; 1 on average."""
    weights = np.zeros(len(labels))
    parts = (labels, authored & ~labels, ~authored)
    wanted = (OFFERS_WEIGHT, INNOCENT_WEIGHT, ORDINARY_WEIGHT)
    for part, weight in zip(parts, wanted, strict=True):
        weights[part] = weight / max(int(part.sum()), 1)
    return np.asarray(weights * len(weights) / weights.sum())


def train_offers(
    written: Sequence[AuthoredText], negatives: Sequence[Negative], cache: EmbeddingCache, lexicon_version: str, description: str, seed: int
) -> tuple[TrainedHead, OfferResults]:
    """The head, trained on what the encoder reads and no kept template, and how it fares on folds without the rule or template."""
    readable_languages = set(cache.languages)
    examples = [
        msgspec.structs.replace(each, text=readable(each.text))
        for each in written
        if each.language in readable_languages and not each.is_kept
    ]
    negatives = [each for each in negatives if readable_languages.issuperset(each.language.split("/"))]
    used = offer_set(examples, negatives, cache)
    classifier = EmbeddingClassifier(used.embeddings, used.weights, STRENGTH)
    everything = np.arange(len(used.labels))
    scores = held_out_scores(classifier, used.labels, used.groups, everything, seed)
    head = finish_head(description, classifier, used.labels, scores)
    calls = head.calibrated(scores) >= HALF
    kept = [negative for negative in negatives if is_held_out(negative.id)]
    results = OfferResults(
        lexicon_version,
        offers=int(used.labels.sum()),
        innocent=int((used.authored & ~used.labels).sum()),
        negatives=len(used.negatives),
        held_out=len(kept),
        average_precision=authored_precision(used, scores, seed),
        languages={language: language_results(used, classifier, calls, language) for language in sorted(set(used.languages[used.labels]))},
        held_out_negatives=negative_results(kept, head.probabilities(embedded(kept, cache))),
        calibration=head.bins,
    )
    return head, results


def offer_set(examples: Sequence[AuthoredText], negatives: Sequence[Negative], cache: EmbeddingCache) -> OfferSet:
    """Everything to train on: all examples, and the negatives that are not held out."""
    used = [negative for negative in negatives if not is_held_out(negative.id)]
    return OfferSet(examples, used, embedded([*examples, *used], cache))


def embedded(texts: Sequence[AuthoredText | Negative], cache: EmbeddingCache) -> Vectors:
    """Embeddings [n, dimension]."""
    return cache.embed([text.text for text in texts])


def authored_precision(used: OfferSet, scores: Scores, seed: int) -> Interval:
    """Average precision of offers among their innocent near misses."""
    places = np.flatnonzero(used.authored)
    labels, chosen = used.labels[places], scores[places]
    name = "average_precision"
    measures = {name: lambda sample: average_precision(labels[sample], chosen[sample])}
    return bootstrap(used.groups[places], seed, measures)[name]


def language_results(used: OfferSet, classifier: EmbeddingClassifier, calls: Labels, language: str) -> LanguageResults:
    """What was found of one language's examples."""
    authored = used.authored & (used.languages == language)
    offers, innocent = authored & used.labels, authored & ~used.labels
    return LanguageResults(
        offers=int(offers.sum()),
        found=int((offers & calls).sum()),
        innocent=int(innocent.sum()),
        false=int((innocent & calls).sum()),
        untrained=untrained_precision(used, classifier, authored),
    )


def untrained_precision(used: OfferSet, classifier: EmbeddingClassifier, left_out: Labels) -> float | None:
    """Average precision on places left out of training; None when they are too few to say."""
    labels = used.labels[left_out]
    trained = used.labels[~left_out]
    if min(labels.sum(), (~labels).sum(), trained.sum()) < FEWEST_TEXTS:
        return None
    train, test = np.flatnonzero(~left_out), np.flatnonzero(left_out)
    return average_precision(labels, classifier.scores(used.labels, train, test))


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
