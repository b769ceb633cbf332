"""`wildgate keys`: create, list and revoke API keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from wildgate_service.keys import EXPLAIN, SCOPES, SCORE_DETAIL, ApiKey, create_key
from wildgate_service.secrets import load_secrets
from wildgate_service.settings import DEFAULT_TENANT, Settings, load_settings
from wildgate_service.store import open_store

store_option = click.option("--store", help="URL of the store; that of the settings if not given.")


@click.group()
def command() -> None:
    """Create, list and revoke API keys. A running service takes up changes within seconds."""


@command.command()
@click.option("--tenant", required=True, help="Whose listings the key's calls are about.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    default=["score"],
    show_default=True,
    help="What the key may do; say it again for more.",
)
@click.option(
    "--explain",
    type=click.Choice(EXPLAIN),
    default="matches",
    show_default=True,
    help="The most explanation that the key's calls may get.",
)
@click.option(
    "--score",
    type=click.Choice(SCORE_DETAIL),
    help="How much of the score its calls see: exact, rounded to tenths, or no more than the action says (0, 0.5 or 1). "
    "If not given: exact, with --explain none tenths.",
)
@click.option("--expires-days", type=click.IntRange(min=1), help="Days that the key is valid for.")
@store_option
def create(
    tenant: str,
    scopes: tuple[str, ...],
    explain: str,
    score: str | None,
    expires_days: int | None,
    store: str | None,
) -> None:
    """Create a key and print it. It is shown only this once."""
    settings = _settings(store)
    now = datetime.now(UTC)
    with open_store(settings.store) as opened:
        secrets = load_secrets(settings.secrets_path, create=not opened.is_used())
        for each in (DEFAULT_TENANT, tenant):  # before any replica would need it
            secrets.tenant_key(each)
        key, text = create_key(
            opened,
            secrets.pepper,
            tenant=tenant,
            scopes=scopes,
            created=now,
            explain=explain,
            score=score or ("tenths" if explain == "none" else "exact"),
            expires=now + timedelta(days=expires_days) if expires_days else None,
        )
    click.echo(text)
    click.echo(f"id {key.key_id}: keep the key, it cannot be shown again", err=True)


@command.command("list")
@store_option
def list_keys(store: str | None) -> None:
    """List all keys, a line each: id, tenant, state, scopes, most explanation, score, when created, expiry."""
    with open_store(_settings(store).store, read_only=True) as opened:
        keys = opened.list_keys()
    for key in keys:
        click.echo("\t".join(_line(key, datetime.now(UTC))))


@command.command()
@click.argument("key_id")
@store_option
def revoke(key_id: str, store: str | None) -> None:
    """Revoke the key of this id."""
    with open_store(_settings(store).store) as opened:
        if not opened.revoke_key(key_id, datetime.now(UTC)):
            message = f"no key {key_id} is in force: `wildgate keys list` shows the ids"
            raise click.ClickException(message)
    click.echo(f"{key_id} revoked", err=True)


def _line(key: ApiKey, now: datetime) -> tuple[str, ...]:
    return (
        key.key_id,
        key.tenant,
        key.state(now),
        ",".join(sorted(key.scopes)),
        key.explain,
        key.score,
        f"{key.created:%Y-%m-%d}",
        f"{key.expires:%Y-%m-%d}" if key.expires else "never",
    )


def _settings(store: str | None) -> Settings:
    return load_settings(options={"store": store}).settings
