"""Entries to rule files: one rule a group, with examples made from its own forms."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml
from wildgate_service.lexicon.rules import rules_of_text
from wildgate_service.normalize import fold

from index_names.decisions import Decisions
from index_names.names import NamedForm

FILE = "index_names.yml"
COMPANY = {
    "company_only": {"kinds": ["trade_cue", "evasion_cue", "species", "product"], "within": 60},
    "ordinary": {"kinds": ["evasion_cue"], "within": 400},
}
SAMPLES = 3


class _Dumper(yaml.SafeDumper):
    """Writes everything out: rule files have no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  (PyYAML's signature)
        return True


def known_forms(lexicons: Path, language: str) -> set[str]:
    """Folded forms of a language that stand in other files."""
    files = [file for file in sorted((lexicons / "rules" / language).glob("*.yml")) if file.name != FILE]
    rules = [rule for file in files for rule in rules_of_text(file.read_text(encoding="utf-8"), file.name)]
    return {fold(entry.form).strip() for rule in rules if rule.status != "deprecated" for entry in rule.entries}


def write_rules(entries: list[NamedForm], lexicons: Path, language: str, decisions: Decisions) -> int:
    """Write the rule file of a language; returns its number of forms."""
    groups: dict[str, list[NamedForm]] = defaultdict(list)
    for entry in entries:
        groups[entry.group].append(entry)
    rules = [_rule(group, groups[group], language, decisions) for group in sorted(groups)]
    text = "\n".join(yaml.dump([rule], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000) for rule in rules)
    (lexicons / "rules" / language / FILE).write_text(text, encoding="utf-8")
    return len(entries)


def _rule(group: str, entries: list[NamedForm], language: str, decisions: Decisions) -> dict[str, Any]:
    texts = decisions.table["texts"][language]
    name = group.replace("_", " ")
    samples = [_title(sample.form, language) for sample in _samples(entries)]
    return {
        "id": f"{language}-index-{group.replace('_', '-')}",
        "title": texts["title"].format(group=name),
        "status": "test",
        "description": texts["description"].format(group=name),
        "language": language,
        "taxa": sorted({taxon for entry in entries for taxon in entry.taxa}),
        "kind": "species",
        "level": "with_company",
        "entries": [_entry(entry) for entry in entries],
        "falsepositives": texts["falsepositives"],
        "references": [decisions.table["source"]["reference"]],
        "visibility": "public",
        "examples": {
            side: [template.format(sample) for template, sample in zip(texts[side], samples, strict=True)] for side in ("match", "no_match")
        },
        "author": "Wildgate",
        "reviewed_by": "",
        "date": decisions.table["source"]["date"],
        "modified": decisions.table["source"]["date"],
    }


def _samples(entries: list[NamedForm]) -> list[NamedForm]:
    """Three entries that trade alone brings to speak, from the whole length of the list."""
    usable = [entry for entry in entries if entry.level == "with_company"] or entries
    return [usable[len(usable) * step // SAMPLES] for step in range(SAMPLES)]


def _title(form: str, language: str) -> str:
    return form.capitalize() if language == "la" else form


def _entry(entry: NamedForm) -> dict[str, Any]:
    made: dict[str, Any] = {"form": entry.form, "gloss": entry.gloss}
    if entry.prefix:
        made["match"] = "prefix"
    if entry.level in COMPANY:
        made |= {"level": "company_only", "requires": COMPANY[entry.level]}
    return made | {"taxa": sorted(entry.taxa)}
