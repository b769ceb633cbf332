"""Texts from templates that were kept from forms and models: offers, their near twins, and talk, by language; with each tier alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
from rates import Row, interval, print_table, shown
from wildgate_service.lexicon import default_lexicons
from wildgate_service.model.authored import AuthoredText, Origin, read_authored
from wildgate_service.model.labeled_texts import as_listing
from wildgate_service.pipeline import Engine
from wildgate_service.quality.verdicts import Verdict, lexicons_alone, verdict

SEED = 0
FILLS = 2  # of one template and label
MEANING = (
    "Texts filled from one template in four, which no model was trained on; calibration and the weights of fusion are fitted on them. "
    "The templates were written for this project without sight of the lexicons' tests, and reviewed by no speaker. It flatters: slots are "
    "filled in part from the lexicons' own forms, the words of the others were seen by the lexicons' authors, sentences recur across "
    "languages, and some false alarms among these very texts were looked at and mended. A twin differs from its offer by a few words. "
    "Intervals: 95 %, Wilson."
)
PARTS = ("offers", "twins", "talk")


def measure(engine: Engine, _: Path) -> Row:
    """Totals with every tier and with some of them off, and by language."""
    texts = kept_texts()
    without_screen = msgspec.structs.replace(engine, screen=None)
    without_encoder = msgspec.structs.replace(engine, classifier=None, missing="switched off for this measurement")
    ablations = {"all": engine, "no screen": without_screen, "no encoder": without_encoder, "lexicons alone": lexicons_alone(engine)}
    verdicts = {name: [judge(one, text) for text in texts] for name, one in ablations.items()}
    return {
        "meaning": MEANING,
        "seed": SEED,
        "texts": len(texts),
        "totals": {name: totals(texts, answers) for name, answers in verdicts.items()},
        "languages": {language: of_language(texts, verdicts["all"], language) for language in sorted({text.language for text in texts})},
    }


def kept_texts() -> list[AuthoredText]:
    """Some fillings of each kept template."""
    left: Counter[tuple[str, bool]] = Counter()
    found = []
    for text in read_authored(default_lexicons(), SEED):
        kept = text.is_kept and text.origin is Origin.TEMPLATE
        left[text.source, text.offer] += kept
        if kept and left[text.source, text.offer] <= FILLS:
            found.append(text)
    return found


def judge(engine: Engine, text: AuthoredText) -> Verdict:
    """Score one text."""
    return verdict(engine, as_listing(text.text, text.content_kind))


def part_of(text: AuthoredText) -> str:
    """Which of the three a text is."""
    return "offers" if text.offer else "twins" if text.is_twin else "talk"


def totals(texts: list[AuthoredText], verdicts: list[Verdict]) -> Row:
    """What was stopped, and what refused, of each part."""
    found: Row = {}
    for part in PARTS:
        chosen = [verdict for text, verdict in zip(texts, verdicts, strict=True) if part_of(text) == part]
        found[f"{part}_stopped"] = interval(sum(each.stopped for each in chosen), len(chosen))
        found[f"{part}_blocked"] = interval(sum(each.blocked for each in chosen), len(chosen))
    return found


def of_language(texts: list[AuthoredText], verdicts: list[Verdict], language: str) -> Row:
    """The totals of one language."""
    pairs = [(text, verdict) for text, verdict in zip(texts, verdicts, strict=True) if text.language == language]
    return totals([text for text, _ in pairs], [verdict for _, verdict in pairs])


def print_tables(result: Row) -> None:
    """The totals, then languages."""
    heads = tuple(f"{part} {what}" for part in PARTS for what in ("not ALLOW", "BLOCK"))
    keys = [f"{part}_{what}" for part in PARTS for what in ("stopped", "blocked")]
    rows = [(name, *(shown(row[key]) for key in keys)) for group in ("totals", "languages") for name, row in result[group].items()]
    print_table(f"Kept templates. {MEANING}", ("", *heads), rows)
