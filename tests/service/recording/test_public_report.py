"""The public report: what it counts, what it hides, and the page."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import html5lib
import msgspec
import pytest
from click.testing import CliRunner
from wildgate_service.cli.report import command
from wildgate_service.outcomes import Means, NoticeSource, OutcomeKind
from wildgate_service.policy.file import Publication
from wildgate_service.public_report import Accuracy, PublicReport, make_public_report, periods
from wildgate_service.report_export import public_csv, public_json
from wildgate_service.report_files import gather
from wildgate_service.report_page import hours, label, percent, render
from wildgate_service.store import open_store
from wildgate_service.types import Action, Listing, Taxon

DAY = date(2026, 3, 10)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
EXACT = Publication(smallest_cell=1, smallest_sample=1)
YEAR = date(2026, 1, 1), date(2026, 12, 31)


def made(store, publication=EXACT, *, start=DAY, end=DAY, tenant=None):
    """The public report of what is in the store."""
    facts = gather(store, start, end, tenant=tenant)
    return make_public_report(facts, publication, tenant=tenant or "", start=start, end=end, generated_time=NOW)


def counts(report, name):
    """Rows of a table: by value, the counts."""
    return {row.value: row.counts for row in report.table(name).rows}


@pytest.fixture(scope="module")
def year_report(year_url):
    """The public report of the year, by the policy's defaults."""
    with open_store(year_url, read_only=True) as store:
        return made(store, Publication(), start=YEAR[0], end=YEAR[1])


@pytest.fixture(scope="module")
def exact_report(year_url):
    """The same with nothing hidden."""
    with open_store(year_url, read_only=True) as store:
        return made(store, start=YEAR[0], end=YEAR[1])


@pytest.fixture(scope="module")
def year_page(year_report):
    """Its page."""
    return render(year_report)


# --- what is counted -----------------------------------------------------------------------------


@pytest.fixture
def follow(store, samples):
    """Records a decision and what followed: kinds with fields, an hour apart."""

    def make(action, *steps, **fields):
        record = samples.record(action, **fields)
        store.append([record])
        store.append_outcomes(
            [samples.outcome(kind, hours=hour, decision_id=record.decision_id, **more) for hour, (kind, more) in enumerate(steps, 1)]
        )

    return make


REMOVED = (OutcomeKind.REMOVED, {"means": Means.MODERATOR})
NOTICE = (OutcomeKind.NOTICE_RECEIVED, {"notice_source": NoticeSource.TRUSTED_FLAGGER})


def test_species_and_views_are_counted(store, samples):
    """By group and scientific name; a text in two views counts under both."""
    match = msgspec.structs.replace(samples.decision(Action.BLOCK).matches[0], views=("leetspeak", "separators"))
    taxa = (Taxon("elephant", "Loxodonta africana", "I"), Taxon("rhino", "", "I"))
    store.append([samples.record(decision=samples.decision(Action.BLOCK, taxa=taxa, matches=(match,)))])
    report = made(store)
    assert {(row.parent, row.value) for row in report.table("species").rows} == {("elephant", "Loxodonta africana"), ("rhino", "unnamed")}
    assert counts(report, "view") == {"leetspeak": (0, 1, 0), "separators": (0, 1, 0)}


def test_views_of_a_form_that_counted_for_nothing_are_not_counted(store, samples):
    """It lacked the company that it needs."""
    match = msgspec.structs.replace(samples.decision(Action.BLOCK).matches[0], views=("leetspeak",), level="company_only")
    store.append([samples.record(decision=samples.decision(Action.BLOCK, matches=(match,)))])
    assert counts(made(store), "view") == {}


def test_what_was_stopped_is_counted_by_species(follow, store):
    """Held, refused, taken down."""
    follow(Action.BLOCK, REMOVED)
    follow(Action.REVIEW)
    assert counts(made(store), "species") == {"Loxodonta africana": (1, 1, 1)}


def test_how_a_listing_was_found_follows_from_what_was_before(follow, store):
    """A notice or an order before the measure; else software if it asked for something; else a person."""
    follow(Action.BLOCK, REMOVED)
    follow(Action.ALLOW, REMOVED)
    follow(Action.BLOCK, NOTICE, REMOVED)
    follow(Action.ALLOW, (OutcomeKind.ORDER_RECEIVED, {"authority": "DE"}), REMOVED)
    found = {"software": (1,), "person": (1,), "trusted_flagger": (1,), "order": (1,)}
    assert counts(made(store), "detection") == found


