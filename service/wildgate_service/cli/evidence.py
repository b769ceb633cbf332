"""`wildgate evidence`: what was recorded of a listing, with its proof, for investigators; and the verification of such a file."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from wildgate_service.checkpoints import load_signing_key, read_checkpoints
from wildgate_service.evidence import EvidenceError, Wanted, make_bundle, verify_bundle
from wildgate_service.settings import load_settings
from wildgate_service.store import open_store


@click.group()
def command() -> None:
    """Export what was recorded of a listing, with its proof; verify such a file."""


@command.command()
@click.option("--listing", "listing_id", default="", help="Id of the listing, as the platform sent it.")
@click.option("--position", "positions", multiple=True, type=click.IntRange(min=1), help="Position in the log. May be repeated.")
@click.option("--log", "log_id", default="", help="Id of the log that positions are in, as receipts say it; each log if not given.")
@click.option("--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write: a zip.")
@click.option("--store", help="URL of the store; that of the settings if not given.")
@click.option("--tenant", help="This tenant's records alone; all tenants' if not given.")
@click.option(
    "--receipts",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of receipts and checkpoints that were published, which the proof shall reach. May be repeated.",
)
def export(
    listing_id: str,
    positions: tuple[int, ...],
    log_id: str,
    output: Path,
    store: str | None,
    tenant: str | None,
    receipts: tuple[Path, ...],
) -> None:
    """Write what was recorded of a listing, or at positions of the log, with what proves it: for investigators, not for publication.

    The proof reaches the first of the --receipts at or after each record; without one it reaches a checkpoint that is signed now.
    """
    if not listing_id and not positions:
        message = "say which records: --listing ID, or --position N"
        raise click.UsageError(message)
    settings = load_settings(options={"store": store}).settings
    published = [each for file in receipts for each in read_checkpoints(file)]
    with open_store(settings.store, read_only=True) as opened:
        wanted = Wanted(tenant=tenant, listing_id=listing_id, positions=positions, log_id=log_id)
        proofs, followed = opened.proofs(wanted, [each.receipt for each in published])
    if not proofs:
        message = "the store has no such record; one that was erased has lost its listing's id: ask by the --position of its receipt"
        raise EvidenceError(message)
    key = load_signing_key(settings.signing_key_path)
    _write(output, make_bundle(proofs, followed, published=published, key=key, now=datetime.now(UTC).replace(microsecond=0)))
    reached = sum(proof.published for proof in proofs)
    click.echo(f"{output}: {len(proofs)} records, {reached} of them proven to what was published before, the others to a checkpoint of now")


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        message = f"cannot write {file}: {error.strerror}"
        raise EvidenceError(message) from error


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", default="", help="Public key, in hex, that must have signed: as printed in the platform's reports.")
def verify(file: Path, key: str) -> None:
    """Verify FILE, a bundle that `wildgate evidence export` wrote, without the store.

    Exit status 0 if all of it holds, else 1, and the line says what does not.
    """
    try:
        verified = verify_bundle(file.read_bytes())
    except EvidenceError as error:
        click.echo(f"NOT PROVEN: {error}")
        sys.exit(1)
    if key and key.lower() != verified.public_key:
        click.echo(f"NOT PROVEN: signed by another key, {verified.public_key}")
        sys.exit(1)
    click.echo(f"as it was signed, by the key {verified.public_key}{'' if key else ' (compare it with that of a published report)'}")
    for (_, position), reached in verified.records:
        by = f"signed {reached.signed_time} by {reached.public_key}" if reached.signature else "a receipt, not signed"
        click.echo(f"record {position:,} stands before {reached.chain_hash} at position {reached.position:,}: {by}")
    if verified.erased:
        click.echo(f"{verified.erased} records were erased; their commitments stand")
