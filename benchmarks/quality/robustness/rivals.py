"""Word filters with the lexicon's own forms as plain strings. None of them knows company, contexts or views."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from random import Random

from speed.peer import MAKERS
from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.rules import read_rules
from wildgate_service.types import TAXON_KINDS, Level

from robustness.family import importable
from robustness.measure import Answer, Filter
from robustness.texts import Text

PACKAGES = (("pyahocorasick", "ahocorasick"), ("flashtext", "flashtext"), ("better-profanity", "better_profanity"))
SLOW_SAMPLE = 25  # texts of each label for better-profanity, which compares every word with every form and takes half a second a text
SLOW_CELLS = frozenset(
    (family, "medium")
    for family in (
        "case",
        "full_width",
        "leetspeak",
        "separators",
        "spaced_letters",
        "vowels_masked",
        "zero_width",
        "homoglyphs",
        "augly_leetspeak",
    )
)


def forms_of(root: Path) -> list[str]:
    """Every form of a taxon rule that says something alone or with company."""
    return sorted(
        {
            entry.form
            for rule in read_rules(root)
            if rule.kind in TAXON_KINDS
            for entry in rule.entries
            if rule.level_of(entry) in {Level.ALONE, Level.WITH_COMPANY}
        }
    )


def installed_rivals(texts: list[Text], seed: int) -> tuple[list[Filter], dict[str, str]]:
    """The filters that can be asked, and the status of each package: its version, or that it is missing."""
    forms = forms_of(default_lexicons())
    status = {
        distribution: version(distribution) if importable(module) else "not run: package missing" for distribution, module in PACKAGES
    }
    there = {distribution for distribution, said in status.items() if not said.startswith("not run")}
    filters = [_filter(name, forms) for name in ("pyahocorasick", "flashtext") if name in there]
    if "better-profanity" in there:
        filters.append(_filter("better-profanity", forms, _sample(texts, seed), SLOW_CELLS))
    return filters, status


def _sample(texts: list[Text], seed: int) -> frozenset[str]:
    random = Random(f"{seed}/better-profanity")
    by_label = ([text.id for text in texts if text.label == label] for label in ("offer", "benign"))
    return frozenset(each for ids in by_label for each in random.sample(ids, min(SLOW_SAMPLE, len(ids))))


def _filter(name: str, forms: list[str], texts: frozenset[str] | None = None, cells: frozenset[tuple[str, str]] | None = None) -> Filter:
    stops = MAKERS[name](forms)
    return Filter(name, lambda form: Answer(stops(str(form))), texts, cells)
