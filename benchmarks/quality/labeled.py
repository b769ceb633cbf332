"""Two sets labeled by people for something else than the score: what the service makes of each label."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from rates import Row, interval, print_table, shown
from scipy.stats import rankdata
from wildgate_service.model.evaluation import Labels, Places, Scores, average_precision, bootstrap
from wildgate_service.model.labeled_texts import as_listing
from wildgate_service.model.near_duplicates import near_duplicate_groups
from wildgate_service.model.training_data import LEATHER, TWEETS, read_rows
from wildgate_service.pipeline import Engine
from wildgate_service.quality.verdicts import Verdict, verdict
from wildgate_service.types import Action, ContentKind

SEED = 0
MEANING = (
    "These labels never calibrate the score and mean something else: auc and average_precision say how far the two go together, "
    "not how good either is. Intervals: 95 %, bootstrap of 1,000 over groups of near-duplicates. Cross-validated figures of the "
    "heads trained on these sets: heads.json."
)
LEATHER_LABEL = (
    "1 = is or was an animal, protected or not: more than half of the positives are beetles, fossils, sheepskin and the like, "
    "which the score should not find; noisy"
)
IVORY_LABEL = (
    "1 = promotes the sale of ivory, legal antiques and mammoth included; two annotators agree at κ ≈ .80. Some who promote name no "
    "specimen on offer. The head ivory_promotion was trained on these very tweets and is a feature of the score: without_that_head "
    "has it at weight 0"
)
SETS = {
    "leather_titles": (LEATHER, "title", ContentKind.LISTING, LEATHER_LABEL),
    "ivory_tweets": (TWEETS, "text", ContentKind.SOCIAL_POST, IVORY_LABEL),
}


def measure(engine: Engine, data: Path) -> Row:
    """Score both sets."""
    return {
        "meaning": MEANING,
        "seed": SEED,
        "sets": {name: _measure_set(engine, data, *each) for name, each in SETS.items()},
    }


def _measure_set(engine: Engine, data: Path, file: str, column: str, kind: ContentKind, meaning: str) -> Row:
    rows = list(read_rows(data / file))
    labels = np.array([row["label"] == "1" for row in rows])
    groups = near_duplicate_groups([row[column] for row in rows])

    def judge(chosen: Engine) -> list[Verdict]:
        return [verdict(chosen, as_listing(row[column], kind)) for row in rows]

    def ranking(verdicts: list[Verdict]) -> Row:
        scores = np.array([each.score for each in verdicts])
        found = bootstrap(groups, SEED, {"auc": _of(auc, labels, scores), "average_precision": _of(average_precision, labels, scores)})
        return {name: {"value": each.value, "lower": each.low, "upper": each.high} for name, each in found.items()}

    verdicts = judge(engine)
    result = {
        "label": meaning,
        "rows": len(rows),
        "positives": int(labels.sum()),
        "groups": len(set(groups.tolist())),
        "actions": {str(int(label)): _actions(verdicts, labels == label) for label in (True, False)},
        **ranking(verdicts),
    }
    if file == TWEETS:
        result["without_that_head"] = ranking(judge(_without_ivory_head(engine)))
    return result


def _without_ivory_head(engine: Engine) -> Engine:
    weights = {**engine.fusion.weights, "ivory_promotion": 0.0}
    return msgspec.structs.replace(engine, fusion=msgspec.structs.replace(engine.fusion, weights=weights))


def _actions(verdicts: list[Verdict], chosen: Labels) -> Row:
    actions = [each.action for each, is_chosen in zip(verdicts, chosen, strict=True) if is_chosen]
    return {str(action): interval(actions.count(action), len(actions)) for action in Action}


def auc(labels: Labels, scores: Scores) -> float:
    """Probability that a positive scores above a negative, ties counting half (Mann and Whitney 1947)."""
    positives = int(labels.sum())
    above = rankdata(scores)[labels].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(labels) - positives)))


def _of(measure_of: Callable[[Labels, Scores], float], labels: Labels, scores: Scores) -> Callable[[Places], float]:
    return lambda places: measure_of(labels[places], scores[places])


def print_tables(result: Row) -> None:
    """Print both sets."""
    for name, each in result["sets"].items():
        rows = [(label, *(shown(figure) for figure in actions.values())) for label, actions in each["actions"].items()]
        print_table(f"{name}: {each['label']}", ("label", *map(str, Action)), rows)
        for ranking, figures in (
            ("score", each),
            ("score without the head trained on it", each.get("without_that_head")),
        ):
            if figures:
                print(f"{ranking}: AUC {_shown(figures['auc'])}, average precision {_shown(figures['average_precision'])}")


def _shown(figure: Row) -> str:
    return f"{figure['value']:.3f} [{figure['lower']:.3f}, {figure['upper']:.3f}]"
