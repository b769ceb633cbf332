"""From an entry of a rule to the patterns that the automata search for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import msgspec

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.rules import Entry, Rule
from wildgate_service.match.boundaries import Edge, edge_of
from wildgate_service.match.tables import Form
from wildgate_service.normalize import fold
from wildgate_service.normalize.marks import fold_with_marks, has_marks
from wildgate_service.types import TAXON_KINDS

JOINED_LETTERS = 8


def patterns_of(number: int, rule: Rule, entry: Entry) -> Iterator[tuple[str, Form]]:
    """The folded form, and for a form of several words those with hyphens and with nothing between them."""
    pattern = fold(entry.form).strip()
    if not pattern:
        raise LexiconError(f"rule {rule.id}: form {entry.form!r} folds to nothing", file=rule.file, line=rule.line)
    form = _form(number, rule, entry, pattern)
    yield pattern, form
    words = pattern.split(" ")
    if len(words) > 1 and pattern.replace(" ", "").isalpha():
        yield "-".join(words), form
        if len(pattern) - len(words) + 1 >= JOINED_LETTERS and rule.kind in TAXON_KINDS:
            yield "".join(words), _with_view(form, "joined_words")


def _form(number: int, rule: Rule, entry: Entry, pattern: str) -> Form:
    left = {"substring": Edge.FREE, "amount": Edge.NUMBER}.get(entry.match, edge_of(pattern[0], first=True))
    right = Edge.FREE if entry.match in {"substring", "prefix"} else edge_of(pattern[-1], first=False)
    marked = fold_with_marks(entry.form) if rule.protects_marks(entry) else ""
    return Form(
        rule=number,
        form=unicodedata.normalize("NFC", entry.form),
        gloss=entry.gloss,
        level=rule.level_of(entry),
        left=left,
        right=right,
        marked=marked if has_marks(marked) or rule.protects_marks(entry) else "",
        requires=entry.requires.kinds if entry.requires else (),
        within=entry.requires.within if entry.requires else 0,
        sourced=bool(rule.sources_of(entry)),
        taxa=entry.taxa,
    )


def _with_view(form: Form, view: str) -> Form:
    return msgspec.structs.replace(form, view=view, marked="")
