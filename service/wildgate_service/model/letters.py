"""Hashed n-grams as features: what the screen reads, for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix, dia_array, diags
from sklearn.linear_model import LogisticRegression

from wildgate_service.classify.screen import BITS, BLOCK, hashes
from wildgate_service.model.evaluation import Labels, Places, Scores
from wildgate_service.normalize import fold

LONGEST = 4 * BLOCK  # code points of a text that are trained on
RARITY = 1.5  # power of the inverse document frequency; 0 and 1 were worse on the kept texts
STRENGTH = 3.0  # inverse regularization on few texts
MOST_STEPS = 2000


def counts(skeletons: Sequence[str]) -> csr_matrix:
    """How often each n-gram stands in each text, divided by the root of its length, as the screen has it: [texts, 2^bits]."""
    ends, places, values = [0], [], []
    for skeleton in skeletons:
        text = skeleton[:LONGEST] or " "
        found, numbers = np.unique(hashes(text), return_counts=True)
        places.append(found.astype(np.int32))
        values.append((numbers / len(text) ** 0.5).astype(np.float32))
        ends.append(ends[-1] + len(found))
    shape = (len(skeletons), 1 << BITS)
    return csr_matrix((np.concatenate(values), np.concatenate(places), np.array(ends, np.int64)), shape=shape)


def rarity(rows: csr_matrix) -> dia_array:
    """A diagonal matrix that makes rare n-grams count for more (inverse document frequency, Spärck Jones 1972)."""
    return diags((np.log((1 + rows.shape[0]) / (1 + rows.getnnz(axis=0))) + 1) ** RARITY)


@dataclass(frozen=True, eq=False)
class LetterClassifier:
    """Logistic regression on hashed n-grams."""

    rows: csr_matrix

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Over the skeletons of texts."""
        return cls(counts([fold(text) for text in texts]))

    def scores(self, labels: Labels, train: Places, test: Places) -> Scores:
        """Log odds of the test places, after fitting on the train places; what is rare is asked of these alone."""
        scaled = csr_matrix(self.rows @ rarity(self.rows[train]))
        model = LogisticRegression(C=STRENGTH, class_weight="balanced", solver="liblinear", max_iter=MOST_STEPS)
        model.fit(scaled[train], labels[train])
        return np.asarray(model.decision_function(scaled[test]))
