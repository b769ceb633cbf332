"""What the lexicons find in a text, as numbers: so that a classifier can be held against what the pipeline knows without any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from wildgate_service.fuse import FEATURES, features, load_fusion
from wildgate_service.groups import GROUPS
from wildgate_service.lexicon.compiler import lexicon_in_memory
from wildgate_service.model.encoder import Vectors
from wildgate_service.model.evaluation import Labels, Places, Scores
from wildgate_service.model.folder import PRIORS
from wildgate_service.pipeline import TITLE_LIMIT, Engine, weigh
from wildgate_service.policy import default_policy, load_policy
from wildgate_service.types import ContentKind, Listing, Versions

MARKS = ("#", "@", "http", "$", "£")  # that tell kinds of posts apart
MOST_STEPS = 2000


def lexicons_alone(lexicons: Path) -> Engine:
    """An engine without models, whose score means nothing. Raises LexiconError."""
    lexicon, policy = lexicon_in_memory(lexicons), load_policy(default_policy())
    return Engine(lexicon, policy, load_fusion(PRIORS), None, Versions(lexicon.version, "", policy.version), "no models")


def facts_of(engine: Engine, texts: Sequence[str]) -> Vectors:
    """Features of the fusion, how much was found of each kind, groups, marks and length: float32 [texts, facts]."""
    return np.array([_facts(engine, text) for text in texts], np.float32)


def _facts(engine: Engine, text: str) -> list[float]:
    weighed = weigh(engine, Listing(title=text[:TITLE_LIMIT]))
    matches = weighed.matches
    found = features(matches, weighed.classification, ContentKind.LISTING)
    groups = {group for match in matches.taxa for group in match.groups}
    cues = [cue.cue_type for cue in matches.cues]
    counts = [len(matches.taxa), sum(match.counts for match in matches.taxa), len(matches.contexts), len(cues), len(set(cues)), len(text)]
    return [
        *(found.get(name, 0.0) for name in FEATURES),
        *counts,
        *(text.count(mark) for mark in MARKS),
        *(name in groups for name in GROUPS),
    ]


@dataclass(frozen=True, eq=False)
class FactClassifier:
    """Logistic regression on facts."""

    facts: Vectors

    def scores(self, labels: Labels, train: Places, test: Places) -> Scores:
        """Log odds of the test places, after fitting on the train places."""
        scaler = StandardScaler().fit(self.facts[train])
        model = LogisticRegression(class_weight="balanced", max_iter=MOST_STEPS).fit(scaler.transform(self.facts[train]), labels[train])
        return np.asarray(model.decision_function(scaler.transform(self.facts[test])))
