"""`wildgate report`: the transparency report of a span of days, as a page or as data."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from wildgate_service import charts
from wildgate_service.checkpoints import Checkpoint, load_signing_key
from wildgate_service.policy import default_policy, publication_of
from wildgate_service.public_report import PublicFacts, make_public_report
from wildgate_service.report_export import public_csv, public_json
from wildgate_service.report_page import file_name, render
from wildgate_service.settings import Settings, load_settings
from wildgate_service.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from wildgate_service.public_report import PublicReport
    from wildgate_service.store import SqliteStore

FORMATS: dict[str, Callable[[PublicReport], str]] = {
    "html": render,
    "json": public_json,
    "csv": public_csv,
}
LATER_FORMATS = ("xlsx", "dsa")
BESIDE = {"html": ("html", "json", "csv"), "json": ("json",), "csv": ("csv",)}  # what is written for each format


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
    help="A page with its data beside it, or data alone. xlsx and dsa come in a later version.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write to; made if missing.",
)
@click.option("--store", help="URL of the store; that of the settings if not given.")
@click.option("--tenant", help="This tenant alone; all if not given.")
@click.option("--exact", is_flag=True, help="Hide no small count: for the house only. Files are named -exact.")
def command(start: date, end: date, form: str, output: Path, store: str | None, tenant: str | None, exact: bool) -> None:  # noqa: FBT001
    """Write the public transparency report of the days --from to --to, and print the files' names.

    Counts that are too small by the policy's [report] are hidden, and with them those that would give them away. The report carries a
    signed checkpoint of the log.
    """
    if form in LATER_FORMATS:
        message = f"--format {form} comes in a later version; today there are {', '.join(FORMATS)}"
        raise click.UsageError(message)
    if end < start:
        message = f"--to {end} lies before --from {start}"
        raise click.UsageError(message)
    settings = load_settings(options={"store": store}).settings
    publication = publication_of(settings.policy or default_policy())
    if exact:
        publication = replace(publication, smallest_cell=1)
    now = datetime.now(UTC)
    with open_store(settings.store, read_only=True) as opened:
        facts = gather(opened, start, end, tenant=tenant)
    if facts.report.checkpoint:
        facts = replace(facts, checkpoint=_signed(settings, facts, now))
    report = make_public_report(facts, publication, tenant=tenant or "", start=start, end=end, generated_time=now)
    for each in BESIDE[form]:
        click.echo(write_report(report, each, output))
    if form == "html" and not charts.can_draw():
        click.echo("wildgate: without charts; for them: pip install 'wildgate-service[report]'", err=True)


def gather(store: SqliteStore, start: date, end: date, *, tenant: str | None) -> PublicFacts:
    """Everything that a public report of these days is made from."""
    return PublicFacts(
        report=store.report_facts(start, end, tenant=tenant),
        findings=store.findings(start, end, tenant=tenant),
        measures=tuple(store.measures(start, end, tenant=tenant)),
        cases=tuple(store.cases(start, end, tenant=tenant)),
    )


def _signed(settings: Settings, facts: PublicFacts, now: datetime) -> Checkpoint | None:
    """The checkpoint of the report, signed by the key beside the secrets."""
    head = facts.report.checkpoint
    return load_signing_key(settings.signing_key_path).checkpoint(head, now) if head else None


def write_report(report: PublicReport, form: str, output: Path) -> Path:
    """Write `wildgate-report-<first day>-<last day>.<form>` into the folder, made if missing."""
    file = output / f"{file_name(report)}.{form}"
    try:
        output.mkdir(parents=True, exist_ok=True)
        file.write_text(FORMATS[form](report), encoding="utf-8", newline="")
    except OSError as error:
        message = f"cannot write {file}: {error.strerror}"
        raise click.ClickException(message) from error
    return file
