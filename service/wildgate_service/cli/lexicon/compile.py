"""`wildgate lexicon compile`."""

from __future__ import annotations

from pathlib import Path

import click

from wildgate_service.cli.lexicon import options
from wildgate_service.lexicon import compile_lexicons, default_lexicons


@click.command(
    "compile",
    epilog=options.examples(
        "wildgate lexicon compile --output /var/cache/wildgate",
    ),
)
@options.folder
@options.packs
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the compiled file.")
def compile_command(root: Path | None, packs: tuple[Path, ...], output: Path) -> None:
    """Compile the lexicons into one file and print its path."""
    click.echo(str(compile_lexicons(root or default_lexicons(), output, packs)))
