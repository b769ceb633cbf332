"""`wildgate log`: verify the logs, and say where they stand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from tqdm import tqdm

from wildgate_service.checkpoints import load_signing_key, read_checkpoints
from wildgate_service.settings import load_settings
from wildgate_service.store import open_store
from wildgate_service.types import Receipt

STORE = click.option("--store", help="URL of the store; that of the settings if not given.")
EMPTY = 1


@click.group()
def command() -> None:
    """Verify the log of decisions, and say where it stands."""


@command.command()
@STORE
@click.option(
    "--receipts",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of receipts and checkpoints that were kept outside, one JSON object a line, or a report as JSON. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def verify(store: str | None, receipts: tuple[Path, ...], as_json: bool) -> None:  # noqa: FBT001  (a flag)
    """Recompute each log from its first record, and check that the tables that reports count say what was committed.

    Exit status 0 if all holds; 1 if something does not, which is named with its position; 2 if the store or a file cannot be read.
    """
    published = [each for file in receipts for each in read_checkpoints(file)]
    with open_store(load_settings(options={"store": store}).settings.store, read_only=True) as opened:
        total = sum(head.position for head in opened.checkpoints())
        with tqdm(total=total, unit=" records", disable=not sys.stderr.isatty()) as bar:
            result = opened.verify([each.receipt for each in published], lambda count: bar.update(count - bar.n) and None)
    if as_json:
        click.echo(msgspec.json.encode({"intact": result.intact, **msgspec.structs.asdict(result)}).decode())
    elif result.intact:
        click.echo(f"intact: {result.records:,} records, {result.erased:,} of them erased; {_stands(result.heads)}")
        click.echo(f"{result.published:,} of {len(set(published)):,} receipts and checkpoints from outside found at their positions")
    else:
        click.echo(f"NOT INTACT at position {result.position:,}: {result.problem}")
        click.echo(f"{result.records:,} records before it hold{_of(result.log_id)}")
    sys.exit(not result.intact)


def _stands(heads: Sequence[Receipt]) -> str:
    """Where each log stands; its id is said where there are several."""
    logs = [f"up to {head.chain_hash} at position {head.position:,}{_of(head.log_id) if len(heads) > 1 else ''}" for head in heads]
    return ", and ".join(logs) or "the log is empty"


def _of(log_id: str) -> str:
    return f" (log {log_id})" if log_id else ""


@command.command()
@STORE
def checkpoint(store: str | None) -> None:
    """Print where each log stands, signed: one JSON object a line, to be published or kept outside.

    A store has one log, or as many as replicas ever wrote at once. The key is made at its first use, beside the secrets. Exit status 1 if
    all logs are empty.
    """
    settings = load_settings(options={"store": store}).settings
    with open_store(settings.store, read_only=True) as opened:
        heads = opened.checkpoints()
    if not heads:
        click.echo("wildgate: the log is empty: there is nothing to sign yet", err=True)
        sys.exit(EMPTY)
    key = load_signing_key(settings.signing_key_path)
    for head in heads:
        click.echo(msgspec.json.encode(key.checkpoint(head, datetime.now(UTC))).decode())
