"""Texts that people wrote, not found: examples of the lexicons' rules, texts from templates, and a platform's own file of labeled texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from wildgate_service.errors import ModelError
from wildgate_service.lexicon.rules import Rule, read_rules
from wildgate_service.lexicon.taxa import read_taxa
from wildgate_service.model.generated import TEXTS, UNPROTECTED, generated_texts
from wildgate_service.normalize.fold import name_emoji
from wildgate_service.types import TAXON_KINDS, ContentKind, RuleKind

KEPT_SHARE = 4  # one template in four teaches the fusion, and no model below it


class AuthoredText(Struct, frozen=True):
    """A text with its label. Those of one `source` (a rule, a template, a line of a file) stay on one side of every split."""

    source: str
    language: str  # BCP 47 without script and region
    text: str
    offer: bool  # whether it offers or seeks protected wildlife
    group: str = ""  # taxon group that it names, if told
    kind: str = ""  # of a template

    @property
    def is_kept(self) -> bool:
        """Whether it comes from a template that is kept for the fusion: sha256(source) % 4 == 0."""
        return bool(self.kind) and int(hashlib.sha256(self.source.encode()).hexdigest(), 16) % KEPT_SHARE == 0


class LabeledLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a platform's own texts. `label` is offer or benign; `licence` says who may use it."""

    text: str
    label: str
    language: str
    group: str = ""
    source: str = ""
    licence: str = ""
    kind: ContentKind = ContentKind.LISTING


def readable(text: str) -> str:
    """The text as the encoder will be given it in service: emoji written as words."""
    return text if text.isascii() else "".join(map(name_emoji, text))


def base_language(tag: str) -> str:
    """The language of a BCP 47 tag without script and region."""
    return tag.partition("-")[0]


def read_authored(lexicons: Path, seed: int, *, templates: Path = TEXTS, labeled: Iterable[AuthoredText] = ()) -> list[AuthoredText]:
    """All of them, each text once, in the order of their sources. Raises ModelError or LexiconError.

    What is an offer anywhere is one: a text that one rule must miss may be another rule's.
    """
    rules = tuple(rule for rule in read_rules(lexicons) if rule.status != "deprecated")
    groups = {taxon: row.group for taxon, row in read_taxa(lexicons).items()}
    found = [*rule_examples(rules), *_from_templates(templates, rules, groups, seed), *labeled]
    texts = {each.text: each for each in found if not each.offer} | {each.text: each for each in found if each.offer}
    return sorted(texts.values(), key=lambda each: (each.source, each.text))


def rule_examples(rules: Iterable[Rule]) -> Iterator[AuthoredText]:
    """Offers are what rules on protected taxa must match. What they must not, and what benign contexts must, are none."""
    for rule in rules:
        if _is_about_protected(rule):
            yield from _examples(rule, rule.examples.match, offer=True)
            yield from _examples(rule, rule.examples.no_match, offer=False)
        elif rule.kind is RuleKind.BENIGN_CONTEXT:
            yield from _examples(rule, rule.examples.match, offer=False)


def _is_about_protected(rule: Rule) -> bool:
    return rule.kind in TAXON_KINDS and not UNPROTECTED.issuperset(rule.taxa)


def _examples(rule: Rule, texts: Iterable[str], *, offer: bool) -> Iterator[AuthoredText]:
    return (AuthoredText(rule.id, base_language(rule.language), text, offer) for text in texts)


def _from_templates(templates: Path, rules: tuple[Rule, ...], groups: dict[str, str], seed: int) -> Iterator[AuthoredText]:
    for each in generated_texts(templates, rules, groups, seed):
        yield AuthoredText(each.template, base_language(each.language), each.text, each.offer, each.group, each.kind)


def read_labeled(path: Path) -> list[AuthoredText]:
    """The texts of a file of JSON lines (`LabeledLine`). Raises ModelError that names the line."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ModelError(f"labeled texts {path} cannot be read: {error.strerror}") from error
    return agreeing(_labeled(path, number, line) for number, line in enumerate(lines, start=1) if line.strip())


def agreeing(texts: Iterable[AuthoredText]) -> list[AuthoredText]:
    """Each text once. Raises ModelError where one has two labels."""
    found: dict[str, AuthoredText] = {}
    for text in texts:
        before = found.setdefault(text.text, text)
        if before.offer != text.offer:
            raise ModelError(f"{text.source}: the text of {before.source} has another label here; decide which holds")
    return list(found.values())


def _labeled(path: Path, number: int, line: bytes) -> AuthoredText:
    try:
        row = msgspec.json.decode(line, type=LabeledLine)
    except msgspec.DecodeError as error:
        raise ModelError(f"{path}:{number}: {error}") from error
    if row.label not in {"offer", "benign"}:
        raise ModelError(f"{path}:{number}: label {row.label!r} is neither offer nor benign")
    return AuthoredText(f"{path.name}:{number}", base_language(row.language), row.text, row.label == "offer", row.group)
