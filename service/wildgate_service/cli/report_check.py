"""`wildgate report check`: whether a published report is as Annex I of Implementing Regulation (EU) 2024/2835 asks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildgate_service.annex1.check import Finding


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="A line a finding, or one JSON list."
)
def check(folder: Path, form: str) -> None:
    """Check the CSV files or the XLSX file in FOLDER, Wildgate's or anybody's: every deviation with its code, place and remedy.

    Exit status 0, with warnings or without; 1 if something is wrong; 2 if there is no report.
    """
    from wildgate_service.annex1.check import check as check_report  # noqa: PLC0415  (openpyxl, which other reports do not need)

    findings = check_report(folder)
    click.echo(as_json(findings) if form == "json" else as_text(findings, folder))
    sys.exit(any(finding.severity == "error" for finding in findings))


def as_json(findings: Sequence[Finding]) -> str:
    """One list of objects, with the severity of each."""
    told = [{**msgspec.structs.asdict(finding), "severity": finding.severity} for finding in findings]
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def as_text(findings: Sequence[Finding], folder: Path) -> str:
    """A line each, and how many there are."""
    errors = sum(finding.severity == "error" for finding in findings)
    return "\n".join([*map(str, findings), f"{folder}: {errors} errors, {len(findings) - errors} warnings"])
