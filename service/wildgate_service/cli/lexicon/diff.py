"""`wildgate lexicon diff`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from wildgate_service.cli.lexicon import options
from wildgate_service.cli.lexicon.compiled import compiled_lexicon, compiled_path
from wildgate_service.lexicon import diff

if TYPE_CHECKING:
    from wildgate_service.lexicon.impact import Impact

LEXICON = click.Path(path_type=Path, exists=True)


@click.command(
    "diff",
    epilog=options.examples(
        "git worktree add /tmp/before main",
        "wildgate lexicon diff /tmp/before/lexicons lexicons",
        "wildgate lexicon diff /tmp/before/lexicons lexicons --input listings.jsonl --show 50",
    ),
)
@click.argument("before", type=LEXICON)
@click.argument("after", type=LEXICON)
@click.option("--input", "source", type=options.listings, help="JSONL of listings, as for `wildgate score --input`: what changes for them.")
@click.option(
    "--show", type=click.IntRange(0), default=10, show_default=True, help="With --input: changed listings to print with their texts."
)
@click.option("--encoder", is_flag=True, help="With --input: score with the encoder too, not with lexicons alone.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it.")
def diff_command(before: Path, after: Path, source: Path | None, show: int, form: str, *, encoder: bool) -> None:
    """What changed from one lexicon to another: rules, forms and levels, and for a file of listings the actions.

    BEFORE and AFTER are lexicon folders, or files that `wildgate lexicon compile` wrote. Status 0: the same; 1: they differ; 2: trouble.
    """
    if source is None and encoder:
        raise click.UsageError("--encoder needs --input")
    found = diff.diff_lexicons(before, after, compiled_lexicon)
    impact = _impact(before, after, source, encoder=encoder) if source else None
    click.echo(_as_json(found, impact, show) if form == "json" else _as_text(found, impact, show))
    sys.exit(1 if found or (impact and impact.changed) else 0)


def _impact(before: Path, after: Path, source: Path, *, encoder: bool) -> Impact:
    from wildgate_service.lexicon.impact import compare  # noqa: PLC0415  (loads the models' libraries)
    from wildgate_service.model.folder import find_models  # noqa: PLC0415
    from wildgate_service.pipeline import load_engine  # noqa: PLC0415
    from wildgate_service.settings import load_settings  # noqa: PLC0415

    settings = load_settings().settings
    models, encoders = find_models(settings.models), (settings.encoder_path, settings.deep_encoder_path) if encoder else (None, None)
    one, other = (load_engine(compiled_path(path), settings.policy, encoders[0], models, deep=encoders[1]) for path in (before, after))
    return compare(one, other, source)


def _as_text(found: diff.LexiconDiff, impact: Impact | None, show: int) -> str:
    if impact is None:
        return diff.as_text(found)
    from wildgate_service.lexicon.impact import as_text  # noqa: PLC0415

    return f"{diff.as_text(found)}\n\n{as_text(impact, show)}"


def _as_json(found: diff.LexiconDiff, impact: Impact | None, show: int) -> str:
    shown = diff.as_json(found)
    if impact is not None:
        from wildgate_service.lexicon.impact import as_json  # noqa: PLC0415

        shown["impact"] = as_json(impact, show)
    return msgspec.json.encode(shown).decode()
