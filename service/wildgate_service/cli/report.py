"""`wildgate report`: the transparency report of a span of days, as a page or as data."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wildgate_service.policy import default_policy, load_policy
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
LATER_FORMATS = ("xlsx", "dsa")


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


@click.command()
@click.option("--from", "start", type=Day(), required=True, help="First day (UTC).")
@click.option("--to", "end", type=Day(), required=True, help="Last day, included (UTC).")
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS, *LATER_FORMATS]),
    default="html",
    show_default=True,
    help="A page, or data. xlsx and dsa come in a later version.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write to; made if missing.",
)
@click.option("--store", help="URL of the store; that of the settings if not given.")
@click.option("--tenant", help="This tenant alone; all if not given.")
def command(start: date, end: date, form: str, output: Path, store: str | None, tenant: str | None) -> None:
    """Write the transparency report of the days --from to --to, and print the file's name."""
    if form in LATER_FORMATS:
        message = f"--format {form} comes in a later version; today there are {', '.join(FORMATS)}"
        raise click.UsageError(message)
    if end < start:
        message = f"--to {end} lies before --from {start}"
        raise click.UsageError(message)
    settings = load_settings(options={"store": store}).settings
    policy = load_policy(settings.policy or default_policy())
    with open_store(settings.store, read_only=True) as opened:
        facts = opened.report_facts(start, end, tenant=tenant)
    now, fewest = datetime.now(UTC), policy.sampling.fewest
    report = make_report(facts, tenant=tenant or "", start=start, end=end, generated_time=now, fewest=fewest)
    click.echo(write_report(report, form, output))


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
