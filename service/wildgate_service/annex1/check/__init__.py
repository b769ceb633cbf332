"""A check of published reports: what is not as Annex I and Annex II of Implementing Regulation (EU) 2024/2835 ask.

| code | finding |
|---|---|
| ANX101 | a sheet is missing |
| ANX102 | a CSV file or a worksheet that is no sheet (warning) |
| ANX103 | not UTF-8 |
| ANX104 | a byte order mark (warning) |
| ANX105 | a cell that a spreadsheet would run as a formula (warning) |
| ANX106 | not RFC 4180: another delimiter, or quotes that are not doubled |
| ANX107 | a row with more or fewer fields than headings |
| ANX108 | letters in a wrong encoding: `consumer¡¯s` |
| ANX109 | a sheet is there twice |
| ANX201 | a heading that is missing, changed, added or elsewhere |
| ANX202 | an official row is missing |
| ANX203 | a category, sub-category, indicator or scope that is not official |
| ANX204 | rows in another order (warning) |
| ANX205 | a category or sub-category twice |
| ANX206 | a category in a sheet where it may not stand: 15 only in sheet 6, 16 only in 3, 17 only in 4 |
| ANX207 | a placeholder of the template: `[...]`, `YYYY-MM-DD`, `Free text` |
| ANX208 | the template's description of KEYWORD_OTHER |
| ANX209 | no service, or several |
| ANX301 | a reporting period that is none |
| ANX302 | a reporting period that the law does not know |
| ANX303 | rows of different periods |
| ANX304 | published too early or too late (warning) |
| ANX305 | sheet 1: a blank, or a date that is none |
| ANX401 | a count that is no integer: `26577842.0` |
| ANX402 | a share outside [0, 1] |
| ANX403 | a median time that is no number of hours |
| ANX404 | a part that is more than its whole |
| ANX405 | decisions on more complaints than there were, or sheets that disagree (warning) |
| ANX501 | sub-categories do not add up to their category |
| ANX502 | categories do not add up to TOTAL |
| ANX503 | Member States do not add up to all orders |
| ANX601 | KEYWORD_OTHER counts something and does not say what |
| ANX602 | two KEYWORD_OTHER rows of a category with one description |
| ANX603 | a description elsewhere (warning) |
| ANX701 | a language that is no official language's code: `BE` |
| ANX702 | a Member State that is none |
| ANX801 | a text over 5,000 characters |
| ANX802 | a text of sheet 11 that applies to all and is blank (warning) |
| ANX803 | accuracy, precision or recall without contextual information |
| ANX804 | accuracy, precision or recall blank though software acted alone (warning) |
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from wildgate_service.annex1.check import across, numbers, rows, words
from wildgate_service.annex1.check.finding import Finding, folded
from wildgate_service.annex1.check.tables import AnnexError, Report, Table, read

__all__ = ["AnnexError", "Finding", "check"]

OF_A_TABLE = (*rows.CHECKS, *numbers.CHECKS, *words.CHECKS)


def check(path: Path) -> list[Finding]:
    """Everything that is wrong with the reports at a path, by sheet and row: a folder of CSV files or with XLSX files, or such a file.

    Raises AnnexError if it holds no sheet of Annex I, or an XLSX file that cannot be read.
    """
    return [finding for report in read(path) if report.tables for finding in _of_report(report)]


def _of_report(report: Report) -> list[Finding]:
    order = {table.file: number for number, table in enumerate(report.tables)}
    every = folded([*report.findings, *_findings(report.tables)])
    return sorted(every, key=lambda finding: (order.get(finding.file, -1), finding.row, finding.code, finding.column))


def _findings(tables: Sequence[Table]) -> Iterator[Finding]:
    for check_report in across.CHECKS:
        yield from check_report(tables)
    for table in tables:
        for check_table in OF_A_TABLE:
            yield from check_table(table)
