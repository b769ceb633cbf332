"""`wildgate lexicon lint`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wildgate_service.cli.lexicon import options
from wildgate_service.lexicon import default_lexicons, lint, read_rules
from wildgate_service.lexicon.fix import Change, fix_folder
from wildgate_service.lexicon.lock import write_lock
from wildgate_service.lexicon.packs import pack_name


@click.command(
    "lint",
    epilog=options.examples(
        "wildgate lexicon lint",
        "wildgate lexicon lint --fix",
        "wildgate lexicon lint --pack /srv/wildgate/customs",
    ),
)
@options.folder
@options.packs
@click.option("--fix", is_flag=True, help="Repair what a machine may repair, in place, and print each change.")
@click.option("--update-lock", is_flag=True, help="Lock the rules as they are at the version in VERSION.")
def lint_command(root: Path | None, packs: tuple[Path, ...], *, fix: bool, update_lock: bool) -> None:
    """Check every rule file. Prints file:line: CODE message (hint); status 1 if there is any finding.

    --fix writes forms in lower case, composed and without needless blanks or invisible characters, writes raw invisible characters
    elsewhere as escapes, removes forms that stand twice, and adds a missing `modified`; no other byte of a file changes.
    """
    root = root or default_lexicons()
    if fix:
        _show([*fix_folder(root), *(change for pack in packs for change in fix_folder(pack, pack_name(pack)))])
    if update_lock:
        write_lock(root, read_rules(root))
    findings = lint(root, packs)
    for finding in findings:
        click.echo(str(finding))
    click.echo(f"{len(findings)} findings in {len(read_rules(root)) if not findings else 'the'} rules", err=True)
    sys.exit(1 if findings else 0)


def _show(changes: list[Change]) -> None:
    for change in changes:
        click.echo(f"fixed {change}")
    click.echo(f"{len(changes)} repairs", err=True)
