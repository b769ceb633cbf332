"""`wildgate settings`: the settings in force, and where each comes from."""

from __future__ import annotations

from pathlib import Path

import click

from wildgate_service.settings import load_settings


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="TOML file of settings.")
@click.option("--describe", is_flag=True, help="Say what each setting means.")
def command(config: Path | None, *, describe: bool) -> None:
    """Print the settings in force, secrets masked, and where each comes from."""
    for setting in load_settings(config).table():
        click.echo(f"{setting.name} = {setting.value or '(empty)'}  [{setting.origin}]")
        if describe:
            click.echo(f"    {setting.description}")
