"""`wildgate backtest`: what one policy changes against another for a file of listings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from wildgate_service.backtest import Backtest, Job, backtest
from wildgate_service.backtest_shown import as_json, as_page, as_text
from wildgate_service.bulk import FORMATS, format_of
from wildgate_service.cli.score import LEXICONS, WORKERS, progress_on
from wildgate_service.tags import market_code

POLICY = click.Path(path_type=Path, exists=True, dir_okay=False)
SHAPES: dict[str, Callable[[Backtest], str]] = {"text": as_text, "json": as_json, "html": as_page}


@click.command()
@click.option("--input", "source", required=True, type=POLICY, help="File of listings, as for `wildgate score --input`.")
@click.option("--input-format", "form", type=click.Choice(FORMATS), help="Its format; default: by its ending, else jsonl.")
@click.option("--a", "one", type=POLICY, help="Policy before; alone: the policy to hold against the one that ships.")
@click.option("--b", "other", type=POLICY, help="Policy after.")
@click.option("--live", is_flag=True, help="With --a: what it would ask for if nothing were in shadow, against what it asks for.")
@click.option("--tenant", default="", help="Decide as for this tenant.")
@click.option("--market", default="", help="Market of listings that say none (ISO 3166).")
@LEXICONS
@click.option(
    "--pack",
    "packs",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of a restricted pack; may be given several times. Default: the setting lexicon_packs.",
)
@WORKERS
@click.option("--show", type=click.IntRange(0, 1000), default=5, show_default=True, help="Texts to read of each kind of change.")
@click.option("--seed", type=int, default=0, show_default=True, help="By which they are drawn.")
@click.option("--format", "shape", type=click.Choice(list(SHAPES)), default="text", show_default=True, help="Text, data or a page.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write instead of printing.")
def command(
    source: Path,
    form: str | None,
    one: Path | None,
    other: Path | None,
    tenant: str,
    market: str,
    lexicons: Path | None,
    packs: tuple[Path, ...],
    workers: int,
    show: int,
    seed: int,
    shape: str,
    output: Path | None,
    *,
    live: bool,
) -> None:
    """Show what changes from one policy to another for a file of listings: by language, group and rule, with texts to read.

    Each listing is scored once and decided twice; nothing is recorded. A column `label` or `expected` (true or false, offer or benign,
    or an action) gives precision and recall before and after. Exit status 0; 1 if any line failed; 2 for a usage error.
    """
    if live and (one is None or other is not None):
        raise click.UsageError("--live needs --a and no --b: it holds a policy in shadow against itself out of it")
    if one is None and other is None:
        raise click.UsageError("give --a POLICY, and --b POLICY to hold it against another than the one that ships")
    if output is not None and output.resolve() == source.resolve():
        raise click.UsageError("--output is the input file; it would be overwritten while it is read")
    before, after = (one, one) if live else (one, other) if other else (None, one)
    job = Job(lexicons, packs or None, before, after, live=live, tenant=tenant, market=market_code(market))
    found = backtest(source, form or format_of(source), job, workers=workers, show=show, seed=seed, progress=progress_on(sys.stderr))
    _give(SHAPES[shape](found), output)
    sys.exit(1 if found.failed else 0)


def _give(made: str, output: Path | None) -> None:
    if output is None:
        click.echo(made, nl=False)
        return
    try:
        output.write_text(made, encoding="utf-8", newline="")
    except OSError as error:
        message = f"cannot write {output}: {error.strerror}"
        raise click.ClickException(message) from error
    click.echo(output)