def test_cases_are_counted_by_how_they_ended(follow, store):
    """Received, upheld, in part, rejected, otherwise, open."""
    complaint = (OutcomeKind.COMPLAINT_RECEIVED, {})
    follow(Action.BLOCK, REMOVED, complaint, (OutcomeKind.COMPLAINT_UPHELD, {"means": Means.MODERATOR}))
    follow(Action.BLOCK, REMOVED, complaint)
    assert counts(made(store), "cases") == {"complaint": (2, 1, 0, 0, 0, 1)}


def test_waits_are_from_the_check_to_the_measure(follow, store):
    """An hour is not under an hour."""
    follow(Action.BLOCK, REMOVED)
    report = made(store)
    assert (counts(report, "wait")["under_an_hour"], counts(report, "wait")["under_a_day"], report.medians["measure"]) == ((0,), (1,), 1)


def test_versions_have_the_days_of_their_first_and_last_check(exact_report):
    """In the order of time."""
    lexicons = [(used.version, used.first, used.last) for used in exact_report.versions if used.name == "lexicon_version"]
    assert lexicons == [("0.2.0", date(2026, 1, 1), date(2026, 4, 30)), ("0.3.0", date(2026, 5, 1), date(2026, 12, 31))]


def test_the_tables_add_up_to_the_total(exact_report):
    """Languages, markets, kinds, months and versions are each of all checks."""
    total = exact_report.table("total").rows[0].counts
    for name in ("period", "language", "market", "content_kind", "lexicon_version", "model_version", "policy_version"):
        assert tuple(map(sum, zip(*counts(exact_report, name).values(), strict=True))) == total


@pytest.mark.parametrize(("days", "unit", "first"), [(31, "day", "2026-01-31"), (60, "week", "2026-01-26"), (200, "month", "2026-01-01")])
def test_long_periods_are_told_by_week_and_month(days, unit, first):
    """The longer, the larger the counts."""
    named, period_of = periods(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=days - 1))
    assert (named, period_of(date(2026, 1, 31))) == (unit, first)


# --- what is hidden ------------------------------------------------------------------------------


def test_no_small_count_is_published(year_report):
    """In no table; some are there to hide."""
    shown = [count for table in year_report.tables for row in table.rows for count in row.counts if count is not None]
    assert ([count for count in shown if 0 < count < 5], year_report.hidden_cells > 0) == ([], True)


def test_what_is_shown_is_exact(year_report, exact_report):
    """Hiding changes no other number."""
    pairs = [
        (count, exact)
        for table, whole in zip(year_report.tables, exact_report.tables, strict=True)
        for row, full in zip(table.rows, whole.rows, strict=True)
        for count, exact in zip(row.counts, full.counts, strict=True)
        if count is not None
    ]
    assert [pair for pair in pairs if pair[0] != pair[1]] == []


@pytest.mark.parametrize("name", ["period", "language", "market", "content_kind", "lexicon_version", "taxon_group", "detection", "wait"])
def test_no_hidden_count_is_alone_in_its_column(year_report, name):
    """A total would give it away."""
    for column in zip(*(row.counts for row in year_report.table(name).rows), strict=True):
        assert column.count(None) != 1


def test_a_hidden_group_is_not_given_away_by_its_species(store, samples):
    """Three orchids in one group of plants: group and species are hidden alike, whatever else is shown."""
    for group, name, number in (("orchid", "Paphiopedilum", 3), ("elephant", "Loxodonta africana", 20), ("rhino", "Ceratotherium", 9)):
        decision = samples.decision(Action.BLOCK, taxa=(Taxon(group, name, "I"),))
        store.append([samples.record(decision=decision) for _ in range(number)])
    report = made(store, Publication())
    groups = {row.value: row.counts[1] for row in report.table("taxon_group").rows}
    species = {row.parent: row.counts[1] for row in report.table("species").rows}
    assert (groups, species) == ({"orchid": None, "elephant": 20, "rhino": None},) * 2


def test_few_cases_say_nothing(follow, store):
    """Not even how many they are."""
    follow(Action.BLOCK, REMOVED)
    assert made(store, Publication()).accuracy[0] == Accuracy(name="precision", total=None, too_few=True)


