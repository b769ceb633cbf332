"""Checks of a rule's examples, as far as they can be judged without the other rules; `wildgate lexicon test` runs them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.compiler import build_tables
from wildgate_service.lexicon.linter.by_form import folded
from wildgate_service.lexicon.linter.finding import Problem
from wildgate_service.lexicon.rules import Rule
from wildgate_service.match import find_contexts, match
from wildgate_service.match.tables import CompiledLexicon, compiled_in_memory
from wildgate_service.normalize import fold, normalize
from wildgate_service.types import TAXON_KINDS, Level, Listing

FEWEST_EXAMPLES = 3


def check_number(rule: Rule) -> Iterator[Problem]:
    """Three of each kind, on one side each."""
    for name, texts in (("match", rule.examples.match), ("no_match", rule.examples.no_match)):
        if len(set(texts)) < FEWEST_EXAMPLES:
            yield Problem("LEX015", f"{len(set(texts))} different {name} examples", f"at least {FEWEST_EXAMPLES}")
    both = sorted(set(rule.examples.match) & set(rule.examples.no_match))
    if both:
        yield Problem("LEX015", f"example on both sides: {both[0]!r}", "an example either matches or does not")


def check_holds_form(rule: Rule) -> Iterator[Problem]:
    """Every match example holds a form of the rule, be it in disguise; only what holds none at sight is looked at closely."""
    forms = [_squeezed(folded(entry)) for entry in rule.entries]
    doubtful = [text for text in rule.examples.match if not any(form in _squeezed(fold(text)) for form in forms if form)]
    if doubtful and (lexicon := _by_itself(rule)):
        for text in doubtful:
            if not _is_found(rule, text, lexicon):
                yield Problem("LEX023", f"no form is in the match example {text!r}", "an example shows one of the rule's own forms")


def _squeezed(text: str) -> str:
    return text.replace(" ", "").replace("-", "")


def _by_itself(rule: Rule) -> CompiledLexicon | None:
    """A lexicon of this rule alone, in which no form needs company; None if it cannot be compiled, which another check says."""
    entries = tuple(msgspec.structs.replace(entry, level=Level.ALONE, requires=None, taxa=()) for entry in rule.entries)
    bare = msgspec.structs.replace(rule, taxa=(), entries=entries)
    try:
        return compiled_in_memory(build_tables((bare,), {}, ""))
    except LexiconError:
        return None


def _is_found(rule: Rule, text: str, lexicon: CompiledLexicon) -> bool:
    normalized = normalize(Listing(title=text))
    return bool(match(normalized, lexicon).taxa if rule.kind in TAXON_KINDS else find_contexts(normalized, lexicon))
