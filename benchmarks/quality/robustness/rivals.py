"""Word filters with the lexicon's own forms as plain strings. None of them knows company, contexts or views."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from random import Random

from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.rules import read_rules
from wildgate_service.types import TAXON_KINDS, Level

from robustness.family import importable, load
from robustness.measure import Answer, Filter
from robustness.texts import Form, Text
from robustness.words import is_unspaced

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
    makers = {"pyahocorasick": _aho_corasick, "flashtext": _flashtext}
    filters = [makers[name](forms) for name in makers if name in there]
    if "better-profanity" in there:
        filters.append(_better_profanity(forms, _sample(texts, seed)))
    return filters, status


def _sample(texts: list[Text], seed: int) -> frozenset[str]:
    random = Random(f"{seed}/better-profanity")
    by_label = ([text.id for text in texts if text.label == label] for label in ("offer", "benign"))
    return frozenset(each for ids in by_label for each in random.sample(ids, min(SLOW_SAMPLE, len(ids))))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _aho_corasick(forms: Iterable[str]) -> Filter:
    """Whole words where words are spaced, anywhere where they are not."""
    automaton = load("ahocorasick").Automaton()
    for form in map(_folded, forms):
        automaton.add_word(form, form)
    automaton.make_automaton()

    def answer(form: Form) -> Answer:
        text = _folded(str(form))
        return Answer(any(_is_whole(text, end + 1 - len(found), end + 1) for end, found in automaton.iter(text)))

    return Filter("pyahocorasick", answer)


def _is_whole(text: str, start: int, end: int) -> bool:
    return not (_joins(text[start - 1 : start], text[start]) or _joins(text[end : end + 1], text[end - 1]))


def _joins(outside: str, inside: str) -> bool:
    return outside.isalnum() and inside.isalnum() and not is_unspaced(inside)


def _flashtext(forms: Iterable[str]) -> Filter:
    processor = load("flashtext").KeywordProcessor()
    for form in forms:
        processor.add_keyword(form)
    return Filter("flashtext", lambda form: Answer(bool(processor.extract_keywords(str(form)))))


def _better_profanity(forms: list[str], sample: frozenset[str]) -> Filter:
    words = load("better_profanity").Profanity()
    words.load_censor_words(forms)
    return Filter("better-profanity", lambda form: Answer(words.contains_profanity(str(form))), sample, SLOW_CELLS)
