"""What an encoder adds to the screen: offers told from twins and talk of kept templates by the screen alone, the head alone, and both."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

from wildgate_service.classify.screen import Screen
from wildgate_service.model.authored import AuthoredText
from wildgate_service.model.evaluation import Labels, Measure, Places, Scores, bootstrap
from wildgate_service.model.results import Gain
from wildgate_service.normalize import fold

ALL = "all"
PASSED = 0.1  # share of twins and talk above the log-odds at which recall is told
Judge = Callable[[Labels, Scores], float]


def gains_over_screen(kept: Sequence[AuthoredText], logits: Scores, screen: Screen, seed: int) -> dict[str, Gain]:
    """By language, and of all. `logits` [n] are the head's calibrated log-odds of the `kept`; both together are the sum of log-odds.

    Neither model was trained on a kept text; both are calibrated on them, which moves no order within one model.
    """
    screened = np.array([screen.logit(fold(each.text)) for each in kept])
    labels, languages = np.array([each.offer for each in kept]), np.array([each.language for each in kept])
    _, groups = np.unique([each.source for each in kept], return_inverse=True)
    chosen = {ALL: np.ones(len(kept), np.bool_)} | {str(name): languages == name for name in sorted(set(languages))}
    return {
        name: _gain(labels[places], {"screen": screened[places], "encoder": logits[places]}, groups[places], seed)
        for name, places in chosen.items()
        if labels[places].any() and not labels[places].all()
    }


def _gain(labels: Labels, scores: dict[str, Scores], groups: Places, seed: int) -> Gain:
    scores = scores | {"both": scores["screen"] + scores["encoder"]}
    areas = {name: _on(area_under_roc, labels, values) for name, values in scores.items()}
    recalls = {f"{name} recall": _on(recall_beside_passed, labels, values) for name, values in scores.items() if name != "encoder"}
    differences = {"difference": _less(areas["both"], areas["screen"]), "gain": _less(recalls["both recall"], recalls["screen recall"])}
    found = bootstrap(groups, seed, areas | recalls | differences)
    return Gain(
        texts=len(labels),
        screen=found["screen"],
        encoder=found["encoder"],
        both=found["both"],
        difference=found["difference"],
        recall_of_screen=found["screen recall"],
        recall_of_both=found["both recall"],
        recall_gained=found["gain"],
    )


def _on(judge: Judge, labels: Labels, scores: Scores) -> Measure:
    return lambda places: judge(labels[places], scores[places])


def _less(one: Measure, other: Measure) -> Measure:
    return lambda places: one(places) - other(places)


def area_under_roc(labels: Labels, scores: Scores) -> float:
    """The chance that an offer stands above another text (Mann and Whitney 1947); one half where there is only one kind."""
    offers = int(labels.sum())
    others = len(labels) - offers
    if not offers or not others:
        return 0.5
    return float((rankdata(scores)[labels].sum() - offers * (offers + 1) / 2) / (offers * others))


def recall_beside_passed(labels: Labels, scores: Scores) -> float:
    """Share of offers above what `PASSED` of the other texts reach; 0 where there is only one kind."""
    if labels.all() or not labels.any():
        return 0.0
    return float((scores[labels] > np.quantile(scores[~labels], 1 - PASSED)).mean())
