"""`wildgate lexicon suggest`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from wildgate_service.cli.lexicon import options
from wildgate_service.cli.lexicon.compiled import compiled_lexicon
from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.draft import DraftForm, draft_rule
from wildgate_service.lexicon.linter.by_rule import LANGUAGES
from wildgate_service.types import RuleKind

if TYPE_CHECKING:
    from wildgate_service.lexicon.suggest import Suggestions

MOST_EXPLAINED = 6


@click.command(
    "suggest",
    epilog=options.examples(
        "wildgate lexicon suggest --positives removed.jsonl --background sample.jsonl --language th",
        "wildgate lexicon suggest --positives removed.jsonl --background sample.jsonl --language th --format yaml > draft.yml",
    ),
)
@options.folder
@options.packs
@click.option("--positives", required=True, type=options.listings, help="JSONL of listings that were offers.")
@click.option("--background", required=True, type=options.listings, help="JSONL of ordinary listings; ten times as many serve well.")
@click.option("--language", type=click.Choice(sorted(LANGUAGES)), default=None, metavar="XX", help="Only listings in this language.")
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Candidates to print.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True, help="yaml: a draft rule."
)
def suggest_command(
    root: Path | None, packs: tuple[Path, ...], positives: Path, background: Path, language: str | None, top: int, form: str
) -> None:
    """Candidate forms: what offers say, ordinary listings do not, and the lexicon does not know. A person accepts or drops each.

    Both files are JSONL as for `wildgate score --input`. Words and runs of up to four, in scripts without spaces runs of up to eight
    characters, ranked by the log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008); z above 1.96 is
    printed, with the listings on both sides that hold it, the n-grams it explains, and places to read.

    Limits: a word in fewer than three offers, or in more than one of twenty ordinary listings, is not seen; one seller's favorite
    phrase looks like a code word; what both files have alike is not found; characters of Thai, Khmer, Lao, Myanmar, Chinese and
    Japanese are not cut into words, so an end may be off.
    """
    from wildgate_service.lexicon.listing_lines import listings_of  # noqa: PLC0415  (loads the models' libraries)
    from wildgate_service.lexicon.suggest import suggest  # noqa: PLC0415

    if form == "yaml" and language is None:
        raise click.UsageError("--format yaml needs --language, which a rule has")
    lexicon = compiled_lexicon(root or default_lexicons(), packs)
    found = suggest(listings_of(positives), listings_of(background), lexicon, language=language or "", top=top)
    if form == "json":
        click.echo(msgspec.json.encode(found).decode())
    elif form == "yaml":
        click.echo(_as_yaml(found, language or ""), nl=False)
    else:
        click.echo(_as_text(found))


def _as_text(found: Suggestions) -> str:
    lines = [f"{len(found.candidates)} candidates from {found.positives:,} offers and {found.background:,} ordinary listings"]
    for number, each in enumerate(found.candidates, 1):
        lines.append(f"{number:3}. {each.form}   z {each.z}, in {each.positives:,} offers and {each.background:,} ordinary listings")
        if each.explains:
            more = ", …" if each.explains[MOST_EXPLAINED:] else ""
            lines.append(f"     explains: {', '.join(each.explains[:MOST_EXPLAINED])}{more}")
        lines += [f"     … {context}" for context in each.contexts]
    return "\n".join(lines)


def _as_yaml(found: Suggestions, language: str) -> str:
    forms = [
        DraftForm(each.form, f"z {each.z}; in {each.positives} of {found.positives} offers, {each.background} of {found.background} others")
        for each in found.candidates
    ]
    if not forms:
        raise click.UsageError("no candidate to write a rule of; see the limits in --help")
    return draft_rule(f"{language.lower()}-draft-code", language, RuleKind.CODE_WORD, forms, dt.datetime.now(tz=dt.UTC).date())
