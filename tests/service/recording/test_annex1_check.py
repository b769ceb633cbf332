"""`wildgate report check`: each deviation that published files have, planted in a sound report and found at its place."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
from click.testing import CliRunner
from openpyxl import Workbook
from wildgate_service.annex1.about import About, Family, Kind, Recipients, Texts
from wildgate_service.annex1.annex import make_annex
from wildgate_service.annex1.check import AnnexError, check
from wildgate_service.annex1.check import __doc__ as codes_of_check
from wildgate_service.annex1.check.finding import WARNINGS
from wildgate_service.annex1.facts import Facts
from wildgate_service.annex1.mapping import Classification
from wildgate_service.annex1.quality import ACCURACY, PRECISION, RECALL, Quality
from wildgate_service.annex1.template import NAMES, template
from wildgate_service.annex1.write import to_csv_files, to_xlsx
from wildgate_service.cli.report import command
from wildgate_service.outcomes import Means, NoticeSource, OutcomeKind
from wildgate_service.policy.file import Ground as GroundTable
from wildgate_service.store import open_store
from wildgate_service.types import Action

K = OutcomeKind
IDENTIFICATION, CATEGORIES, ORDERS, NOTICES, ILLEGAL, TERMS, APPEALS, AUTOMATED, MODERATORS, RECIPIENTS, TEXTS = NAMES
PRODUCTS = "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS"
OWN = 5  # the column of own-initiative measures
ABOUT = About(
    provider="Example Marketplace B.V.",
    service="Example",
    kind=Kind.VLOP,
    published=date(2027, 2, 10),
    records=frozenset(Family),
    texts=Texts(*["Told."] * len(Texts.__struct_fields__)),
    recipients=Recipients(total=5, member_states={"GR": 5}),
)
GROUND = GroundTable(
    decision_ground="DECISION_GROUND_ILLEGAL_CONTENT",
    category_parts=PRODUCTS,
    keyword_parts="KEYWORD_OTHER",
    category_live=PRODUCTS,
    keyword_live="KEYWORD_OTHER",
    described_parts="Protected wildlife",
)
SCOPES = ("Total number", "Own-initiative", "NAM Total", "NAM Trusted Flagger", "en", "de")
QUALITY = [
    Quality(classifier="Wildgate", scope=scope, measure=measure, value=0.9, lower=0.8, upper=0.95, size=100, method="Judged.")
    for scope in SCOPES
    for measure in (ACCURACY, PRECISION, RECALL)
]


@pytest.fixture(scope="module")
def sheets(fresh_url, samples):
    """A sound report of some measures, notices, orders and complaints."""
    notice = {"notice_source": NoticeSource.TRUSTED_FLAGGER, "means": Means.AUTOMATED}
    order = {"authority": "SE"}
    stories = [
        [(K.REMOVED, {"means": Means.AUTOMATED}), (K.COMPLAINT_RECEIVED, {}), (K.COMPLAINT_REJECTED, {})],
        [(K.NOTICE_RECEIVED, notice), (K.NOTICE_UPHELD, {"means": Means.AUTOMATED}), (K.REMOVED, {"means": Means.AUTOMATED})],
        [(K.ORDER_RECEIVED, order), (K.ORDER_CONFIRMED, order), (K.REMOVED, {}), (K.ORDER_EXECUTED, order)],
    ]
    with open_store(fresh_url()) as store:
        for story in stories:
            record = samples.record(Action.BLOCK)
            store.append([record])
            store.append_outcomes(
                [
                    samples.outcome(kind, decision_id=record.decision_id, hours=hour, **fields)
                    for hour, (kind, fields) in enumerate(story, 1)
                ]
            )
        days = {"start": date(2026, 1, 1), "end": date(2026, 12, 31)}
        measures, cases = store.measures(*days.values()), store.cases(*days.values())
    return make_annex(Facts(measures, cases, classification=Classification({"default": GROUND}), about=ABOUT, quality=QUALITY, **days))


class Files:
    """The files of a report, to be spoiled."""

    def __init__(self, folder, contents):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)

    def path(self, sheet):
        """Where a sheet lies."""
        return self.folder / f"{sheet}.csv"

    def rows(self, sheet):
        """Its rows, the headings first."""
        return list(csv.reader(io.StringIO(self.path(sheet).read_text(encoding="utf-8"), newline="")))

    def write(self, sheet, rows):
        """Write it anew."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        self.path(sheet).write_text(text.getvalue(), encoding="utf-8", newline="")

    def put(self, sheet, row, column, value):
        """Write a cell by its number and place, from 1 and from 0."""
        rows = self.rows(sheet)
        rows[row - 1][column] = value
        self.write(sheet, rows)

    def row_of(self, sheet, *codes):
        """The number of the first row that holds these cells."""
        return next(number for number, row in enumerate(self.rows(sheet), 1) if set(codes) <= set(row))

    def found(self):
        """Codes with their places."""
        return {(finding.code, finding.file, finding.row, finding.column) for finding in check(self.folder)}


