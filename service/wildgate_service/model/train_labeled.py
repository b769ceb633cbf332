"""Heads trained on sets that people labeled, compared with n-grams on the same folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wildgate_service.model.classifiers import (
    STACK,
    Classifier,
    EmbeddingClassifier,
    Judged,
    NgramClassifier,
    TrainedHead,
    compare,
    finish_head,
)
from wildgate_service.model.encoder import Vectors
from wildgate_service.model.evaluation import (
    Labels,
    Measure,
    Places,
    Scores,
    average_precision,
    bootstrap,
    f1,
)
from wildgate_service.model.facts import FactClassifier
from wildgate_service.model.letters import LetterClassifier
from wildgate_service.model.near_duplicates import near_duplicate_groups
from wildgate_service.model.results import Figures, Interval, LabeledSetResults
from wildgate_service.model.training_data import LabeledText

ENCODER, BASELINE = "encoder", "ngrams"


def train_labeled(
    rows: Sequence[LabeledText],
    embeddings: Vectors,
    facts: Vectors,
    source: str,
    description: str,
    seed: int,
    written: Sequence[LabeledText] = (),
) -> tuple[TrainedHead, LabeledSetResults]:
    """The head on `embeddings` [rows, dimension], and how it fares on grouped folds beside others and with them.

    `facts` [rows, facts] are what the lexicons find (`facts.facts_of`). `written` are texts of the same kind that were written for the
    project: classifiers that learn from these alone are among the others.
    """
    texts = [row.text for row in rows]
    labels = np.array([row.label for row in rows])
    groups = near_duplicate_groups(texts)
    classifier = EmbeddingClassifier(embeddings, np.ones(len(rows)))
    parts: dict[str, Classifier] = {
        ENCODER: classifier,
        BASELINE: NgramClassifier(texts),
        "letters": LetterClassifier.of(texts),
        "facts": FactClassifier(facts),
        **taught_by_written(texts, written),
    }
    judged = compare(parts, labels, groups, seed)
    head = finish_head(description, classifier, labels, judged[ENCODER].scores)
    intervals = bootstrap(groups, seed, measures(labels, judged))
    results = LabeledSetResults(
        source,
        rows=len(rows),
        positives=int(labels.sum()),
        groups=len(np.unique(groups)),
        figures={name: figures(intervals, name) for name in judged},
        differences={name: figures(intervals, f"{name} -") for name in (ENCODER, STACK)},
        calibration=head.bins,
    )
    return head, results


@dataclass(frozen=True)
class Fixed:
    """A classifier that was fitted on other texts, with its log odds [rows]."""

    fixed: Scores

    def scores(self, labels: Labels, train: Places, test: Places) -> Scores:
        """Those of the test places, whatever the others are."""
        del labels, train
        return self.fixed[test]


def taught_by_written(texts: Sequence[str], written: Sequence[LabeledText]) -> dict[str, Classifier]:
    """What n-grams and letters of the written texts say of the texts; nothing if none were written."""
    if not written:
        return {}
    together = [*texts, *(each.text for each in written)]
    labels = np.array([False] * len(texts) + [each.label for each in written])
    own, others = np.arange(len(texts)), np.arange(len(texts), len(together))
    parts: dict[str, Classifier] = {"ngrams": NgramClassifier(together), "letters": LetterClassifier.of(together)}
    return {f"{name} of written": Fixed(part.scores(labels, others, own)) for name, part in parts.items()}


def figures(intervals: dict[str, Interval], name: str) -> Figures:
    """F1 and average precision of one name."""
    return Figures(intervals[f"{name} f1"], intervals[f"{name} ap"])


def measures(labels: Labels, judged: dict[str, Judged]) -> dict[str, Measure]:
    """F1 and average precision of each classifier, and of each less the baseline."""
    plain = {
        f"{name} {kind}": measure
        for name, one in judged.items()
        for kind, measure in (("f1", f1_of(labels, one)), ("ap", precision_of(labels, one)))
    }
    paired = {
        f"{name} - {kind}": difference(plain[f"{name} {kind}"], plain[f"{BASELINE} {kind}"])
        for name in (ENCODER, STACK)
        for kind in ("f1", "ap")
    }
    return plain | paired


def f1_of(labels: Labels, judged: Judged) -> Measure:
    """F1 on chosen places."""
    return lambda places: f1(labels[places], judged.calls[places])


def precision_of(labels: Labels, judged: Judged) -> Measure:
    """Average precision on chosen places."""
    return lambda places: average_precision(labels[places], judged.scores[places])


def difference(one: Measure, other: Measure) -> Measure:
    """The first less the second, on the same places."""
    return lambda places: one(places) - other(places)
