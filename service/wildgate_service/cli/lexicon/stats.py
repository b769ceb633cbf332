"""`wildgate lexicon stats`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from wildgate_service.cli.lexicon import options
from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.stats import as_json, as_markdown, as_text, count_lexicons


@click.command(
    "stats",
    epilog=options.examples(
        "wildgate lexicon stats",
        "wildgate lexicon stats --format json",
        "wildgate lexicon stats --format markdown > docs/lexicon_coverage.md",
        "wildgate lexicon stats --format markdown --check docs/lexicon_coverage.md",
    ),
)
@options.folder
@options.packs
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print the counts; markdown is a whole page.",
)
@click.option("--check", type=options.listings, help="Print nothing; status 1 if this file is not what would be printed.")
def stats_command(root: Path | None, packs: tuple[Path, ...], form: str, check: Path | None) -> None:
    """Count rules and forms by language, and forms by language and taxon group: sourced, checked by a speaker, and unreviewed.

    Scientific names and the names of `index_names.yml` files are counted apart. Deprecated rules are not counted.
    """
    stats = count_lexicons(root or default_lexicons(), packs)
    shown = {"text": as_text, "markdown": as_markdown}[form](stats) if form != "json" else msgspec.json.encode(as_json(stats)).decode()
    shown = f"{shown.rstrip()}\n"
    if check is None:
        click.echo(shown, nl=False)
    elif check.read_text(encoding="utf-8") != shown:
        click.echo(f"{check} is not what the lexicons say: write it anew with wildgate lexicon stats --format {form} > {check}", err=True)
        sys.exit(1)
