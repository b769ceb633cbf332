"""`wildgate lexicon`: lint, test and count the lexicons."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from wildgate_service.lexicon import compile_lexicons, default_lexicons, lint, read_rules
from wildgate_service.lexicon.compiler import lexicon_in_memory
from wildgate_service.lexicon.examples import failures
from wildgate_service.lexicon.lock import write_lock
from wildgate_service.types import TAXON_KINDS

folder = click.option(
    "--lexicons",
    "root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Lexicon folder; default: the one that ships with the service.",
)


@click.group()
def command() -> None:
    """Lint, test and count the lexicons."""


@command.command("lint")
@folder
@click.option("--update-lock", is_flag=True, help="Lock the rules as they are at the version in VERSION.")
def lint_command(root: Path | None, *, update_lock: bool) -> None:
    """Check every rule file. Prints file:line: CODE message (hint); status 1 if there is any finding."""
    root = root or default_lexicons()
    if update_lock:
        write_lock(root, read_rules(root))
    findings = lint(root)
    for finding in findings:
        click.echo(str(finding))
    click.echo(f"{len(findings)} findings in {len(read_rules(root)) if not findings else 'the'} rules", err=True)
    sys.exit(1 if findings else 0)


@command.command("test")
@folder
@click.option("--language", help="Only rules of this language.")
@click.option("--rule", "rule_id", help="Only this rule.")
def test_command(root: Path | None, language: str | None, rule_id: str | None) -> None:
    """Run the examples of every rule against the whole lexicon; status 1 if any fails."""
    root = root or default_lexicons()
    lexicon = lexicon_in_memory(root)
    rules = tuple(
        rule
        for rule in read_rules(root)
        if rule.status != "deprecated" and language in (None, rule.language) and rule_id in (None, rule.id)
    )
    if not rules:
        raise click.UsageError("no rule has that language or id; `wildgate lexicon stats` lists the languages")
    failed = list(failures(rules, lexicon))
    for failure in failed:
        click.echo(str(failure))
    examples = sum(len(rule.examples.match) + len(rule.examples.no_match) for rule in rules)
    click.echo(f"{examples - len(failed)} of {examples} examples of {len(rules)} rules pass")
    sys.exit(1 if failed else 0)


@command.command("stats")
@folder
def stats_command(root: Path | None) -> None:
    """Count rules and forms by language: sourced, checked by a speaker, and unreviewed."""
    rules = read_rules(root or default_lexicons())
    click.echo(f"{'language':10} {'rules':>6} {'forms':>6} {'taxon forms':>12} {'sourced':>8} {'checked':>8} {'unreviewed':>11}")
    total: Counter[str] = Counter()
    for language in sorted({rule.language for rule in rules}):
        counts: Counter[str] = Counter()
        for rule in (rule for rule in rules if rule.language == language):
            counts["rules"] += 1
            for entry in rule.entries:
                sourced, checked = bool(rule.sources_of(entry)), bool(rule.reviewed_by)
                counts.update(
                    forms=1,
                    taxon=rule.kind in TAXON_KINDS,
                    sourced=sourced,
                    checked=checked,
                    unreviewed=not (sourced or checked),
                )
        total += counts
        click.echo(_line(language, counts))
    click.echo(_line("all", total))


@command.command("compile")
@folder
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the compiled file.")
def compile_command(root: Path | None, output: Path) -> None:
    """Compile the lexicons into one file and print its path."""
    click.echo(str(compile_lexicons(root or default_lexicons(), output)))


def _line(name: str, counts: Counter[str]) -> str:
    widths = (("rules", 6), ("forms", 6), ("taxon", 12), ("sourced", 8), ("checked", 8), ("unreviewed", 11))
    return f"{name:10} " + " ".join(f"{counts[key]:>{width}}" for key, width in widths)
