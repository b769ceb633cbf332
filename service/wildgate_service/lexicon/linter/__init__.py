"""The linter: small checks with stable codes, each with a message, a hint and a place.

| code | finding | `--fix` |
|---|---|---|
| LEX001 | the file is not a list of rules, or not YAML | |
| LEX002 | a field is missing, unknown or of the wrong kind | adds `modified` where there is a `date` |
| LEX003 | an id is malformed, used twice, or not of the file's language | |
| LEX004 | a taxon is not in taxa.csv, a taxon rule has none, or a cue has one | |
| LEX005 | a group in cancels or weakens is unknown | |
| LEX006 | cancels or weakens on a rule that is no context, or a context with neither | |
| LEX007 | an evasion cue without cue_type, or another rule with one | |
| LEX008 | a raw invisible or bidirectional character | writes it as an escape; leaves block texts |
| LEX009 | a form stands twice in its rule | removes the later, if it says nothing else |
| LEX010 | a form matches itself only after a fold that leaves nothing of it | |
| LEX011 | a code word at level alone | |
| LEX012 | a fuzzy form that is too short, has several words, or is one typo from an ordinary word or another rule's form | |
| LEX013 | a form that is short for its script at level alone | |
| LEX014 | a description that does not begin "Detects " | |
| LEX015 | fewer than three examples of a kind, or an example on both sides | |
| LEX016 | a restricted rule in the public lexicon, or a public rule in a restricted pack | |
| LEX017 | the lock does not know the rule, or knows it with other content | |
| LEX018 | a form in capitals, with needless blanks or invisible characters, or not composed (NFC) | writes it as it should be |
| LEX019 | a substring form | |
| LEX020 | a context that cancels within more than 24 code points | |
| LEX021 | a language that SCHEMA.json does not list | |
| LEX022 | a form stands in two rules of one language, of one kind and taxon, at different levels | |
| LEX023 | a match example that holds no form of its rule | |
| LEX024 | requires on a form that asks for no company | |
| LEX025 | a gloss that says nothing: a placeholder, or no English | |
| LEX026 | a rule that a speaker reviewed is still experimental | |
| LEX027 | a reference that nobody can follow | |
| LEX028 | a date that is none, or after modified | |
| LEX029 | a rule that names a deprecated rule | |
| LEX030 | a word of a form mixes letters of scripts that look alike | |
| LEX031 | a context whose form is a taxon rule's form, so that the form never counts | |
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.linter.across import across_rules
from wildgate_service.lexicon.linter.by_example import check_holds_form, check_number
from wildgate_service.lexicon.linter.by_form import FORM_CHECKS
from wildgate_service.lexicon.linter.by_rule import RULE_CHECKS, check_taxa, check_visibility
from wildgate_service.lexicon.linter.finding import Finding, Problem
from wildgate_service.lexicon.linter.invisible import raw_invisible
from wildgate_service.lexicon.lock import lock_findings
from wildgate_service.lexicon.packs import pack_name, taxa_with_packs
from wildgate_service.lexicon.rules import Rule, rule_files, rules_of_text
from wildgate_service.match.tables import TaxonRow

__all__ = ["Finding", "lint", "lint_text"]

CHECKS = (*RULE_CHECKS, *FORM_CHECKS, check_number, check_holds_form)
Taxa = Mapping[str, TaxonRow]


def lint(root: Path, packs: tuple[Path, ...] = ()) -> list[Finding]:
    """All findings of a lexicon folder and of restricted packs beside it, in order of file and line.

    A pack's files are named `<pack>/rules/…`; it has no lock. Raises LexiconError if there are no rule files, VERSION or sound lock.
    """
    try:
        taxa = taxa_with_packs(root, packs)
    except LexiconError as error:
        return [Finding(error.file, error.line, "LEX004", _bare(error), "mend the table first")]
    findings, rules = _lint_files(root, taxa)
    findings += [Finding(*place, "LEX017", message, hint) for place, message, hint in lock_findings(root, rules)]
    for pack in packs:
        found, restricted = _lint_files(pack, taxa, pack_name(pack))
        findings += found
        rules += restricted
    return sorted([*findings, *across_rules(rules, taxa)])


def lint_text(text: str, taxa: Taxa | None = None, file: str = "rules.yml") -> list[Finding]:
    """Findings of one rule file's text by itself; without `taxa` the taxa it names are not checked."""
    findings, rules = _lint_file(text, file, taxa, restricted=False)
    return sorted([*findings, *across_rules(rules, taxa)])


def _lint_files(root: Path, taxa: Taxa, pack: str = "") -> tuple[list[Finding], list[Rule]]:
    findings: list[Finding] = []
    rules: list[Rule] = []
    for file in rule_files(root):
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
        name = str(file.relative_to(root))
        found, parsed = _lint_file(text, f"{pack}/{name}" if pack else name, taxa, restricted=bool(pack))
        findings += found
        rules += parsed
    return findings, rules


def _lint_file(text: str, file: str, taxa: Taxa | None, *, restricted: bool) -> tuple[list[Finding], list[Rule]]:
    hint = "write it as an escape in double quotes"
    findings = [Finding(file, line, "LEX008", f"raw invisible character {name}", hint) for line, name in raw_invisible(text)]
    try:
        rules = list(rules_of_text(text, file))
    except LexiconError as error:
        code = "LEX001" if "not YAML" in str(error) or "list of rules" in str(error) else "LEX002"
        return [
            *findings,
            Finding(file, error.line, code, _bare(error), "CONVENTIONS.md and SCHEMA.json say what a rule holds"),
        ], []
    for rule in rules:
        findings += [_finding(rule, problem) for problem in _problems(rule, taxa, restricted=restricted)]
    return findings, rules


def _problems(rule: Rule, taxa: Taxa | None, *, restricted: bool) -> list[Problem]:
    return [
        *(problem for check in CHECKS for problem in check(rule)),
        *check_visibility(rule, restricted=restricted),
        *(check_taxa(rule, taxa) if taxa is not None else ()),
    ]


def _finding(rule: Rule, problem: Problem) -> Finding:
    return Finding(rule.file, problem.line or rule.line, problem.code, f"{rule.id}: {problem.message}", problem.hint)


def _bare(error: LexiconError) -> str:
    """The message without the place, which a finding has of its own."""
    return str(error).removeprefix(f"{error.file}:{error.line}: ")
