"""`wildgate report`: the transparency report of a span of days, as a page, data or the regulator's sheets; and a check of such sheets."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wildgate_service.cli.report_annex import DSA, XLSX, write_annex
from wildgate_service.cli.report_check import check
from wildgate_service.report import make_report
from wildgate_service.report_export import to_csv, to_json
from wildgate_service.report_page import render
from wildgate_service.settings import load_settings
from wildgate_service.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from wildgate_service.types import TransparencyReport

FORMATS: dict[str, Callable[[TransparencyReport], str]] = {
    "html": render,
    "json": to_json,
    "csv": to_csv,
}


class Day(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic since click 8.2
    """A day in ISO 8601."""

    name = "YYYY-MM-DD"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, or a usage error."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day: write it like 2026-03-31", param, ctx)


@click.group(invoke_without_command=True)
@click.option("--from", "start", type=Day(), help="First day (UTC).")
@click.option("--to", "end", type=Day(), help="Last day, included (UTC).")
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS, XLSX, DSA]),
    default="html",
    show_default=True,
    help="A page, data, or the EU's report (Annex I of Implementing Regulation 2024/2835): xlsx in one file, dsa in eleven CSV files.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write to; made if missing.",
)
@click.option("--store", help="URL of the store; that of the settings if not given.")
@click.option("--tenant", help="This tenant alone; all if not given.")
@click.option(
    "--about",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="For xlsx and dsa: TOML file of what a platform says of itself. What is not said stays blank.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="For xlsx and dsa: policy whose [dsa] tables give the categories; that of the settings if not given.",
)
@click.pass_context
def command(
    context: click.Context,
    start: date | None,
    end: date | None,
    form: str,
    output: Path | None,
    store: str | None,
    tenant: str | None,
    about: Path | None,
    policy: Path | None,
) -> None:
    """Write the transparency report of the days --from to --to into the folder --output, and print the files' names."""
    if context.invoked_subcommand:
        return
    if start is None or end is None or output is None:
        missing = [name for name, value in (("--from", start), ("--to", end), ("--output", output)) if value is None]
        message = f"{', '.join(missing)} is missing"
        raise click.UsageError(message)
    if end < start:
        message = f"--to {end} lies before --from {start}"
        raise click.UsageError(message)
    settings = load_settings(options={"store": store, "policy": policy}).settings
    if form in {XLSX, DSA}:
        for file in write_annex(form, output, settings=settings, start=start, end=end, tenant=tenant, about=about):
            click.echo(file)
        return
    with open_store(settings.store, read_only=True) as opened:
        facts = opened.report_facts(start, end, tenant=tenant)
    report = make_report(facts, tenant=tenant or "", start=start, end=end, generated_time=datetime.now(UTC))
    click.echo(write_report(report, form, output))


command.add_command(check)


def write_report(report: TransparencyReport, form: str, output: Path) -> Path:
    """Write `wildgate-report-<first day>-<last day>.<form>` into the folder, made if missing."""
    file = output / f"wildgate-report-{report.start}-{report.end}.{form}"
    try:
        output.mkdir(parents=True, exist_ok=True)
        file.write_text(FORMATS[form](report), encoding="utf-8", newline="")
    except OSError as error:
        message = f"cannot write {file}: {error.strerror}"
        raise click.ClickException(message) from error
    return file
