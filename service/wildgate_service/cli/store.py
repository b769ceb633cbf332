"""`wildgate store`: erase what may not be kept any longer, back up, check."""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from tqdm import tqdm

from wildgate_service.errors import SettingsError
from wildgate_service.policy import default_policy, file_of_text, read_policy
from wildgate_service.record import seller_hash
from wildgate_service.secrets import load_secrets
from wildgate_service.settings import Settings, load_settings
from wildgate_service.store import Store, Unwanted, back_up, damages, free_bytes, mask, open_store, parts
from wildgate_service.types import Action

STORE = click.option("--store", help="URL of the store; that of the settings if not given.")
AGE = re.compile(r"(\d{1,5})d")
LEAST_FREE_BYTES = 1 << 30
REST = 1.0  # for as long as erasing a part took, so that the writer has every other moment


@click.group()
def command() -> None:
    """Erase what may not be kept any longer, back up the store, check it. All may be done while the service runs."""


@command.command()
@STORE
@click.option("--tenant", default="", help="This tenant's records alone.")
@click.option("--older-than", default="", metavar="DAYS", help="Records that were decided so many days ago, such as 400d; 0d takes all.")
@click.option("--action", type=click.Choice([action.value for action in Action]), help="Decisions of this action alone.")
@click.option("--seller", default="", help="Records of the seller with this seller_ref, as the platform sends it; needs --tenant.")
@click.option("--listing", "listing_id", default="", help="Records of the listing of this id; needs --tenant.")
@click.option("--destroy-key", is_flag=True, help="Destroy the tenant's key: its hashes of sellers and texts can never be tied to anybody.")
@click.option("--by-policy", is_flag=True, help="Records that are older than the policy's [retention] allows, by their action.")
@click.option("--dry-run", is_flag=True, help="Say how many records it would be, and change nothing.")
def prune(
    *,
    store: str | None,
    tenant: str,
    older_than: str,
    action: str | None,
    seller: str,
    listing_id: str,
    destroy_key: bool,
    by_policy: bool,
    dry_run: bool,
) -> None:
    """Erase records for ever: payload, salt, listing's id. Commitments, counts and tombstones stay, so logs and reports hold as before."""
    settings = load_settings(options={"store": store}).settings
    if (seller or listing_id or destroy_key) and not tenant:
        message = "--seller, --listing and --destroy-key need --tenant: ids are a tenant's own"
        raise click.UsageError(message)
    if not (older_than or seller or listing_id or destroy_key or by_policy):
        message = "say what to erase: --older-than, --seller, --listing, --by-policy, or --destroy-key"
        raise click.UsageError(message)
    if older_than or seller or listing_id:
        unwanted = Unwanted(
            tenant=tenant,
            before=datetime.now(UTC) - _age(older_than) if older_than else None,
            action=action or "",
            listing_id=listing_id,
            seller=seller_hash(seller, _key(settings, tenant)) if seller else "",
        )
        with open_store(settings.store, create=False) as opened:
            _erase(opened, unwanted, dry_run=dry_run)
    if by_policy:
        _erase_by_policy(settings, tenant, dry_run=dry_run)
    if destroy_key:
        _destroy(settings, tenant, dry_run=dry_run)


def _erase_by_policy(settings: Settings, tenant: str, *, dry_run: bool) -> None:
    path = settings.policy or default_policy()
    days = file_of_text(read_policy(path), str(path)).retention.days()
    with open_store(settings.store, create=False) as opened:
        for action, count in days.items():
            click.echo(f"{action}, older than {count} days: ", nl=False)
            before = datetime.now(UTC) - timedelta(days=count)
            _erase(opened, Unwanted(tenant=tenant, before=before, action=action), dry_run=dry_run)
    if not days:
        click.echo("the policy's [retention] keeps all records")


def _age(text: str) -> timedelta:
    if not (found := AGE.fullmatch(text)):
        message = f"--older-than {text}: write days, such as 400d"
        raise click.UsageError(message)
    return timedelta(days=int(found[1]))


def _key(settings: Settings, tenant: str) -> bytes:
    key = load_secrets(settings.secrets_path, create=False).known_key(tenant)
    if key is None:
        message = f"the secrets file {settings.secrets_path} has no key of tenant {tenant}: nothing of it can be tied to a seller"
        raise SettingsError(message)
    return key


def _erase(opened: Store, unwanted: Unwanted, *, dry_run: bool) -> None:
    positions = opened.find(unwanted)
    if dry_run:
        click.echo(f"{len(positions):,} records would be erased")
        return
    erased = 0
    with tqdm(total=len(positions), unit=" records", disable=not sys.stderr.isatty()) as bar:
        for part in parts(positions):
            began = time.monotonic()
            erased += opened.erase(part)
            bar.update(len(part))
            time.sleep(REST * (time.monotonic() - began))
    click.echo(f"{erased:,} records erased; their commitments, counts and tombstones stay")


def _destroy(settings: Settings, tenant: str, *, dry_run: bool) -> None:
    if dry_run:
        click.echo(f"the key of tenant {tenant} would be destroyed")
        return
    if not load_secrets(settings.secrets_path, create=False).destroy(tenant):
        message = f"the secrets file {settings.secrets_path} has no key of tenant {tenant}"
        raise SettingsError(message)
    click.echo(f"the key of tenant {tenant} is destroyed; restart the service, whose processes still hold it, and destroy it in backups")


@command.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@STORE
def backup(path: Path, store: str | None) -> None:
    """Copy the store as it is now into the new file PATH, while the service runs, and say where its logs stand.

    The secrets file is a backup of its own, to be kept elsewhere: whoever has both can tell whose listings they are.
    """
    settings = load_settings(options={"store": store}).settings
    back_up(settings.store, path)
    with open_store(f"sqlite:///{path.absolute()}", read_only=True) as copy:
        heads = copy.checkpoints()
    for head in heads:
        click.echo(f"{path}: log {head.log_id} up to position {head.position:,}, {head.chain_hash}")
    if not heads:
        click.echo(f"{path}: the log is empty")


@command.command()
@STORE
def check(store: str | None) -> None:
    """Check the store: its file or tables, its logs, free disk, what waits in the spool. Exit status 1 if something does not hold."""
    settings = load_settings(options={"store": store}).settings
    click.echo(f"store {mask(settings.store)}")
    faults = list(damages(settings.store))
    for fault in faults:
        click.echo(f"DAMAGED: {fault}")
    if faults:
        click.echo("stop the service and restore a backup: docs/durability.md")
        sys.exit(1)
    with open_store(settings.store, read_only=True) as opened:
        click.echo("pages and indexes: sound; tables: of this version")
        result = opened.verify()
    click.echo(
        f"logs: intact, {result.records:,} records, {result.erased:,} of them erased"
        if result.intact
        else f"logs: NOT INTACT at position {result.position:,}: {result.problem}"
    )
    room = free_bytes(settings.store)
    if room is not None:
        click.echo(f"free disk: {room >> 20:,} MiB{'' if room > LEAST_FREE_BYTES else ': LITTLE; a full disk stops recording'}")
    if settings.spool_path.exists():
        click.echo(f"spool {settings.spool_path}: {settings.spool_path.stat().st_size:,} bytes wait (8 when empty)")
    sys.exit(not result.intact)
