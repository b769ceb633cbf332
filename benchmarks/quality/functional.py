"""Texts written to try one thing each, in contrast pairs: what is found and what is let through, by functionality and language."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rates import Row, print_table, shown
from wildgate_service.fuse import load_fusion
from wildgate_service.model.folder import PRIORS
from wildgate_service.model.labeled_texts import LabeledText, read_texts
from wildgate_service.pipeline import Engine
from wildgate_service.quality.figures import figures, grouped, halves
from wildgate_service.quality.verdicts import Answered, verdict

MEANING = (
    "Texts written by the project's authors without sight of the lexicons, not native-checked. They are short and invented: a "
    "share found here is no share of real offers. The weights of fusion are fitted on the development half (`wildgate model "
    "fuse`), so the figures to go by are those of the reported half; with_priors has the weights that were set by hand. Scored "
    "without language or market; with_language gives the totals when the platform says the language. Intervals: 95 %, Wilson. A "
    "contrast pair is right when its offer is not ALLOW and its benign twin is."
)

FIELDS = ("language", "functionality")
HEADS = ("offers not ALLOW", "offers BLOCK", "benign not ALLOW", "benign BLOCK", "pairs right")


def measure(engine: Engine, path: Path) -> Row:
    """Score the texts of a file."""
    texts = read_texts([path])
    by_hand = msgspec.structs.replace(engine, fusion=load_fusion(PRIORS))
    answered = [_answered(engine, text, "") for text in texts]
    return {
        "meaning": MEANING,
        "totals": _halves(answered),
        "with_language": _halves([_answered(engine, text, text.language) for text in texts]),
        "with_priors": _halves([_answered(by_hand, text, "") for text in texts]),
        "reported": {f"by_{field}": _grouped(halves(answered)["reported"], field) for field in FIELDS},
        "all": {f"by_{field}": _grouped(answered, field) for field in FIELDS},
    }


def _answered(engine: Engine, text: LabeledText, language: str) -> Answered:
    return Answered(text, verdict(engine, msgspec.structs.replace(text.listing, language=language)))


def _halves(answered: list[Answered]) -> Row:
    return {name: msgspec.to_builtins(figures(half)) for name, half in halves(answered).items()}


def _grouped(answered: list[Answered], field: str) -> list[Row]:
    """Figures for each value of a field; a pair counts where its offer stands."""
    groups = grouped(answered, lambda each: getattr(each.text, field))
    return [{field: value, **msgspec.to_builtins(group)} for value, group in groups.items()]


def print_tables(result: Row) -> None:
    """Print the totals by half, and both groupings of the reported half."""
    runs = (("", "totals"), (", language told", "with_language"), (", weights set by hand", "with_priors"))
    rows = [(f"{half}{name}", *_cells(figures)) for name, run in runs for half, figures in result[run].items()]
    print_table(f"Functional texts. {MEANING}", ("", *HEADS), rows)
    for field in FIELDS:
        groups = result["reported"][f"by_{field}"]
        print_table(f"Reported half by {field}", (field, *HEADS), [(row[field], *_cells(row)) for row in groups])


def _cells(row: Row) -> list[str]:
    return [shown(row[name]) for name in ("offers_stopped", "offers_blocked", "benign_stopped", "benign_blocked", "pairs")]