@pytest.fixture
def files(sheets, tmp_path):
    return Files(tmp_path / "report", to_csv_files(sheets))


def test_a_sound_report_is_clean(files):
    """Wildgate's own."""
    assert [str(finding) for finding in check(files.folder)] == []


def test_a_sound_workbook_is_clean(sheets, tmp_path):
    """And beside the CSV files it is a report of its own."""
    both = Files(tmp_path, {**to_csv_files(sheets), "report.xlsx": to_xlsx(sheets)})
    assert both.found() == set()


def test_the_official_templates_have_only_what_is_to_be_filled_in(tmp_path):
    """Placeholders, and no service."""
    contents = to_csv_files(list(template().values()))
    assert {code for code, *_ in Files(tmp_path, contents).found()} == {"ANX207", "ANX208", "ANX209"}


def cell(sheet, row, column, value, code, letter):
    """Plants one cell."""
    return pytest.param(sheet, row, column, value, code, letter, id=f"{code}-{value[:12]}")


@pytest.mark.parametrize(
    ("sheet", "row", "column", "value", "code", "letter"),
    [
        cell(AUTOMATED, 2, 6, "26577842.0", "ANX401", "G"),
        cell(AUTOMATED, 2, 6, "1,234", "ANX401", "G"),
        cell(AUTOMATED, 4, 6, "97%", "ANX402", "G"),
        cell(AUTOMATED, 4, 6, "97", "ANX402", "G"),
        cell(AUTOMATED, 4, 7, "", "ANX803", "H"),
        cell(AUTOMATED, 4, 6, "", "ANX804", "G"),
        cell(AUTOMATED, 22, 5, "BE", "ANX701", "F"),
        cell(AUTOMATED, 22, 5, "[...]", "ANX207", "F"),
        cell(AUTOMATED, 2, 4, "Number of robots", "ANX203", "E"),
        cell(AUTOMATED, 7, 6, "5", "ANX404", "G"),
        cell(NOTICES, 2, 9, "two hours", "ANX403", "J"),
        cell(NOTICES, 2, 9, "-1", "ANX403", "J"),
        cell(NOTICES, 2, 2, "2026", "ANX301", "C"),
        cell(NOTICES, 3, 2, "2025-01-01/2025-12-31", "ANX303", "C"),
        cell(NOTICES, 3, 1, "", "ANX209", "B"),
        cell(NOTICES, 3, 1, "Another", "ANX209", "B"),
        cell(NOTICES, 2, 6, "2", "ANX404", "G"),
        cell(ILLEGAL, 6, 4, 'Text to detail the "Other" keyword.', "ANX208", "E"),
        cell(ILLEGAL, 6, 5, "7900", "ANX601", "E"),
        cell(ILLEGAL, 3, 4, "Animals", "ANX603", "E"),
        cell(ILLEGAL, 2, 5, "9", "ANX502", "F"),
        cell(ILLEGAL, 3, 3, "STATEMENT_CATEGORY_PETS", "ANX203", "D"),
        cell(ILLEGAL, 4, 3, "KEYWORD_NUDITY", "ANX203", "D"),
        cell(ILLEGAL, 5, 3, "KEYWORD_ANIMAL_HARM", "ANX205", "D"),
        cell(ILLEGAL, 3, 3, "STATEMENT_CATEGORY_OTHER_VIOLATION_TC", "ANX206", "D"),
        cell(ORDERS, 2, 5, "Sweden", "ANX702", "F"),
        cell(CATEGORIES, 12, 1, "consumer¡¯s", "ANX108", "B"),
        cell(CATEGORIES, 3, 2, "STATEMENT_CATEGORY_PETS", "ANX203", "C"),
        cell(APPEALS, 2, 5, "In all", "ANX203", "F"),
        cell(RECIPIENTS, 3, 5, "OE", "ANX702", "F"),
        cell(TEXTS, 2, 4, "x" * 5001, "ANX801", "E"),
        cell(TEXTS, 2, 4, "", "ANX802", "E"),
        cell(TEXTS, 2, 4, "=1+1", "ANX105", "E"),
        cell(TEXTS, 2, 4, "Free text", "ANX207", "E"),
        cell(IDENTIFICATION, 2, 3, "", "ANX305", "D"),
        cell(IDENTIFICATION, 3, 3, "10/02/2027", "ANX305", "D"),
        cell(IDENTIFICATION, 3, 3, "YYYY-MM-DD", "ANX207", "D"),
    ],
)
def test_a_planted_cell_is_found_at_its_place(files, sheet, row, column, value, code, letter):
    """By its code, file, row and column."""
    files.put(sheet, row, column, value)
    place = {(found, of_row, of_column) for found, file, of_row, of_column in files.found() if file == f"{sheet}.csv"}
    assert (code, row, letter) in place


