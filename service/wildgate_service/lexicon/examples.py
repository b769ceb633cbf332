"""The tests that every rule carries: texts that must fire it, and texts that must not."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from wildgate_service.lexicon.rules import Rule
from wildgate_service.match import find_contexts, match
from wildgate_service.match.tables import CompiledLexicon
from wildgate_service.normalize import normalize
from wildgate_service.types import TAXON_KINDS, Listing


class Failure(Struct, frozen=True):
    """An example that does not do what it must."""

    rule: Rule
    text: str
    wanted: bool

    def __str__(self) -> str:
        verb = "does not fire on" if self.wanted else "fires on"
        return f"{self.rule.file}:{self.rule.line}: {self.rule.id} {verb} {self.text!r}"


def fires(rule: Rule, text: str, lexicon: CompiledLexicon) -> bool:
    """Whether a rule counts in a listing with this title (cues and contexts: whether a form of it occurs)."""
    normalized = normalize(Listing(title=text))
    if rule.kind in TAXON_KINDS:
        return any(found.rule_id == rule.id and found.counts for found in match(normalized, lexicon).taxa)
    return any(found.rule_id == rule.id for found in find_contexts(normalized, lexicon))


def failures(rules: tuple[Rule, ...], lexicon: CompiledLexicon) -> Iterator[Failure]:
    """Every example that fails."""
    for rule in rules:
        for text in rule.examples.match:
            if not fires(rule, text, lexicon):
                yield Failure(rule, text, wanted=True)
        for text in rule.examples.no_match:
            if fires(rule, text, lexicon):
                yield Failure(rule, text, wanted=False)
