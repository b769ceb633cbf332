"""`wildgate policy`: check a policy file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from wildgate_service.decide.policy import InForce, Policy, is_shadow, limits_in_force, moderator_language, rules_in_shadow
from wildgate_service.groups import GROUPS
from wildgate_service.lexicon import default_lexicons
from wildgate_service.lexicon.taxa import read_unions
from wildgate_service.policy import Placed, checked, default_policy, policy_of_text, read_policy
from wildgate_service.policy.check import unknown_rules
from wildgate_service.policy.file import PolicyFile
from wildgate_service.policy.lines import line_of, lines_of_keys
from wildgate_service.settings import load_settings

OTHERS = "all others"


@click.group()
def command() -> None:
    """Check a policy file."""


@command.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--market", default="", help="Show what holds for listings of this market (ISO 3166).")
@click.option("--tenant", default="", help="Show what holds for this tenant.")
@click.option(
    "--lexicons",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Lexicon folder that rules in shadow are looked for in; default: that of the settings.",
)
@click.option(
    "--pack",
    "packs",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of a restricted pack to look in too. Default: the setting lexicon_packs.",
)
def check(file: Path | None, market: str, tenant: str, lexicons: Path | None, packs: tuple[Path, ...]) -> None:
    """Check FILE (default: the policy that ships): every problem with its line, or what holds for each taxon group.

    Exit status 0, with warnings or without; 1 if something is wrong; 2 if the file cannot be read.
    """
    file = file or default_policy()
    text = read_policy(file)
    read, placed = checked(text)
    if read is not None:
        placed = sorted([*placed, *_unknown_rules(read, text, lexicons, packs)], key=lambda each: each[0])
    for line, problem in placed:
        click.echo(f"{file}:{line}: {'warning: ' if problem.warning else ''}{problem}")
    wrong = sum(not problem.warning for _, problem in placed)
    if read is None or wrong:
        click.echo(f"{file}: {wrong} wrong, {len(placed) - wrong} to look at")
        sys.exit(1)
    click.echo(f"{file}: policy {read.version} is sound")
    for told in (*_summary(policy_of_text(text, str(file)), market.upper(), tenant, lexicons), *_languages(read)):
        click.echo(told)


def _unknown_rules(read: PolicyFile, text: str, lexicons: Path | None, packs: tuple[Path, ...]) -> list[Placed]:
    """Warnings of rules in shadow that no lexicon has; the lexicons are opened only if there are such rules."""
    if not (read.shadow_rules or any(table.shadow_rules for table in (*read.markets.values(), *read.tenants.values()))):
        return []
    from wildgate_service.local import local_lexicon  # noqa: PLC0415  (loads the models' libraries)

    lines = lines_of_keys(text)
    return [(line_of(problem.path, lines), problem) for problem in unknown_rules(read, local_lexicon(lexicons, packs or None).rows)]


def _summary(policy: Policy, market: str, tenant: str, lexicons: Path | None) -> Iterator[str]:
    """What holds in a place: shadow, then the limits by group, those that are alike together."""
    scopes = policy.scopes(market, _unions(lexicons), tenant)
    place = ", ".join([f"market {market}"] * bool(market) + [f"tenant {tenant}"] * bool(tenant)) or "everywhere"
    yield f"{place}: shadow {'on' if is_shadow(scopes) else 'off'}, reasons in {moderator_language(scopes)}"
    if on_trial := rules_in_shadow(scopes):
        yield f"rules in shadow: {', '.join(sorted(on_trial))}"
    yield f"  {'group':20} {'review from':>11} {'block from':>11}  on no list there"
    limits = {group: limits_in_force(group, scopes) for group in GROUPS}
    others = limits_in_force(OTHERS, scopes)
    yield from (_row(group, each) for group, each in limits.items() if each != others)
    yield _row(OTHERS, others)
    if not (market or tenant):
        yield f"markets: {_listed(policy.markets)}; tenants: {_listed(policy.tenants)}"


def _unions(lexicons: Path | None) -> dict[str, tuple[str, ...]]:
    return read_unions(lexicons or load_settings().settings.lexicons or default_lexicons())


def _row(group: str, limits: InForce) -> str:
    block = "never" if limits.block > 1 else limits.block
    return f"  {group:20} {limits.review:>11} {block:>11}  {limits.unlisted}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _languages(read: PolicyFile) -> Iterator[str]:
    spoken = dict.fromkeys((*read.reasons, *(language for notices in read.notices.values() for language in notices)))
    yield f"sentences in {len(spoken)} languages; unreviewed: {_listed(tag for tag in spoken if tag not in read.reviewed)}"