@pytest.mark.parametrize(("wrong", "told"), [(2, "bound"), (20, "estimate"), (None, "too few")])
def test_precision_is_estimated_from_moderators(follow, store, wrong, told):
    """A hundred judgments are needed; of a few wrong ones only a bound is told."""
    for _ in range(40 if wrong is None else 120 - wrong):
        follow(Action.BLOCK, REMOVED)
    for _ in range(wrong or 0):
        follow(Action.BLOCK, (OutcomeKind.PUBLISHED, {"means": Means.MODERATOR}))
    share = next(each for each in made(store, Publication()).accuracy if each.name == "precision" and not each.dimension)
    said = {"bound": share.at_least is not None, "estimate": share.estimate is not None, "too few": share.too_few}
    assert [name for name, holds in said.items() if holds] == [told]


@pytest.mark.parametrize(
    ("right", "wrong", "at_most", "at_least"), [(40, 2, None, 1 - 4 / 42), (2, 40, 4 / 42, None), (20, 20, None, None), (40, 0, None, None)]
)
def test_shares_of_few_are_bounded(follow, store, right, wrong, at_most, at_least):
    """Fewer than five of forty-two: the share is told as a bound, without interval."""
    for _ in range(right):
        follow(Action.BLOCK, REMOVED, (OutcomeKind.REINSTATED, {"means": Means.MODERATOR}))
    for _ in range(wrong):
        follow(Action.BLOCK, REMOVED)
    share = next(each for each in made(store, Publication()).accuracy if each.name == "reversal_rate")
    assert (share.at_most, share.at_least, share.count is None) == (at_most, at_least, bool(at_most or at_least))


# --- data ----------------------------------------------------------------------------------------


def test_the_json_is_the_report(year_report):
    """Field by field; what is hidden is null."""
    assert msgspec.json.decode(public_json(year_report), type=PublicReport) == year_report


def test_the_csv_leaves_hidden_numbers_blank(year_report):
    """Blank is not zero, and says so."""
    rows = list(csv.DictReader(public_csv(year_report).splitlines()))
    noted = [row for row in rows if row["table"] in {table.name for table in year_report.tables} and row["note"] == "hidden"]
    assert (len(noted), {row["number"] for row in noted}) == (year_report.hidden_cells, {""})


def test_page_and_files_hide_the_same(year_report, year_page):
    """No file tells what the page hides."""
    text = json.dumps(json.loads(public_json(year_report)))
    assert text.count("null") >= year_report.hidden_cells
    assert year_page.count('class="ns">hidden') > 0


# --- the page ------------------------------------------------------------------------------------


def parsed(page):
    """The page's tree, which must have no error of syntax."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)


def words(element):
    return " ".join("".join(element.itertext()).split())


def test_the_page_is_sound_html(year_page):
    """By the standard's own parser, strictly."""
    assert parsed(year_page).tag == "html"


