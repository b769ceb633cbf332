"""Read published reports: the CSV files of a folder, or XLSX files; what is wrong with the files themselves is found here."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path

from msgspec import Struct
from openpyxl import load_workbook

from wildgate_service.annex1.check.finding import Finding, letters
from wildgate_service.annex1.template import NAMES, Sheet, template
from wildgate_service.errors import WildgateError

NUMBERED = re.compile(r"(?:part_)?(\d+)_", re.IGNORECASE)  # the Commission's own files are Part_5_…
BYTE_ORDER_MARK = "\ufeff"
OTHER_DELIMITERS = (";", "\t", "|")
MOST_BYTES = 256 * 1024 * 1024  # of an unpacked workbook
MOST_ROWS = 100_000  # of a worksheet: the longest official sheet has less than a thousandth of what a spreadsheet can


class AnnexError(WildgateError):
    """There is nothing that could be checked."""


class Record(Struct, frozen=True):
    """A row with its number as a spreadsheet shows it; as wide as the headings."""

    number: int
    cells: tuple[str, ...]


class Table(Struct, frozen=True):
    """A sheet as it was published. `columns` are the places of the official headings that it has."""

    file: str
    sheet: Sheet
    headings: tuple[str, ...]
    columns: dict[str, int]
    records: tuple[Record, ...]

    @property
    def name(self) -> str:
        """The official name of the sheet."""
        return self.sheet.name

    def value(self, record: Record, heading: str) -> str:
        """What stands under an official heading, without blanks at the ends; "" if the column is missing."""
        column = self.columns.get(heading)
        return "" if column is None else record.cells[column].strip()

    def finding(self, code: str, message: str, fix: str, record: Record | None = None, heading: str = "") -> Finding:
        """A finding in this table."""
        column = self.columns.get(heading)
        row = record.number if record else 0
        return Finding(code=code, file=self.file, message=message, fix=fix, row=row, column="" if column is None else letters(column))


class Content(Struct, frozen=True):
    """What a file or worksheet holds, and what was wrong when it was read."""

    file: str
    name: str
    rows: list[list[str]]
    findings: list[Finding] = []


class Report(Struct, frozen=True):
    """The tables of one report in the official order, and what is wrong with its files."""

    tables: tuple[Table, ...]
    findings: tuple[Finding, ...]


def read(path: Path) -> list[Report]:
    """The reports at a path: the CSV files of a folder together are one, and each XLSX file. Raises AnnexError if there is none."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    sheets = [file for file in files if file.suffix.lower() == ".csv"]
    books = [file for file in files if file.suffix.lower() == ".xlsx"]
    reports = [_report(contents) for contents in (_of_csv(sheets), *map(_of_xlsx, books))]
    if not any(report.tables for report in reports):
        raise AnnexError(f"{path} holds no sheet of Annex I: neither CSV files such as {NAMES[0]}.csv nor an XLSX file with such sheets")
    return reports


def _report(contents: Iterable[Content]) -> Report:
    findings: list[Finding] = []
    tables: dict[str, Table] = {}
    for content in contents:
        file, sheet = content.file, _sheet_of(content.name)
        findings += content.findings
        if sheet is None:
            message, fix = f"{content.name} is no sheet of Annex I", "keep what is no part of the report elsewhere"
            findings.append(Finding(code="ANX102", file=file, message=message, fix=fix))
        elif sheet.name in tables:
            message = f"sheet {sheet.name} is there twice, also as {tables[sheet.name].file}"
            findings.append(Finding(code="ANX109", file=file, message=message, fix="keep one"))
        else:
            tables[sheet.name] = _table(file, sheet, content.rows, findings)
    return Report(tuple(tables[name] for name in NAMES if name in tables), tuple(findings))


def _sheet_of(name: str) -> Sheet | None:
    """The sheet that a name means by its number, or by the name itself."""
    numbered = NUMBERED.match(name)
    if numbered:
        return next((sheet for each, sheet in template().items() if each.startswith(f"{numbered[1]}_")), None)
    return template().get(name)


# --- CSV -----------------------------------------------------------------------------------------


