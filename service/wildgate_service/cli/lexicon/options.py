"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

folder = click.option(
    "--lexicons",
    "root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Lexicon folder; default: the one that ships with the service.",
)
packs = click.option(
    "--pack",
    "packs",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of a restricted pack to take in as well; may be given several times.",
)
listings = click.Path(path_type=Path, exists=True, dir_okay=False)


def examples(*commands: str) -> str:
    """The end of a command's help: lines to copy. The backspace keeps click from filling them into a paragraph."""
    return "\n".join(["\b", "Examples:", *(f"  {command}" for command in commands)])
