"""From rules to tables: every form folded as texts are folded, its further spellings generated, and two automata built."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import daachorse

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.patterns import patterns_of
from wildgate_service.lexicon.rules import Rule, read_rules, read_version, rule_files
from wildgate_service.lexicon.taxa import read_taxa, read_unions
from wildgate_service.match.tables import (
    CompiledLexicon,
    Form,
    LanguageCount,
    RuleRow,
    Tables,
    TaxonRow,
    compiled_in_memory,
    write_compiled,
)
from wildgate_service.types import TAXON_KINDS


def compile_lexicons(root: Path, output: Path) -> Path:
    """Compile a lexicon folder into one file in `output`, named by the hash of what it is made from; returns its path.

    Returns at once if that file is there: neither the rules nor this code changed. Raises LexiconError with file and line at the first
    thing that is broken; then nothing is written.
    """
    path = output / f"lexicon-{_hash_of_sources(root)[:16]}.bin"
    if not path.exists():
        write_compiled(tables_of(root), path)
    return path


def lexicon_in_memory(root: Path) -> CompiledLexicon:
    """The same without a file, for tests and the linter."""
    return compiled_in_memory(tables_of(root))


def tables_of(root: Path) -> Tables:
    """The tables of a lexicon folder."""
    rules = tuple(rule for rule in read_rules(root) if rule.status != "deprecated")
    taxa = read_taxa(root)
    return build_tables(rules, taxa, read_version(root), read_unions(root))


def build_tables(
    rules: tuple[Rule, ...], taxa: dict[str, TaxonRow], version: str, unions: dict[str, tuple[str, ...]] | None = None
) -> Tables:
    """The tables of some rules."""
    _check_ids(rules)
    forms: list[Form] = []
    taxon_patterns: dict[str, list[int]] = {}
    context_patterns: dict[str, list[int]] = {}
    fuzzy: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        patterns = taxon_patterns if rule.kind in TAXON_KINDS else context_patterns
        for entry in rule.entries:
            for pattern, form in patterns_of(number, rule, entry):
                patterns.setdefault(pattern, []).append(len(forms))
                if entry.fuzzy and not form.view and rule.kind in TAXON_KINDS:
                    fuzzy.setdefault(pattern, []).append(len(forms))
                forms.append(form)
    return Tables(
        version=version,
        languages=_counts(rules),
        rules=tuple(_row(rule, taxa) for rule in rules),
        forms=tuple(forms),
        taxon_patterns=tuple(map(tuple, taxon_patterns.values())),
        context_patterns=tuple(map(tuple, context_patterns.values())),
        taxon_automaton=_automaton(taxon_patterns),
        context_automaton=_automaton(context_patterns),
        fuzzy={word: tuple(indices) for word, indices in fuzzy.items()},
        taxa=taxa,
        unions=unions or {},
    )


def _row(rule: Rule, taxa: dict[str, TaxonRow]) -> RuleRow:
    named = dict.fromkeys((*rule.taxa, *(taxon for entry in rule.entries for taxon in entry.taxa)))
    unknown = [taxon for taxon in named if taxon not in taxa]
    if unknown:
        raise LexiconError(f"rule {rule.id}: taxa not in taxa.csv: {', '.join(unknown)}", file=rule.file, line=rule.line)
    return RuleRow(
        id=rule.id,
        kind=rule.kind,
        language=rule.language,
        taxa=rule.taxa,
        groups=tuple(dict.fromkeys(taxa[taxon].group for taxon in rule.taxa)),
        cue_type=rule.cue_type,
        restricted=rule.visibility == "restricted",
        reviewed=bool(rule.reviewed_by),
        cancels=rule.cancels.groups if rule.cancels else (),
        cancels_within=rule.cancels.within if rule.cancels else 0,
        weakens=rule.weakens.groups if rule.weakens else (),
        weakens_within=rule.weakens.within if rule.weakens else 0,
    )


def _automaton(patterns: dict[str, list[int]]) -> bytes:
    compiled: bytes = daachorse.CharwiseDoubleArrayAhoCorasick(list(patterns) or ["\x1f\x1f"]).serialize()
    return compiled


def _counts(rules: tuple[Rule, ...]) -> tuple[LanguageCount, ...]:
    rule_counts = Counter(rule.language for rule in rules)
    forms = Counter(rule.language for rule in rules for _ in rule.entries)
    sourced = Counter(rule.language for rule in rules for entry in rule.entries if rule.sources_of(entry))
    return tuple(LanguageCount(name, rule_counts[name], forms[name], sourced[name]) for name in sorted(rule_counts))


def _check_ids(rules: tuple[Rule, ...]) -> None:
    seen: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in seen:
            other = seen[rule.id]
            raise LexiconError(f"id {rule.id} stands already at {other.file}:{other.line}", file=rule.file, line=rule.line)
        seen[rule.id] = rule


def _hash_of_sources(root: Path) -> str:
    """Hash of every file that the compiled tables depend on: the lexicon's, and this package's own code and character tables."""
    package = Path(__file__).parent.parent
    code = [path for name in ("lexicon", "match", "normalize") for path in (package / name).rglob("*") if path.suffix in {".py", ".tsv"}]
    content = [*rule_files(root), *(root / name for name in ("taxa.csv", "protection.csv", "unions.csv", "VERSION")), *code]
    digest = hashlib.sha256()
    for path in sorted(content):
        digest.update(path.name.encode())
        digest.update(hashlib.sha256(path.read_bytes() if path.exists() else b"").digest())
    return digest.hexdigest()
