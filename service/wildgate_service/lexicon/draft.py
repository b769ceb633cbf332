"""The draft of a rule: everything that a machine can write of it. What only a person can know is left for the linter to ask."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable

from msgspec import Struct

from wildgate_service.types import TAXON_KINDS, RuleKind

UNKNOWN = "?"
ASKED = """\
# A draft. `wildgate lexicon lint` asks for what only a person can know:
#   LEX004  taxa: keys of taxa.csv; move forms of other taxa to rules of their own
#   LEX015  three texts that must match and three innocent ones that must not; write them yourself, do not copy listings
#   LEX025  gloss: what the form means, in English, and what else it means
# Remove every form that is an innocent word and no code word. Give a source, or leave the single word unreviewed.
"""


class DraftForm(Struct, frozen=True):
    """A form and what is known of it, which becomes a comment."""

    form: str
    comment: str = ""


def draft_rule(rule_id: str, language: str, kind: RuleKind, forms: Iterable[DraftForm], today: dt.date) -> str:
    """A rule file's text with one rule."""
    of_taxa = kind in TAXON_KINDS
    lines = [
        f"- id: {rule_id}",
        f"  title: {_quoted(rule_id.removeprefix(f'{language.lower()}-').replace('-', ' ').capitalize())}",
        "  status: experimental",
        f"  description: Detects {_said(kind)} in {language}.",
        f"  language: {language}",
        "  taxa: []",
        f"  kind: {kind}",
        *(["  cue_type: contact_off_platform  # or another of CONVENTIONS.md"] if kind is RuleKind.EVASION_CUE else []),
        f"  level: {'company_only' if kind is RuleKind.CODE_WORD else 'with_company'}",
        "  entries:",
    ]
    for form in forms:
        lines += [f"    - form: {_quoted(form.form)}{f'  # {form.comment}' if form.comment else ''}", f"      gloss: {_quoted(UNKNOWN)}"]
        if kind is RuleKind.CODE_WORD:
            lines.append("      requires: {kinds: [trade_cue, evasion_cue, species, product], within: 60}")
    if kind is RuleKind.BENIGN_CONTEXT:
        lines.append('  cancels: {groups: ["*"], within: 0}')
    lines += [
        "  falsepositives: []",
        "  references: [unreviewed]",
        "  visibility: public",
        "  examples:",
        "    match: []",
        "    no_match: []",
        "  author: Wildgate",
        '  reviewed_by: ""',
        f"  date: {today.isoformat()}",
        f"  modified: {today.isoformat()}",
    ]
    asked = ASKED if of_taxa else "".join(line for line in ASKED.splitlines(keepends=True) if "LEX004" not in line)
    return asked + "\n".join(lines) + "\n"


def _said(kind: RuleKind) -> str:
    return str(kind).replace("_", " ") + ("" if kind is RuleKind.SPECIES else "s")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
