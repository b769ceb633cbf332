"""`wildgate cargo`: bookings in the order of what to look at first."""

from __future__ import annotations

import codecs
import csv
import sys
from pathlib import Path

import click

from wildgate_service.bulk import Run, say
from wildgate_service.cargo import load_tables
from wildgate_service.cargo.ranking import Reading, Total, rank_file
from wildgate_service.cli.score import LEXICONS, POLICY, WORKERS, progress_on, stopping

SHARE = 0.003  # what public programmes of container control select


@click.group()
def command() -> None:
    """Rank bookings of cargo by what has covered wildlife before."""


@command.command()
@click.option(
    "--input", "source", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="CSV of bookings, also .gz."
)
@click.option("--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Ranked CSV; appears whole at the end.")
@click.option(
    "--share",
    type=click.FloatRange(0, 1),
    default=SHARE,
    show_default=True,
    help="Share of the bookings that is of high risk: what you can look at.",
)
@click.option("--column", "columns", multiple=True, metavar="FIELD=HEADER", help="Which column holds a field, if its header is not known.")
@click.option("--encoding", default="utf-8", show_default=True, help="Of the file, such as cp1252, utf-16 or gb18030.")
@click.option("--delimiter", default="", help="One character; default: the one of comma, semicolon and tab that the header has most of.")
@click.option("--no-quotes", is_flag=True, help='A quote is a sign like any other (20" PIPES); no cell holds a delimiter.')
@POLICY
@LEXICONS
@WORKERS
@click.option("--restart", is_flag=True, help="Forget what an earlier run of the same output has scored.")
def rank(
    source: Path,
    output: Path,
    share: float,
    columns: tuple[str, ...],
    encoding: str,
    delimiter: str,
    policy: Path | None,
    lexicons: Path | None,
    workers: int,
    *,
    no_quotes: bool,
    restart: bool,
) -> None:
    """Write a CSV of bookings in the order of risk, with reasons; docs/cargo.md explains them.

    Every row is in the output once. A run that was ended is gone on with by the same command. Exit status 0; 1 if a row could not be read;
    2 for a usage error; 128 and its number for a signal.
    """
    if source.resolve() == output.resolve():
        raise click.UsageError("--output is the input file; it would be overwritten while it is read")
    if len(delimiter) > 1:
        raise click.UsageError("--delimiter is one character")
    reading = Reading(_pairs(columns), _known(encoding), delimiter, quotes=not no_quotes)
    run = Run(lexicons=lexicons, policy=policy, workers=workers)
    with stopping():
        total = rank_file(source, output, share, run, reading, progress_on(sys.stderr), restart=restart)
    say(_said(total, share))
    sys.exit(1 if total.failed else 0)


@command.command()
def patterns() -> None:
    """Print the patterns that bookings are ranked by, as CSV: id, points, title, description, where such cases are described."""
    table = load_tables().patterns
    writer = csv.writer(sys.stdout)
    writer.writerow(("id", "points", "title", "description", "seen_in", "reviewed_by"))
    for rule in table.rules:
        writer.writerow((rule.id, f"{rule.points:g}", rule.title, rule.description, "; ".join(rule.seen_in), rule.reviewed_by or "nobody"))


def _pairs(columns: tuple[str, ...]) -> dict[str, str]:
    wrong = [each for each in columns if "=" not in each]
    if wrong:
        raise click.UsageError(f"--column {wrong[0]}: give FIELD=HEADER, such as origin=POL")
    return {field: header for field, _, header in (each.partition("=") for each in columns)}


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise click.UsageError(f"--encoding {encoding}: there is no such encoding; try utf-8, cp1252, utf-16 or gb18030") from None


def _said(total: Total, share: float) -> str:
    beside = f"; {total.beside:,} more have as much" if total.beside else ""
    high = f"{total.high:,} of high risk at a share of {share:g}, the least of them at risk {total.least:g}{beside}"
    failed = f"; {total.failed:,} rows could not be read and stand at the end" if total.failed else ""
    return f"{total.ranked:,} bookings ranked: {high}{failed}"