def test_the_page_has_the_structure_that_screen_readers_need(year_page):
    """A language, one main heading, no level left out, landmarks, a caption and header cells in every table."""
    page = parsed(year_page)
    levels = [int(element.tag[1]) for element in page.iter() if re.fullmatch("h[1-6]", str(element.tag))]
    assert (page.get("lang"), levels.count(1), max(after - before for before, after in pairwise(levels))) == ("en", 1, 1)
    assert [len(page.findall(f".//{name}")) for name in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    tables = page.findall(".//table")
    assert [table for table in tables if not words(table.find("caption")) or not table.findall(".//th[@scope='row']")] == []


def test_every_link_in_the_page_leads_to_a_place_in_it(year_page):
    """Or to a file beside it."""
    page = parsed(year_page)
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    links = [link.get("href") for link in page.findall(".//a")]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert len(ids) == len(set(ids))
    assert [link for link in links if not re.match("#|data:|wildgate-report-", link)] == []


def test_the_page_needs_nothing_but_itself(year_page):
    """No script, no address, no file; and it is small."""
    page = year_page
    assert [word for word in ("<script", "http://", "https://", "src=", "@import", "xmlns") if word in page] == []
    assert len(page) < 500_000


def test_the_page_tells_the_totals(store, samples):
    """In words, with separators."""
    store.append([samples.record() for _ in range(1234)] + [samples.record(Action.BLOCK) for _ in range(6)])
    page = words(parsed(render(made(store, Publication()))))
    assert "From 10 March 2026 to 10 March 2026, 1,240 texts were checked" in page


def test_nothing_of_a_text_is_in_the_report(year_report, year_page):
    """Titles, surfaces, forms, listings and sellers: the year is full of them."""
    everything = year_page + public_json(year_report) + public_csv(year_report)
    assert [word for word in ("SECRET", "secret", "5550199", "listing-", "seller-") if word in everything] == []


def test_what_is_no_code_is_not_published(store, samples):
    """A caller may send anything as a market, which is told as no market's code."""
    evil = '=cmd <img src=x onerror="alert(1)"> 555 0199'
    store.append([samples.record(Action.BLOCK, listing=Listing(market=evil)) for _ in range(9)])
    report = made(store)
    assert (list(counts(report, "market")), "555" in render(report) + public_csv(report)) == (["other"], False)


def test_a_tenants_name_is_escaped(store, samples):
    """It is the operator's word, but still."""
    evil = "<img src=x>"
    store.append([samples.record(tenant=evil)])
    assert evil not in render(made(store, tenant=evil))


def test_an_empty_report_is_a_page_too(store):
    """That says that nothing was checked."""
    page = render(made(store))
    assert ("no text was checked" in page, parsed(page).tag) == (True, "html")


def test_an_exact_report_says_that_it_is_for_the_house(exact_report):
    """On top."""
    assert "For the house only" in render(exact_report)


def test_without_the_library_the_page_has_its_tables(year_report, monkeypatch):
    """And no chart."""
    monkeypatch.setattr("wildgate_service.charts.can_draw", lambda: False)
    page = parsed(render(year_report))
    assert (page.findall(".//figure"), len(page.findall(".//table")) > 10) == ([], True)


def test_the_same_report_is_the_same_page(year_report, year_page):
    """Byte for byte: charts have no random names."""
    assert render(year_report) == year_page


def test_shares_of_parts_have_a_table(year_report):
    """Where there are estimates by language or group."""
    parts = (
        Accuracy(name="recall", total=900, estimate=0.8, lower=0.7, upper=0.9),
        Accuracy(name="recall", dimension="language", value="vi", total=300, estimate=0.75, lower=0.6, upper=0.85),
        Accuracy(name="recall", dimension="language", value="th", total=12, too_few=True),
    )
    page = parsed(render(msgspec.structs.replace(year_report, accuracy=parts)))
    (table,) = [table for table in page.findall(".//table") if table.get("class") == "parts"]
    assert "80.0% from 900 cases · range 70.0% to 90.0%" in words(page)
    assert [[words(cell) for cell in row] for row in table.findall("./tbody/tr")] == [
        ["Vietnamese", "75.0%", "60.0% to 85.0%", "300"],
        ["Thai", "too few to say", "12"],
    ]


def test_every_group_of_the_taxa_has_a_name_for_readers():
    """Nobody reads tortoise_turtle."""
    assert label("taxon_group", "tortoise_turtle") == "Tortoises and freshwater turtles"


def test_every_view_has_a_name_for_readers():
    """As have all values that code enumerates."""
    from wildgate_service.match.views import VIEWS  # noqa: PLC0415

    assert [view for view in VIEWS if label("view", view) == view] == []


def test_small_shares_and_short_waits_are_not_rounded_away():
    """0.03% is not 0.0%."""
    assert (percent(3, 10_000), percent(0, 10), hours(0.01)) == ("0.03%", "0.0%", "36 seconds")


# --- the command ---------------------------------------------------------------------------------


def run(url, output, *arguments):
    return CliRunner().invoke(command, ["--from", "2026-01-01", "--to", "2026-12-31", "--store", url, "--output", str(output), *arguments])


def test_the_report_carries_a_signed_checkpoint(year_url, tmp_path):
    """With the key that it is checked with."""
    from wildgate_service.checkpoints import is_signed, read_checkpoints  # noqa: PLC0415

    file = run(year_url, tmp_path, "--format", "json").stdout.strip()
    (checkpoint,) = read_checkpoints(tmp_path / file)
    assert (is_signed(checkpoint), checkpoint.position) == (True, 4000)


def test_exact_figures_are_in_a_file_of_another_name(year_url, tmp_path):
    """So that nobody publishes them by mistake."""
    run(year_url, tmp_path, "--format", "csv", "--exact")
    (file,) = tmp_path.iterdir()
    assert (file.name, ",hidden" in file.read_text().replace("median_hours", "")) == (
        "wildgate-report-2026-01-01-2026-12-31-exact.csv",
        True,
    )
