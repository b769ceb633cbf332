"""`wildgate outcomes`: record what a platform did, from a file."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wildgate_service.outcome_files import read_outcomes
from wildgate_service.settings import DEFAULT_TENANT, load_settings
from wildgate_service.store import DecisionNotFoundError, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wildgate_service.outcomes import Outcome
    from wildgate_service.store import Store

BATCH = 1_000
SHOWN = 20  # errors that are printed one by one


@click.group()
def command() -> None:
    """Record what a platform did about listings, or heard about them."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--store", help="URL of the store; that of the settings if not given.")
@click.option("--tenant", default=DEFAULT_TENANT, show_default=True, help="Whose outcomes they are.")
def import_(file: Path, store: str | None, tenant: str) -> None:
    """Record the outcomes of FILE: JSON Lines, or CSV with a header.

    The file is read whole first, and nothing is recorded if a line cannot be an outcome. One about an unknown decision is named and left
    out; the rest is recorded, and the exit status is 1. Read again, the same file records nothing twice.
    """
    now = datetime.now(UTC)
    for _ in read_outcomes(file, tenant=tenant, now=now):
        pass
    with open_store(load_settings(options={"store": store}).settings.store, create=False) as opened:
        recorded, repeated, unknown = _record(opened, read_outcomes(file, tenant=tenant, now=now))
    click.echo(f"{recorded:,} outcomes recorded, {repeated:,} were there before, {len(unknown):,} left out")
    for error in unknown[:SHOWN]:
        click.echo(f"wildgate: {error}", err=True)
    if len(unknown) > SHOWN:
        click.echo(f"wildgate: and {len(unknown) - SHOWN:,} more", err=True)
    sys.exit(bool(unknown))


def _record(store: Store, outcomes: Iterator[Outcome]) -> tuple[int, int, list[DecisionNotFoundError]]:
    """How many were recorded, how many repeated, and what is wrong with the rest."""
    recorded = repeated = 0
    unknown: list[DecisionNotFoundError] = []
    while batch := list(islice(outcomes, BATCH)):
        for result in store.append_outcomes(batch):
            if isinstance(result, DecisionNotFoundError):
                unknown.append(result)
            else:
                recorded += not result.duplicate
                repeated += result.duplicate
    return recorded, repeated, unknown
