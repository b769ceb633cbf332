"""Heads that say which taxon group an offer is of, one against the rest: for texts in which no form names it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from wildgate_service.model.authored import AuthoredText, readable
from wildgate_service.model.classifiers import EmbeddingClassifier, TrainedHead, fit_platt
from wildgate_service.model.embedding_cache import EmbeddingCache
from wildgate_service.model.encoder import Vectors
from wildgate_service.model.evaluation import Labels, Scores, share
from wildgate_service.model.heads import GROUP, HeadConfig
from wildgate_service.model.results import GroupResults

FEWEST = 40  # offers of a group that are trained on, or it has no head
STRENGTH = 3.0  # inverse regularization
HALF = 0.5


def train_groups(written: Sequence[AuthoredText], cache: EmbeddingCache) -> tuple[dict[str, TrainedHead], GroupResults]:
    """A head per group of which there are enough offers in languages that the encoder reads, and how they fare on kept ones."""
    offers = [each for each in written if each.offer and each.group and each.language in cache.languages]
    trained, kept = [each for each in offers if not each.is_kept], [each for each in offers if each.is_kept]
    counts = Counter(each.group for each in trained)
    names = sorted(group for group, count in counts.items() if count >= FEWEST)
    vectors, unseen = _embedded(trained, cache), _embedded(kept, cache)
    classifier = EmbeddingClassifier(vectors, np.array([each.weight for each in trained]), STRENGTH)
    heads = {f"{GROUP}{name}": _head(name, classifier, _of_group(trained, name), unseen, _of_group(kept, name)) for name in names}
    return heads, _results(len(trained), kept, names, [head.probabilities(unseen) for head in heads.values()])


def _embedded(texts: Sequence[AuthoredText], cache: EmbeddingCache) -> Vectors:
    return cache.embed([readable(each.text) for each in texts])


def _of_group(texts: Sequence[AuthoredText], name: str) -> Labels:
    return np.array([each.group == name for each in texts])


def _head(name: str, classifier: EmbeddingClassifier, labels: Labels, unseen: Vectors, kept: Labels) -> TrainedHead:
    """Fitted on the trained offers, calibrated on the kept ones if the group is among them."""
    model = classifier.fit(labels, np.arange(len(labels)))
    row, bias = np.asarray(model.coef_[0], np.float32), float(model.intercept_[0])
    scores = np.asarray(unseen @ row + bias, np.float64)
    slope, offset = fit_platt(scores, kept, np.ones(len(kept))) if kept.any() else (1.0, 0.0)
    description = f"is of the taxon group {name}, if it is an offer"
    return TrainedHead(HeadConfig(description, bias, slope, offset, float(labels.mean())), row, ())


def _results(trained: int, kept: Sequence[AuthoredText], names: Sequence[str], columns: Sequence[Scores]) -> GroupResults:
    """How often the likeliest group is the right one, of all kept offers and of those of which it is at least as likely as not."""
    right, sure = np.zeros(len(kept), np.bool_), np.zeros(len(kept), np.bool_)
    if names and kept:
        rows = np.stack(columns, axis=1)
        right = np.array([names[place] == each.group for place, each in zip(rows.argmax(axis=1), kept, strict=True)])
        sure = rows.max(axis=1) >= HALF
    return GroupResults(
        trained=trained,
        groups=tuple(names),
        right=share(int(right.sum()), len(kept)),
        sure=share(int(sure.sum()), len(kept)),
        right_if_sure=share(int((right & sure).sum()), int(sure.sum())),
    )
