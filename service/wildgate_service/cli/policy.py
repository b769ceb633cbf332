"""`wildgate policy`: check a policy file."""

from __future__ import annotations

from pathlib import Path

import click

from wildgate_service.policy import default_policy, load_policy


@click.group()
def command() -> None:
    """Check a policy file."""


@command.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
def check(file: Path | None) -> None:
    """Check FILE (default: the policy that ships) and say what it does; status 2 and the reason if it is broken."""
    file = file or default_policy()
    policy = load_policy(file)
    default = policy.thresholds.default
    click.echo(f"{file}: policy {policy.version} is sound")
    click.echo(f"review from {default.review}, block from {default.block}; shadow: {'on' if policy.shadow else 'off'}")
    for group in policy.thresholds.groups:
        review, block = policy.thresholds.of(group, "", "")
        click.echo(f"  {group}: review from {review}, block from {block}")
    scopes = policy.thresholds
    click.echo(f"notices in {len(policy.notices['block'])} languages; markets: {len(scopes.markets)}, tenants: {len(scopes.tenants)}")