def test_more_complaints_decided_than_submitted(files):
    """At the row of the number submitted."""
    files.put(APPEALS, 3, 6, "7")
    assert files.found() == {("ANX405", f"{APPEALS}.csv", 2, "G")}


def test_sheets_that_disagree(files):
    """More own-initiative measures by who took them than there were."""
    files.put(AUTOMATED, 2, 6, "50")
    files.put(AUTOMATED, 7, 6, "50")
    assert ("ANX405", f"{AUTOMATED}.csv", 8, "G") in files.found()


def test_sub_categories_that_do_not_add_up(files):
    """At the row of the category."""
    row = files.row_of(ILLEGAL, "KEYWORD_OTHER", "Protected wildlife")
    files.put(ILLEGAL, row, OWN, "5")
    assert ("ANX501", f"{ILLEGAL}.csv", files.row_of(ILLEGAL, PRODUCTS), "F") in files.found()


def test_member_states_that_do_not_add_up(files):
    """At the row of all orders."""
    rows = [row for row in files.rows(ORDERS) if row[5] != "SE"]
    files.write(ORDERS, rows)
    assert ("ANX503", f"{ORDERS}.csv", 2, "G") in files.found()


def test_two_rows_with_one_description(files):
    """However it is spelled."""
    row = files.row_of(TERMS, "KEYWORD_OTHER", "Protected wildlife")
    rows = files.rows(TERMS)
    rows.insert(row, [cell.upper() if cell == "Protected wildlife" else cell for cell in rows[row - 1]])
    files.write(TERMS, rows)
    assert ("ANX602", f"{TERMS}.csv", row + 1, "E") in files.found()


def test_an_indicator_twice(files):
    """Only sheet 8 has several rows of one: a row for each classifier."""
    for sheet in (APPEALS, AUTOMATED):
        rows = files.rows(sheet)
        files.write(sheet, [*rows, rows[3]])
    assert {(code, file) for code, file, *_ in files.found()} == {("ANX205", f"{APPEALS}.csv")}


def test_further_described_rows_are_allowed(files):
    """Any number."""
    row = files.row_of(TERMS, "KEYWORD_OTHER", "Protected wildlife")
    rows = files.rows(TERMS)
    rows.insert(row, [cell.replace("Protected wildlife", "Doxing") for cell in rows[row - 1]])
    files.write(TERMS, rows)
    assert files.found() == set()


def test_rows_that_are_missing_or_moved(files):
    """Named, as far as there are few."""
    rows = files.rows(ILLEGAL)
    rows[3], rows[4] = rows[4], rows[3]
    del rows[60]
    files.write(ILLEGAL, rows)
    assert {code for code, *_ in files.found()} == {"ANX202", "ANX204"}


def test_a_sheet_that_repeats_another(files):
    """As a copy of the templates that goes around does: sheet 6 under the name of sheet 5."""
    files.path(ILLEGAL).write_bytes(files.path(TERMS).read_bytes())
    assert {"ANX201", "ANX206"} <= {code for code, file, *_ in files.found() if file == f"{ILLEGAL}.csv"}


def test_headings_that_are_not_the_official_ones(files):
    """Each with its column."""
    files.put(NOTICES, 1, 9, "Median time")
    assert {place for place in files.found() if place[0] == "ANX201"} == {("ANX201", f"{NOTICES}.csv", 1, "J")}


def test_a_sheet_that_is_missing_and_one_too_many(files):
    """Other files of the folder are nobody's business."""
    files.path(TEXTS).rename(files.folder / "12_more.csv")
    (files.folder / "index.html").write_text("<p>", encoding="utf-8")
    assert files.found() == {("ANX101", f"{TEXTS}.csv", 0, ""), ("ANX102", "12_more.csv", 0, "")}


