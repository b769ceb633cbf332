"""`wildgate report`: the transparency report of a span of days, as a page, data or the regulator's sheets; and a check of such sheets."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import click

from wildgate_service import charts
from wildgate_service.cli.report_check import check
from wildgate_service.report_files import FORMATS, PUBLIC, Span, annex_files, public_files
from wildgate_service.settings import load_settings
from wildgate_service.store import open_store


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
    type=click.Choice(FORMATS),
    default="html",
    show_default=True,
    help="A page with its data beside it, data alone, or the EU's report (Annex I of Implementing Regulation 2024/2835): "
    "xlsx in one file, dsa in eleven CSV files.",
)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Folder to write to; made if missing.")
@click.option("--store", help="URL of the store; that of the settings if not given.")
@click.option("--tenant", help="This tenant alone; all if not given.")
@click.option("--exact", is_flag=True, help="Hide no small count: for the house only. Files are named -exact.")
@click.option(
    "--about",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="For xlsx and dsa: TOML file of what a platform says of itself. What is not said stays blank.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Policy that says what may be published, and which categories groups belong to; that of the settings if not given.",
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
    exact: bool,  # noqa: FBT001  (an option)
    about: Path | None,
    policy_file: Path | None,
) -> None:
    """Write the transparency report of the days --from to --to into the folder --output, and print the files' names.

    In the public formats counts that are too small by the policy's [report] are hidden, and with them those that would give them away. The
    page carries a signed checkpoint of the log.
    """
    if context.invoked_subcommand:
        return
    if start is None or end is None or output is None:
        missing = [name for name, value in (("--from", start), ("--to", end), ("--output", output)) if value is None]
        message = f"{', '.join(missing)} is missing"
        raise click.UsageError(message)
    if end < start:
        message = f"--to {end} lies before --from {start}"
        raise click.UsageError(message)
    settings = load_settings(options={"store": store, "policy": policy_file}).settings
    span = Span(tenant, start, end, datetime.now(UTC))
    with open_store(settings.store, read_only=True) as opened:
        if form in PUBLIC:
            files = public_files(opened, span, settings, form, exact=exact)
        else:
            files = annex_files(opened, span, settings, form, about)
    for file in write_files(files, output):
        click.echo(file)
    if form == "html" and not charts.can_draw():
        click.echo("wildgate: without charts; for them: pip install 'wildgate-service[report]'", err=True)


command.add_command(check)


def write_files(files: dict[str, bytes], output: Path) -> list[Path]:
    """Write files into the folder, made if missing."""
    written = []
    for name, content in files.items():
        file = output / name
        try:
            output.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            message = f"cannot write {file}: {error.strerror}"
            raise click.ClickException(message) from error
        written.append(file)
    return written
