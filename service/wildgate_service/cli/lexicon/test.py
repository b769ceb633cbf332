"""`wildgate lexicon test`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from wildgate_service.cli.lexicon import options
from wildgate_service.cli.lexicon.compiled import compiled_lexicon
from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.examples import Failure, failures
from wildgate_service.lexicon.packs import rules_with_packs
from wildgate_service.lexicon.rules import Rule


@click.command(
    "test",
    epilog=options.examples(
        "wildgate lexicon test",
        "wildgate lexicon test --rule en-ivory-code",
        "wildgate lexicon test --language th --format json",
    ),
)
@options.folder
@options.packs
@click.option("--language", help="Only rules of this language.")
@click.option("--rule", "rule_id", help="Only this rule.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print the result.")
def test_command(root: Path | None, packs: tuple[Path, ...], language: str | None, rule_id: str | None, form: str) -> None:
    """Run the examples of every rule against the whole lexicon.

    Status 0 if all pass, 1 if one fails, 2 for a usage error or a lexicon that cannot be compiled.
    """
    root = root or default_lexicons()
    lexicon = compiled_lexicon(root, packs)
    rules = tuple(
        rule
        for rule in rules_with_packs(root, packs, holding=rule_id or language or "")
        if rule.status != "deprecated" and language in (None, rule.language) and rule_id in (None, rule.id)
    )
    if not rules:
        raise click.UsageError("no rule has that language or id; `wildgate lexicon stats` lists the languages")
    failed = list(failures(rules, lexicon))
    examples = sum(len(rule.examples.match) + len(rule.examples.no_match) for rule in rules)
    click.echo(_as_json(rules, failed, examples) if form == "json" else _as_text(rules, failed, examples))
    sys.exit(1 if failed else 0)


def _as_text(rules: tuple[Rule, ...], failed: list[Failure], examples: int) -> str:
    return "\n".join([*map(str, failed), f"{examples - len(failed)} of {examples} examples of {len(rules)} rules pass"])


def _as_json(rules: tuple[Rule, ...], failed: list[Failure], examples: int) -> str:
    rows = [
        {"rule_id": each.rule.id, "file": each.rule.file, "line": each.rule.line, "text": each.text, "wanted": each.wanted}
        for each in failed
    ]
    return msgspec.json.encode({"rules": len(rules), "examples": examples, "failures": rows}).decode()
