"""Write the sheets: eleven CSV files (RFC 4180, UTF-8) or one XLSX file with the same cells. The same sheets give the same bytes."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from wildgate_service.annex1.template import Cell, Sheet
from wildgate_service.report_export import FORMULA

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a ZIP file can bear
STAMPS = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")


def to_csv_files(sheets: Sequence[Sheet]) -> dict[str, bytes]:
    """Contents by file name: the name of the sheet."""
    return {f"{sheet.name}.csv": _csv(sheet) for sheet in sheets}


def _csv(sheet: Sheet) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(_inert_rows(sheet))  # its default dialect is that of RFC 4180
    return text.getvalue().encode()


def to_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """A workbook with a worksheet for each sheet, numbers as numbers and text as text, never as formulas."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        made = book.create_sheet(sheet.name)
        made.freeze_panes = "A2"
        for row in _inert_rows(sheet):
            made.append([_cell(made, cell) for cell in row])
    file = io.BytesIO()
    book.save(file)
    return _timeless(file.getvalue())


def _cell(sheet: object, value: Cell) -> WriteOnlyCell | None:
    if value == "":
        return None
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"
    return cell


def _timeless(book: bytes) -> bytes:
    """The same ZIP file without the time of its making."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as made, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in made.namelist():
            kept.writestr(zipfile.ZipInfo(name, EPOCH), STAMPS.sub(rb"\g<1>1980-01-01T00:00:00Z", made.read(name)), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _inert_rows(sheet: Sheet) -> Iterator[list[Cell]]:
    """Headings and rows; a text that a spreadsheet would run as a formula gets an apostrophe before it, in both formats."""
    for row in (sheet.headings, *sheet.rows):
        yield [f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in row]