def test_the_commissions_own_names_are_known(files):
    """Part_5_…, and a sheet twice is one too many."""
    (files.folder / "Part_11_qualitative.csv").write_bytes(files.path(TEXTS).read_bytes())
    assert files.found() == {("ANX109", "Part_11_qualitative.csv", 0, "")}


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda text: text.replace("providers’", "providers\u0092").encode("latin-1"), "ANX103"),
        (lambda text: b"\xef\xbb\xbf" + text.encode(), "ANX104"),
        (lambda text: text.replace(",", ";").encode(), "ANX106"),
        (lambda text: text.replace("Told.", '"Told" by us', 1).encode(), "ANX106"),
        (lambda text: text.replace("Told.", "Told, by us", 1).encode(), "ANX107"),
    ],
)
def test_files_that_are_not_rfc_4180_in_utf_8(files, spoil, code):
    """Found, and read as well as can be."""
    files.path(TEXTS).write_bytes(spoil(files.path(TEXTS).read_text(encoding="utf-8")))
    assert code in {found for found, file, *_ in files.found() if file == f"{TEXTS}.csv"}


@pytest.mark.parametrize(("start", "end", "published", "code"), [
    ("2026-02-01", "2026-12-31", "2027-02-10", "ANX302"),
    ("2026-01-01", "2026-12-31", "2027-03-01", "ANX304"),
    ("2026-01-01", "2026-12-31", "2026-12-31", "ANX304"),
    ("2026-01-01", "2026-06-30", "2026-08-31", None),
    ("2026-07-01", "2026-12-31", "2027-02-28", None),
])  # fmt: skip
def test_periods_and_deadlines(files, start, end, published, code):
    """A year, or half of one; two months to publish."""
    for name in NAMES:
        text = files.path(name).read_text(encoding="utf-8").replace("2026-01-01/2026-12-31", f"{start}/{end}")
        files.path(name).write_text(text, encoding="utf-8", newline="")
    for row, value in ((3, published), (5, start), (6, end)):
        files.put(IDENTIFICATION, row, 3, value)
    assert {found for found, *_ in files.found()} == ({code} if code else set())


def test_the_same_of_many_rows_is_one_finding(files):
    """With their number."""
    rows = files.rows(NOTICES)
    files.write(NOTICES, [rows[0], *([row[0], "", *row[2:]] for row in rows[1:])])
    (finding,) = [each for each in check(files.folder) if each.code == "ANX209"]
    assert (finding.row, finding.more) == (2, len(rows) - 2)


def test_a_folder_without_a_report_is_refused(tmp_path):
    """With what would be one."""
    with pytest.raises(AnnexError, match="holds no sheet of Annex I"):
        check(tmp_path)


def test_a_workbook_that_is_none_is_refused(tmp_path):
    """In a sentence."""
    (tmp_path / "report.xlsx").write_bytes(b"no workbook")
    with pytest.raises(AnnexError, match="cannot be read as XLSX"):
        check(tmp_path)


def test_a_workbook_of_others(tmp_path):
    """Dates and whole numbers as spreadsheets keep them; sheets by their names."""
    book = Workbook()
    book.remove(book.active)
    for sheet in template().values():
        made = book.create_sheet(sheet.name)
        for row in (sheet.headings, *sheet.rows):
            made.append(row)
    book[IDENTIFICATION]["D3"] = date(2026, 2, 1)
    book[AUTOMATED]["G2"] = 5.0
    book.save(tmp_path / "report.xlsx")
    assert {finding.code for finding in check(tmp_path)} == {"ANX207", "ANX208", "ANX209", "ANX804"}


# --- the command ---------------------------------------------------------------------------------


def test_the_command_ends_with_1_when_something_is_wrong(files):
    """A line each, then how many."""
    files.put(AUTOMATED, 2, 6, "26577842.0")
    result = CliRunner().invoke(command, ["check", str(files.folder)])
    assert result.exit_code == 1
    assert "8_automated_means.csv:2:G: error ANX401: '26577842.0' is not a whole number; write a whole number" in result.stdout


def test_warnings_alone_end_with_0(files):
    """They are told all the same."""
    files.put(TEXTS, 2, 4, "")
    result = CliRunner().invoke(command, ["check", str(files.folder)])
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, f"{files.folder}: 0 errors, 1 warnings")


def test_findings_as_json(files):
    """For programs."""
    files.put(AUTOMATED, 2, 6, "26577842.0")
    result = CliRunner().invoke(command, ["check", str(files.folder), "--format", "json"])
    (finding,) = [each for each in json.loads(result.stdout) if each["code"] == "ANX401"]
    assert (finding["file"], finding["row"], finding["column"], finding["severity"]) == (f"{AUTOMATED}.csv", 2, "G", "error")


def test_every_code_is_documented():
    """Once, and warnings as such."""
    rows = [line.split("|") for line in codes_of_check.splitlines() if line.startswith("| ANX")]
    assert {row[1].strip() for row in rows if "(warning)" in row[2]} == WARNINGS
    assert len(rows) == len({row[1] for row in rows})