def _of_csv(files: Iterable[Path]) -> Iterator[Content]:
    for file in files:
        findings: list[Finding] = []
        rows = _rows_of_csv(file, findings)
        yield Content(file.name, file.stem, rows, findings)


def _rows_of_csv(file: Path, findings: list[Finding]) -> list[list[str]]:
    """The rows, read as well as can be where the file is not RFC 4180 in UTF-8."""
    content = file.read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        message = f"not UTF-8: byte {content[error.start]:#04x}"
        findings.append(Finding(code="ANX103", file=file.name, row=row, message=message, fix="save it as UTF-8"))
        text = content.decode("cp1252", errors="replace")
    if text.startswith(BYTE_ORDER_MARK):
        message = "begins with a byte order mark, which some readers take for a part of the first heading"
        findings.append(Finding(code="ANX104", file=file.name, row=1, message=message, fix="save it as UTF-8 without one"))
        text = text.removeprefix(BYTE_ORDER_MARK)
    return _parsed(file.name, text, _delimiter(file.name, text, findings), findings)


def _delimiter(file: str, text: str, findings: list[Finding]) -> str:
    first = text.partition("\n")[0]
    for delimiter in OTHER_DELIMITERS:
        if first.count(delimiter) > first.count(","):
            message = f"fields are parted by {delimiter!r}, not by commas"
            findings.append(Finding(code="ANX106", file=file, row=1, message=message, fix="save it as CSV with commas (RFC 4180)"))
            return delimiter
    return ","


def _parsed(file: str, text: str, delimiter: str, findings: list[Finding]) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        rows += reader
    except csv.Error as error:
        message = f"quotes are not as RFC 4180 wants them: {error}"
        fix = "put a cell that holds a comma, quote or line break in quotes, and double the quotes in it"
        findings.append(Finding(code="ANX106", file=file, row=len(rows) + 1, message=message, fix=fix))
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    return rows


# --- XLSX ----------------------------------------------------------------------------------------


def _of_xlsx(file: Path) -> Iterator[Content]:
    try:
        yield from _worksheets(file)
    except OSError:
        raise
    except Exception as error:  # what openpyxl raises for a damaged workbook is of every kind
        raise AnnexError(f"{file} cannot be read as XLSX: {error or type(error).__name__}") from error


def _worksheets(file: Path) -> Iterator[Content]:
    """Raises anything at all for a damaged workbook."""
    content = io.BytesIO(file.read_bytes())
    with zipfile.ZipFile(content) as parts:
        if sum(part.file_size for part in parts.infolist()) > MOST_BYTES:
            raise ValueError(f"it holds more than {MOST_BYTES:,} bytes, no report does")
    book = load_workbook(content, read_only=True, data_only=True)
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what some programs write as the size of a sheet is wrong
            rows = [[_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True, max_row=MOST_ROWS)]
            width = max(map(len, rows), default=0)  # a row ends with its last cell that is not empty
            yield Content(f"{file.name}[{sheet.title}]", sheet.title, [row + [""] * (width - len(row)) for row in rows])
    finally:
        book.close()


def _text(cell: object) -> str:
    """As it would stand in a CSV file; a spreadsheet knows no integers, so that a whole number is one."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


# --- tables --------------------------------------------------------------------------------------


def _table(file: str, sheet: Sheet, rows: list[list[str]], findings: list[Finding]) -> Table:
    headings, *body = rows or [[]]
    while headings and not headings[-1].strip() and all(len(row) < len(headings) or not row[len(headings) - 1].strip() for row in body):
        headings = headings[:-1]  # XLSX files have empty columns at their end
    width = len(headings)
    records = []
    for number, row in enumerate(body, 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) < width or any(cell.strip() for cell in row[width:]):
            message = f"{len(row)} fields, but {width} headings"
            fix = "give every row as many fields as there are headings"
            findings.append(Finding(code="ANX107", file=file, row=number, message=message, fix=fix))
        records.append(Record(number, tuple([*row, *[""] * width][:width])))
    stripped = [heading.strip() for heading in headings]
    official = [heading.strip() for heading in sheet.headings]
    columns = {heading: stripped.index(heading) for heading in official if heading in stripped}
    return Table(file, sheet, tuple(headings), columns, tuple(records))
