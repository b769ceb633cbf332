"""What `wildgate report` writes for the regulator: Annex I of Implementing Regulation (EU) 2024/2835, as a workbook or as CSV files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wildgate_service.policy import default_policy
from wildgate_service.report import make_report
from wildgate_service.store import open_store

if TYPE_CHECKING:
    from wildgate_service.annex1.template import Sheet
    from wildgate_service.settings import Settings

XLSX, DSA = "xlsx", "dsa"


def write_annex(
    form: str, output: Path, *, settings: Settings, start: date, end: date, tenant: str | None, about: Path | None
) -> list[Path]:
    """Write the sheets of these days into the folder, made if missing; the files."""
    from wildgate_service.annex1.write import to_csv_files, to_xlsx  # noqa: PLC0415  (openpyxl, which other reports do not need)

    sheets = annex_sheets(settings, start, end, tenant, about)
    files = to_csv_files(sheets) if form == DSA else {f"wildgate-report-{start}-{end}.{XLSX}": to_xlsx(sheets)}
    return [_write(output / name, content) for name, content in files.items()]


def annex_sheets(settings: Settings, start: date, end: date, tenant: str | None, about: Path | None) -> list[Sheet]:
    """The sheets of a tenant and days, by the store and policy of the settings."""
    from wildgate_service.annex1.about import About, load_about  # noqa: PLC0415
    from wildgate_service.annex1.annex import facts_of_store, make_annex  # noqa: PLC0415

    said, policy = load_about(about) if about else About(), settings.policy or default_policy()
    with open_store(settings.store, read_only=True) as store:
        counted = store.report_facts(start, end, tenant=tenant)
        report = make_report(counted, tenant=tenant or "", start=start, end=end, generated_time=datetime.now(UTC))
        return make_annex(facts_of_store(store, report, policy=policy, about=said, tenant=tenant))


def _write(file: Path, content: bytes) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        message = f"cannot write {file}: {error.strerror}"
        raise click.ClickException(message) from error
    return file
