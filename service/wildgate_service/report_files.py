"""The files of a transparency report: the public page with its data beside it, or the sheets of the EU's report."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wildgate_service.checkpoints import Checkpoint, load_signing_key
from wildgate_service.measured_error import measure_error
from wildgate_service.policy import default_policy, load_policy, publication_of
from wildgate_service.public_report import PublicFacts, PublicReport, make_public_report
from wildgate_service.report import make_report
from wildgate_service.report_export import public_csv, public_json
from wildgate_service.report_page import file_name, render
from wildgate_service.sampling import NO_SAMPLING

if TYPE_CHECKING:
    from collections.abc import Callable

    from wildgate_service.settings import Settings
    from wildgate_service.store import Store

PUBLIC: dict[str, Callable[[PublicReport], str]] = {"html": render, "json": public_json, "csv": public_csv}
BESIDE = {"html": ("html", "json", "csv"), "json": ("json",), "csv": ("csv",)}  # what is written for each format
XLSX, DSA = "xlsx", "dsa"  # Annex I of Implementing Regulation (EU) 2024/2835: one workbook, or eleven CSV files
FORMATS = (*PUBLIC, XLSX, DSA)


class Span(Struct, frozen=True):
    """What a report is of: a tenant (None: all) and UTC days, the last included; and when it was made."""

    tenant: str | None
    start: date
    end: date
    now: datetime


def gather(store: Store, start: date, end: date, *, tenant: str | None, fewest: int = NO_SAMPLING.fewest) -> PublicFacts:
    """Everything that a public report of these days is made from; error is stated from `fewest` judgments on."""
    report = store.report_facts(start, end, tenant=tenant)
    return PublicFacts(
        report=report,
        measured=measure_error(report.error, fewest),
        findings=store.findings(start, end, tenant=tenant),
        measures=tuple(store.measures(start, end, tenant=tenant)),
        cases=tuple(store.cases(start, end, tenant=tenant)),
    )


def public_files(store: Store, span: Span, settings: Settings, form: str, *, exact: bool = False) -> dict[str, bytes]:
    """The page or data by file name, with a signed checkpoint of each log; with `exact` no small count is hidden."""
    policy = settings.policy or default_policy()
    publication = publication_of(policy)
    if exact:
        publication = replace(publication, smallest_cell=1)
    facts = gather(store, span.start, span.end, tenant=span.tenant, fewest=load_policy(policy).sampling.fewest)
    facts = replace(facts, checkpoints=_signed(settings, facts, span.now))
    report = make_public_report(facts, publication, tenant=span.tenant or "", start=span.start, end=span.end, generated_time=span.now)
    return {f"{file_name(report)}.{each}": PUBLIC[each](report).encode() for each in BESIDE[form]}


def annex_files(store: Store, span: Span, settings: Settings, form: str, about: Path | None) -> dict[str, bytes]:
    """The sheets of Annex I by file name; `about` is the file of what a platform says of itself."""
    from wildgate_service.annex1.about import About, load_about  # noqa: PLC0415  (openpyxl, which the other formats do not need)
    from wildgate_service.annex1.annex import facts_of_store, make_annex  # noqa: PLC0415
    from wildgate_service.annex1.write import to_csv_files, to_xlsx  # noqa: PLC0415

    policy = settings.policy or default_policy()
    report = make_report(
        store.report_facts(span.start, span.end, tenant=span.tenant),
        tenant=span.tenant or "",
        start=span.start,
        end=span.end,
        generated_time=span.now,
        fewest=load_policy(policy).sampling.fewest,
    )
    said = load_about(about) if about else About()
    sheets = make_annex(facts_of_store(store, report, policy=policy, about=said, tenant=span.tenant))
    return to_csv_files(sheets) if form == DSA else {f"wildgate-report-{span.start}-{span.end}.{XLSX}": to_xlsx(sheets)}


def _signed(settings: Settings, facts: PublicFacts, now: datetime) -> tuple[Checkpoint, ...]:
    """The checkpoints of the report, signed by the key beside the secrets, which is not made for empty logs."""
    if not facts.report.checkpoints:
        return ()
    key = load_signing_key(settings.signing_key_path)
    return tuple(key.checkpoint(head, now) for head in facts.report.checkpoints)
