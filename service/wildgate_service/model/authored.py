"""Texts that people wrote, not found: examples of the lexicons' rules, texts from templates, and a platform's own file of labeled texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

from msgspec import Struct

from wildgate_service.errors import ModelError
from wildgate_service.lexicon.rules import Rule, read_rules
from wildgate_service.lexicon.taxa import read_taxa
from wildgate_service.model.generated import TEXTS, UNPROTECTED, generated_texts
from wildgate_service.model.labeled_texts import LabeledText, base_language, is_development, read_texts
from wildgate_service.normalize.fold import name_emoji
from wildgate_service.types import TAXON_KINDS, ContentKind, RuleKind

WRITTEN = Path(__file__).parent / "written"  # its README says who wrote them
HALVED = ("*.jsonl", "ordinary/*.jsonl", "descriptions/*.jsonl")  # in it: of these one half is reported
KEPT_SHARE = 4  # one template or written pair in four teaches the fusion, and no model below it; of long ones each does
WRITTEN_WEIGHT = 10.0  # of a text that somebody thought of by itself, beside one filling of a template
KINDS = {"post": ContentKind.SOCIAL_POST, "cargo": ContentKind.CARGO_BOOKING}  # of templates
LONG = "description"  # functionality of long written texts
ORDINARY = "ordinary"  # of what people post every day
TWIN = "_twin"  # ends the kind of a text that differs from an offer by what is offered


class Origin(Enum):
    """Where an authored text comes from."""

    EXAMPLE = "example"  # of a rule
    TEMPLATE = "template"
    WRITTEN = "written"  # one by one
    OWN = "own"  # a platform's


class AuthoredText(Struct, frozen=True):
    """A text with its label. Those of one `source` (a rule, a template, a pair, a line of a file) stay on one side of every split."""

    origin: Origin
    source: str
    language: str  # BCP 47 without script and region
    text: str
    offer: bool  # whether it offers or seeks protected wildlife
    group: str = ""  # taxon group that it names, if told
    kind: str = ""  # of a template, or the functionality of a written text
    content_kind: ContentKind = ContentKind.LISTING

    @property
    def weight(self) -> float:
        """In training, beside others of its label."""
        return WRITTEN_WEIGHT if self.origin is Origin.WRITTEN else 1.0

    @property
    def is_twin(self) -> bool:
        """Whether it is a template's text that differs from an offer by what is offered."""
        return self.origin is Origin.TEMPLATE and self.kind.endswith(TWIN)

    @property
    def is_long(self) -> bool:
        """Whether it was written as a long listing or post."""
        return self.origin is Origin.WRITTEN and self.kind == LONG

    @property
    def is_ordinary(self) -> bool:
        """Whether it was written as what people post every day; a long one may still be the twin of an offer."""
        return not self.offer and (self.is_long or (self.origin is Origin.WRITTEN and self.kind == ORDINARY))

    @property
    def is_kept(self) -> bool:
        """Whether it is kept for the fusion: long written ones are, and those of a template or pair with sha256(source) % 4 == 0."""
        if self.is_long:
            return True
        kept = self.origin in {Origin.TEMPLATE, Origin.WRITTEN}
        return kept and int(hashlib.sha256(self.source.encode()).hexdigest(), 16) % KEPT_SHARE == 0


def readable(text: str) -> str:
    """The text as the encoder will be given it in service: emoji written as words."""
    return text if text.isascii() else "".join(map(name_emoji, text))


def read_authored(
    lexicons: Path, seed: int, *, templates: Path = TEXTS, written: Path = WRITTEN, labeled: Iterable[AuthoredText] = ()
) -> list[AuthoredText]:
    """All of them, each text once, in the order of their sources. Raises ModelError or LexiconError.

    What is an offer anywhere is one: a text that one rule must miss may be another rule's.
    """
    rules = tuple(rule for rule in read_rules(lexicons) if rule.status != "deprecated")
    groups = {taxon: row.group for taxon, row in read_taxa(lexicons).items()}
    found = [
        *rule_examples(rules),
        *_from_templates(templates, rules, groups, seed),
        *_from_written(written),
        *labeled,
    ]
    texts = {each.text: each for each in found if not each.offer} | {each.text: each for each in found if each.offer}
    return sorted(texts.values(), key=lambda each: (each.source, each.text))


def to_train_on(texts: Iterable[AuthoredText]) -> list[AuthoredText]:
    """What screen and heads learn from: all but the long written ones, which teach the fusion (decisions 164 and 168)."""
    return [each for each in texts if not each.is_long]


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
    return (AuthoredText(Origin.EXAMPLE, rule.id, base_language(rule.language), text, offer) for text in texts)


def _from_templates(templates: Path, rules: tuple[Rule, ...], groups: dict[str, str], seed: int) -> Iterator[AuthoredText]:
    for each in generated_texts(templates, rules, groups, seed):
        kind = KINDS.get(each.kind.removesuffix(TWIN), ContentKind.LISTING)
        language = base_language(each.language)
        yield AuthoredText(Origin.TEMPLATE, each.template, language, each.text, each.offer, each.group, each.kind, kind)


def read_labeled(path: Path) -> list[AuthoredText]:
    """The texts of a file, in either format of `labeled_texts`. Raises ModelError that names the line."""
    return [_of(Origin.OWN, each) for each in read_texts([path])]


def agreeing(texts: Iterable[AuthoredText]) -> list[AuthoredText]:
    """Each text once. Raises ModelError where one has two labels."""
    found: dict[str, AuthoredText] = {}
    for text in texts:
        before = found.setdefault(text.text, text)
        if before.offer != text.offer:
            raise ModelError(f"{text.source}: the text of {before.source} has another label here; decide which holds")
    return list(found.values())


def _from_written(folder: Path) -> Iterator[AuthoredText]:
    """The development half of what was written one by one, ordinary texts too, and all that was written for training."""
    halves = read_texts(path for each in HALVED for path in sorted(folder.glob(each)))
    training = read_texts(sorted(folder.glob("training/*.jsonl")))
    return (_of(Origin.WRITTEN, each) for each in (*filter(is_development, halves), *training))


def _of(origin: Origin, each: LabeledText) -> AuthoredText:
    """Twins have one source."""
    language = base_language(each.language)
    return AuthoredText(origin, each.source, language, each.text, each.offer, each.group or "", each.functionality, each.kind)
