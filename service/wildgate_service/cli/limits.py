"""`wildgate limits`: set, list and clear the limits of tenants."""

from __future__ import annotations

import click

from wildgate_service.limiting.limit import TenantLimit, check_limit
from wildgate_service.settings import Settings, load_settings
from wildgate_service.store import open_store

store_option = click.option("--store", help="URL of the store; that of the settings if not given.")


@click.group()
def command() -> None:
    """Set, list and clear the limits of tenants. A running service takes up changes within seconds, in all workers."""


@command.command("set")
@click.option("--tenant", required=True, help="Whose limits.")
@click.option("--per-second", type=float, help="Listings a second; 0 is no limit.")
@click.option("--burst", type=int, help="Listings at once after a pause; 0 is what one second allows.")
@click.option("--per-day", type=int, help="Listings a day (UTC); 0 is no limit.")
@store_option
def set_limit(tenant: str, per_second: float | None, burst: int | None, per_day: int | None, store: str | None) -> None:
    """Set all limits of a tenant. What is not given is as the settings say."""
    limit = TenantLimit(tenant=tenant, per_second=per_second, burst=burst, per_day=per_day)
    check_limit(limit)
    with open_store(_settings(store).store) as opened:
        opened.set_limit(limit)
    click.echo(f"{tenant} limited", err=True)


@command.command("list")
@store_option
def list_limits(store: str | None) -> None:
    """List what was set, a line each: tenant, listings a second, burst, listings a day. `settings` where the settings decide."""
    with open_store(_settings(store).store, read_only=True) as opened:
        limits = opened.list_limits()
    for limit in limits:
        shown = ("settings" if number is None else f"{number:g}" for number in (limit.per_second, limit.burst, limit.per_day))
        click.echo("\t".join((limit.tenant, *shown)))


@command.command()
@click.argument("tenant")
@store_option
def clear(tenant: str, store: str | None) -> None:
    """Leave a tenant to the settings again."""
    with open_store(_settings(store).store) as opened:
        if not opened.clear_limit(tenant):
            message = f"no limit was set for {tenant}: `wildgate limits list` shows them"
            raise click.ClickException(message)
    click.echo(f"{tenant} as the settings say", err=True)


def _settings(store: str | None) -> Settings:
    return load_settings(options={"store": store}).settings
