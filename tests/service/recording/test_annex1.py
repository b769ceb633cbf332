"""Annex I: the regulator's sheets from what was recorded, reconciled row by row with SQL of another hand."""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

import msgspec
import pytest
from click.testing import CliRunner
from openpyxl import load_workbook
from wildgate_service.annex1.about import About, AboutError, Family, Kind, load_about
from wildgate_service.annex1.annex import facts_of_store, make_annex
from wildgate_service.annex1.check import check
from wildgate_service.annex1.facts import Facts
from wildgate_service.annex1.mapping import Classification, read_classification
from wildgate_service.annex1.quality import Quality
from wildgate_service.annex1.template import BY_CATEGORY, NAMES, lines, template
from wildgate_service.annex1.write import to_csv_files, to_xlsx
from wildgate_service.cli.report import command
from wildgate_service.outcomes import Ground, Means, Misuse, NoticeSource, OutcomeKind, Restriction
from wildgate_service.policy import default_policy
from wildgate_service.policy.file import Ground as GroundTable
from wildgate_service.report import make_report
from wildgate_service.store import open_store
from wildgate_service.types import Action, Listing, RuleKind, Taxon

from .conftest import MATCH

K = OutcomeKind
START, END = date(2026, 1, 1), date(2026, 12, 31)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCTS, ANIMALS = "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS", "STATEMENT_CATEGORY_ANIMAL_WELFARE"
DEFAULT = GroundTable(
    decision_ground="DECISION_GROUND_ILLEGAL_CONTENT",
    category_parts=PRODUCTS,
    keyword_parts="KEYWORD_PROHIBITED_PRODUCTS",
    category_live=ANIMALS,
    keyword_live="KEYWORD_UNLAWFUL_SALE_ANIMALS",
)
PARROTS = GroundTable(
    decision_ground="DECISION_GROUND_INCOMPATIBLE_CONTENT",
    category_parts=ANIMALS,
    keyword_parts="KEYWORD_UNLAWFUL_SALE_ANIMALS",
    category_live=ANIMALS,
    keyword_live="KEYWORD_UNLAWFUL_SALE_ANIMALS",
)
CORALS = GroundTable(
    decision_ground="DECISION_GROUND_ILLEGAL_CONTENT",
    category_parts=PRODUCTS,
    keyword_parts="KEYWORD_PROHIBITED_PRODUCTS",
    category_live=ANIMALS,
    keyword_live="KEYWORD_UNLAWFUL_SALE_ANIMALS",
    described_parts="Corals",
)
CLASSIFICATION = Classification({"default": DEFAULT, "parrot": PARROTS, "coral": CORALS})
SAID = About(
    provider="Example Marketplace B.V.",
    service="Example",
    kind=Kind.VLOP,
    published=date(2027, 2, 10),
    previous=date(2026, 2, 12),
    records=frozenset(Family),
    can_restrict=frozenset({Restriction.VISIBILITY_REMOVED, Restriction.VISIBILITY_DEMOTED, Restriction.MONETARY_SUSPENSION}),
)


def annex_of(store, about=SAID, *, classification=CLASSIFICATION, quality=()):
    """The sheets of a store by name."""
    facts = Facts(
        store.measures(START, END),
        store.cases(START, END),
        classification=classification,
        about=about,
        start=START,
        end=END,
        quality=quality,
    )
    return {sheet.name: sheet for sheet in make_annex(facts)}


def rows_of(sheet, scope=None):
    """{(category, keyword, description): {heading: cell}} of a sheet by category."""
    found, category = {}, ""
    for row in sheet.rows:
        cells = {heading.strip(): cell for heading, cell in zip(sheet.headings, row, strict=True)}
        if scope is None or cells["Scope"] == scope:
            code = row[3]
            category = category if code.startswith("KEYWORD_") else code
            found[category, code if code != category else "", row[4]] = cells
    return found


def values_of(sheet):
    """{(indicator, scope): value} of a sheet of indicators."""
    indicator, scope, value = (sheet.column(heading) for heading in ("Indicator", "Scope", "Value"))
    return {(row[indicator].strip(), row[scope].strip()): row[value] for row in sheet.rows}


# --- single facts --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def fresh_url(fresh_file_url):
    """The raw tables are counted with SQLite's SQL; that both engines give the same figures is tested beside."""
    return fresh_file_url


@pytest.fixture
def happen(store, samples):
    """Records what happened to one listing, an hour apart."""

    def record(*steps, action=Action.BLOCK, group="elephant", language="en"):
        taxa = (Taxon(group, "X", "I"),) if group else ()
        decided = samples.record(decision=samples.decision(action, taxa=taxa, language=language))
        store.append([decided])
        store.append_outcomes(
            [
                samples.outcome(kind, decision_id=decided.decision_id, hours=number, **(fields[0] if fields else {}))
                for number, (kind, *fields) in enumerate(steps, 1)
            ]
        )

    return record


def test_rows_are_the_official_ones_in_order(store, happen):
    """In every sheet, with those of languages and Member States in place of [...]."""
    happen((K.REMOVED,))
    annex = annex_of(store, classification=Classification({"default": DEFAULT}))
    for name in BY_CATEGORY[1:]:
        assert [row[3] for row in annex[name].rows] == [line.keyword or line.category for line in lines(name)]
    assert [sheet.headings for sheet in annex.values()] == [sheet.headings for sheet in template().values()]


def test_what_wildgate_does_not_know_is_blank_and_what_did_not_happen_is_zero(store, happen):
    """Other categories are unknown; a keyword of the mapping without measures is 0."""
    happen((K.REMOVED,))
    rows = rows_of(annex_of(store)["5_own_initiative_illegal"])
    number = "Number of measures taken at the provider's own initiative"
    assert (
        rows[PRODUCTS, "KEYWORD_PROHIBITED_PRODUCTS", ""][number],
        rows[PRODUCTS, "KEYWORD_UNSAFE_PRODUCTS", ""][number],
        rows[ANIMALS, "KEYWORD_UNLAWFUL_SALE_ANIMALS", ""][number],
        rows["STATEMENT_CATEGORY_VIOLENCE", "", ""][number],
        rows["TOTAL", "", ""][number],
    ) == (1, "", 0, "", 1)


def test_restrictions_that_the_service_never_imposes_are_blank(store, happen):
    """Zero only for those that it could have imposed."""
    happen((K.REMOVED,))
    row = rows_of(annex_of(store)["5_own_initiative_illegal"])["TOTAL", "", ""]
    assert [row[f"Visibility restriction {name}"] for name in ("Removal", "Demoted", "Labelled", "Other")] == [1, 0, "", ""]


@pytest.mark.parametrize("name", ["3_member_states_orders", "4_notices", "6_own_initiative_TC"])
def test_without_any_outcome_nothing_is_claimed(store, name):
    """A platform that reports nothing has not shown that there was nothing."""
    rows = rows_of(annex_of(store, About())[name])
    assert {cell for cells in rows.values() for heading, cell in cells.items() if heading.startswith("Number")} == {""}


def test_a_platform_that_reports_everything_has_zeros(store):
    """It said so."""
    assert (
        values_of(annex_of(store)["7_appeals_and_recidivism"])[
            "Number of complaints submitted to the internal-complaints mechanism", "Total number"
        ]
        == 0
    )


def test_a_group_with_a_description_has_a_row_of_its_own(store, happen):
    """Under the category, which it adds to, and sheet 2 says what is where."""
    happen((K.REMOVED,), group="coral")
    happen((K.REMOVED,))
    annex = annex_of(store)
    rows = rows_of(annex["5_own_initiative_illegal"])
    number = "Number of measures taken at the provider's own initiative"
    told = {row[2]: row[3] for row in annex["2_categories_names"].rows if row[0].startswith("Category 13")}
    assert [rows[key][number] for key in [(PRODUCTS, "", ""), (PRODUCTS, "KEYWORD_OTHER", "Corals")]] == [2, 1]
    assert told["KEYWORD_OTHER"] == "Wildgate counts here: Corals."


def test_a_removal_that_a_moderator_confirms_is_one_measure(store, happen):
    """And another after it was put back is a second one."""
    happen((K.REMOVED, {"means": Means.AUTOMATED}), (K.REMOVED, {"means": Means.MODERATOR}), (K.REINSTATED,), (K.REMOVED,))
    assert [measure.means for measure in store.measures(samples_day(), samples_day())] == [Means.AUTOMATED, Means.UNKNOWN]


def samples_day():
    return date(2026, 3, 10)


def test_a_notice_that_names_several_listings_is_one_notice(store, happen):
    """With so many items; the median runs to the first action."""
    notice = {"notice_source": NoticeSource.TRUSTED_FLAGGER, "reference": "N-1"}
    happen((K.NOTICE_RECEIVED, notice), (K.NOTICE_UPHELD, {"reference": "N-1"}), (K.REMOVED,))
    happen((K.NOTICE_RECEIVED, notice), (K.REMOVED,))
    row = rows_of(annex_of(store)["4_notices"])["TOTAL", "", ""]
    assert [row[heading] for heading in list(row)[5:15]] == [1, 1, 2, 2, 1.0, 1.0, 2, 2, 0, 0]


def test_a_notice_from_elsewhere_is_no_notice_of_the_sheet(store, happen):
    """What follows it is own initiative; that it came is said."""
    happen((K.NOTICE_RECEIVED, {"notice_source": NoticeSource.OTHER}), (K.REMOVED,))
    annex = annex_of(store)
    row = rows_of(annex["4_notices"])["TOTAL", "", ""]
    own = rows_of(annex["5_own_initiative_illegal"])["TOTAL", "", ""]
    assert (row["Number of notices received"], "1 notices" in row["Contextual information on Number of notices received"]) == (0, True)
    assert list(own.values())[5:7] == [1, 0]


def test_orders_have_a_block_for_each_member_state(store, happen):
    """And those from elsewhere are told of, not counted."""
    for country in ("SE", "AT", "US"):
        fields = {"authority": country}
        happen((K.ORDER_RECEIVED, {**fields, "items": 3}), (K.ORDER_CONFIRMED, fields), (K.ORDER_EXECUTED, fields))
    sheet = annex_of(store)["3_member_states_orders"]
    scope = sheet.column("Scope")
    assert list(dict.fromkeys(row[scope] for row in sheet.rows)) == ["TOTAL", "AT", "SE"]
    row = rows_of(sheet, "TOTAL")["TOTAL", "", ""]
    assert list(row.values())[6:13] == [2, 6, 1.0, 2.0, "", "", ""]
    assert "1 orders of authorities outside" in list(row.values())[13]


def test_complaints_are_parted_by_what_they_are_about(store, happen):
    """The law says upheld of the decision, the outcome of the complaint."""
    happen((K.REMOVED,), (K.COMPLAINT_RECEIVED,), (K.COMPLAINT_UPHELD,))
    happen((K.ACCOUNT_SUSPENDED,), (K.COMPLAINT_RECEIVED,), (K.COMPLAINT_REJECTED,))
    happen(
        (K.NOTICE_RECEIVED, {"notice_source": NoticeSource.TRUSTED_FLAGGER}), (K.NOTICE_REJECTED,),
        (K.COMPLAINT_RECEIVED,), (K.COMPLAINT_UPHELD,), (K.REMOVED,), action=Action.ALLOW,
    )  # fmt: skip
    values = values_of(annex_of(store)["7_appeals_and_recidivism"])
    about = "Complaint regarding a decision "
    assert {
        (indicator, scope): value
        for (indicator, scope), value in values.items()
        if value and indicator.startswith(("Complaint", "Number of r"))
    } == {
        (f"{about}to remove or disable access to or restrict visibility of information", "Total number"): 1,
        (f"{about}to remove or disable access to or restrict visibility of information", "Decisions reversed"): 1,
        (f"{about}to remove or disable access to or restrict visibility of information", "Median time"): 1.0,
        (f"{about}to suspend or terminate an account", "Total number"): 1,
        (f"{about}to suspend or terminate an account", "Decisions upheld"): 1,
        (f"{about}to suspend or terminate an account", "Median time"): 1.0,
        (f"{about}not to take action on a notice submitted in accordance with Article 16", "Total number"): 1,
        (f"{about}not to take action on a notice submitted in accordance with Article 16", "Decisions reversed"): 1,
        (f"{about}not to take action on a notice submitted in accordance with Article 16", "Median time"): 1.0,
        (f"{about}not to take action on a notice submitted by a Trusted Flagger in accordance with Article 16", "Total number"): 1,
        (f"{about}not to take action on a notice submitted by a Trusted Flagger in accordance with Article 16", "Decisions reversed"): 1,
        (f"{about}not to take action on a notice submitted by a Trusted Flagger in accordance with Article 16", "Median time"): 1.0,
        ("Number of restrictions newly imposed as a result of an internal complaint", "Total number"): 1,
    }


def test_what_bodies_decided_and_whether_it_was_carried_out(store, happen):
    """A share of those that went against the platform; a dispute that ended without a decision has no time."""
    happen((K.REMOVED,), (K.DISPUTE_RECEIVED,), (K.DISPUTE_UPHELD,), (K.DISPUTE_IMPLEMENTED,))
    happen((K.REMOVED,), (K.DISPUTE_RECEIVED,), (K.DISPUTE_PARTLY_UPHELD,))
    happen((K.REMOVED,), (K.DISPUTE_RECEIVED,), (K.PUBLISHED,), (K.DISPUTE_ENDED,))
    values = values_of(annex_of(store)["7_appeals_and_recidivism"])
    found = {scope: value for (indicator, scope), value in values.items() if indicator.startswith("Number of disputes")}
    assert found == {
        "Total number": 3,
        "Decisions upheld": 0,
        "Decisions partially reversed": 1,
        "Decisions reversed": 1,
        "Median time": 1.0,
        "Decision omitted": 1,
        "Percentage of outcomes implemented": 0.5,
    }


def test_suspensions_for_unfounded_notices_are_no_measures_about_content(store, happen):
    """They stand in sheet 7 alone; those for illegal content in both."""
    happen((K.ACCOUNT_SUSPENDED, {"misuse": Misuse.UNFOUNDED_NOTICES}))
    happen((K.ACCOUNT_SUSPENDED, {"misuse": Misuse.ILLEGAL_CONTENT}))
    annex = annex_of(store)
    values = [
        value for (name, _), value in values_of(annex["7_appeals_and_recidivism"]).items() if name.startswith("Number of suspensions")
    ]
    assert (values, rows_of(annex["5_own_initiative_illegal"])["TOTAL", "", ""]["Account restriction Suspension"]) == ([1, 1, 0], 1)


def test_languages_have_their_own_rows(store, happen):
    """All official ones; a script or region belongs to its language."""
    happen((K.REMOVED, {"means": Means.AUTOMATED}), language="sv")
    happen((K.REMOVED, {"means": Means.MODERATOR}), language="pt-BR")
    values = values_of(annex_of(store)["8_automated_means"])
    solely, by_person = "Number of measures solely taken by automated means", "Number of measures not taken by automated means"
    assert [values[solely, "sv"], values[solely, "pt"], values[by_person, "pt"], values[solely, "bg"]] == [1, 0, 1, 0]


def test_quality_stands_with_its_sample(store, happen):
    """A row for each classifier; what was too little is blank with a word."""
    happen((K.REMOVED,))
    told = {"lower": 0.9, "upper": 0.99, "method": "Judged."}
    quality = [
        Quality(classifier="A", scope="Total number", measure="Precision", value=0.95, size=200, **told),
        Quality(classifier="B", scope="Total number", measure="Precision", value=None, size=7, lower=None, upper=None, method="Judged."),
        Quality(classifier="A", scope="sv", measure="Recall", value=0.5, size=40, **told),
    ]
    rows = [row[4:] for row in annex_of(store, quality=quality)["8_automated_means"].rows]
    assert (
        "Accuracy of the automated means - Precision",
        "Total number",
        0.95,
        "A: n = 200, 95 % interval 0.9000 to 0.9900. Judged.",
    ) in rows
    assert ("Accuracy of the automated means - Precision", "Total number", "", "B: too few to say (7 judged). Judged.") in rows
    assert ("Accuracy of the automated means - Recall", "sv", 0.5, "A: n = 40, 95 % interval 0.9000 to 0.9900. Judged.") in rows


# --- a year, reconciled --------------------------------------------------------------------------

SQL = """
WITH counting AS (
    SELECT * FROM outcomes WHERE kind <> 'withdrawn'
    AND outcome_id NOT IN (SELECT corrects FROM outcomes WHERE corrects <> '')
),
told AS (
    SELECT
        c.*, coalesce(d.decision_id, c.request_id) AS listing, coalesce(f.language, '') AS language,
        coalesce(CASE f.shadow WHEN 1 THEN f.shadow_action ELSE f.action END, c.degraded_action) AS asked,
        CASE coalesce(f.taxon_groups, '[]') WHEN '["parrot"]' THEN 'parrot' WHEN '["coral"]' THEN 'coral' ELSE 'rest' END AS grp
    FROM counting AS c
    LEFT JOIN decisions AS d ON d.decision_id = c.decision_id OR (c.decision_id = '' AND d.request_id = c.request_id)
    LEFT JOIN facets AS f ON f.id = d.facets
),
imposed AS (
    SELECT *, CASE kind WHEN 'removed' THEN '["visibility_removed"]' WHEN 'account_suspended' THEN '["account_suspended"]'
    ELSE restrictions END AS what FROM told WHERE kind IN ('removed', 'restricted', 'account_suspended', 'account_terminated')
),
measures AS (
    SELECT
        m.*,
        CASE m.ground WHEN 'unknown' THEN CASE m.grp WHEN 'parrot' THEN 'terms' ELSE 'illegal' END ELSE m.ground END AS basis,
        EXISTS (SELECT 1 FROM told AS o WHERE o.listing = m.listing AND o.kind = 'order_received' AND o.occurred_time < m.occurred_time)
        AS ordered,
        EXISTS (SELECT 1 FROM told AS n WHERE n.listing = m.listing AND n.kind = 'notice_received' AND n.occurred_time < m.occurred_time)
        AS noticed,
        coalesce((
            SELECT n.notice_source FROM told AS n WHERE n.listing = m.listing AND n.kind = 'notice_received'
            AND n.notice_source IN ('article_16', 'trusted_flagger') AND n.occurred_time < m.occurred_time ORDER BY n.occurred_time LIMIT 1
        ), '') AS formally
    FROM imposed AS m
    WHERE m.misuse NOT IN ('unfounded_notices', 'unfounded_complaints')
    AND NOT EXISTS (
        SELECT 1 FROM imposed AS e WHERE e.listing = m.listing AND e.what = m.what AND e.what <> '[]' AND e.occurred_time < m.occurred_time
        AND NOT EXISTS (
            SELECT 1 FROM told AS x WHERE x.listing = m.listing AND x.kind IN ('reinstated', 'complaint_upheld', 'dispute_upheld')
            AND x.occurred_time > e.occurred_time AND x.occurred_time < m.occurred_time
        )
    )
)
"""
GROUPS_OF_ROW = {
    ("TOTAL", "", ""): ("rest", "parrot", "coral"),
    (PRODUCTS, "", ""): ("rest", "coral"),
    (PRODUCTS, "KEYWORD_PROHIBITED_PRODUCTS", ""): ("rest",),
    (PRODUCTS, "KEYWORD_OTHER", "Corals"): ("coral",),
    (ANIMALS, "", ""): ("parrot",),
    (ANIMALS, "KEYWORD_UNLAWFUL_SALE_ANIMALS", ""): ("parrot",),
}
COLUMNS_5 = {
    "Number of measures taken at the provider's own initiative": "1",
    "Number of measures taken after detection with solely automated means": "asked IN ('review', 'block') AND NOT noticed",
    "Visibility restriction Removal": "what LIKE '%visibility_removed%'",
    "Visibility restriction Demoted": "what LIKE '%visibility_demoted%'",
    "Monetary restriction Suspension": "what LIKE '%monetary_suspension%'",
    "Account restriction Suspension": "what LIKE '%account_suspended%'",
}


class Year:
    """A small year of listings to which all sorts of things happen."""

    def __init__(self, store, samples, *, seed):
        self.store, self.samples, self.chance, self.outcomes = store, samples, random.Random(seed), []  # noqa: S311

    def live(self, listings):
        """Decide on listings and record what follows, late and in no order."""
        records = [self._decide(number) for number in range(listings)]
        self.store.append([record for record in records if record])
        self.chance.shuffle(self.outcomes)
        self.store.append_outcomes(self.outcomes)

    def _decide(self, number):
        at = NEW_YEAR + timedelta(minutes=self.chance.randrange(60 * 24 * 364))
        group = self.chance.choice(["elephant", "parrot", "coral", "pangolin", ""])
        action = self.chance.choice([Action.ALLOW, Action.REVIEW, Action.BLOCK])
        request = self.samples.uuid()
        about = {"request_id": request}
        self._story(at, about, degraded=number % 20 == 0)
        if number % 20 == 0:
            return None
        taxa = (Taxon(group, "X", "I"),) if group else ()
        decision = self.samples.decision(action, taxa=taxa, language=self.chance.choice(["en", "de", "vi", "sv"]))
        return self.samples.record(
            decision=decision, decided_time=at, request_id=request, listing=Listing(id=str(number), title="x", market="DE")
        )

    def _story(self, at, about, *, degraded):
        extra = {"degraded_action": Action.BLOCK, "degraded_reason": "unavailable"} if degraded else {}
        kinds = [self._notice, self._order, self._measure, self._measure, self._complaint, self._suspension, self._dispute, self._nothing]
        for tell in self.chance.sample(kinds, 5):
            for kind, fields in tell():
                at += timedelta(minutes=self.chance.randrange(1, 300))
                outcome = self.samples.outcome(kind, **{**about, **extra, **fields, "occurred_time": at})
                self.outcomes.append(outcome)
                if self.chance.random() < 0.05:
                    self.outcomes.append(self.samples.outcome(K.WITHDRAWN, **about, corrects=outcome.outcome_id, occurred_time=at))

    def _notice(self):
        source = self.chance.choice([NoticeSource.ARTICLE_16, NoticeSource.TRUSTED_FLAGGER, NoticeSource.OTHER])
        reference = self.samples.uuid()
        yield K.NOTICE_RECEIVED, {"notice_source": source, "reference": reference, "items": self.chance.choice([1, 1, 3])}
        end = self.chance.choice([K.NOTICE_UPHELD, K.NOTICE_REJECTED])
        yield end, {"reference": reference, "means": self.chance.choice(list(Means))}

    def _order(self):
        fields = {"authority": self.chance.choice(["AT", "SE", "FR", "US"]), "reference": self.samples.uuid()}
        yield K.ORDER_RECEIVED, {**fields, "items": self.chance.choice([1, 2])}
        yield K.ORDER_CONFIRMED, fields
        yield K.ORDER_EXECUTED, fields

    def _measure(self):
        ground = self.chance.choice(list(Ground))
        fields = {"means": self.chance.choice(list(Means)), "ground": ground}
        if self.chance.random() < 0.3:
            how = self.chance.choice([(), (Restriction.VISIBILITY_DEMOTED,), (Restriction.MONETARY_SUSPENSION,)])
            yield K.RESTRICTED, {**fields, "restrictions": how}
        else:
            yield K.REMOVED, fields

    def _complaint(self):
        reference = self.samples.uuid()
        yield K.COMPLAINT_RECEIVED, {"reference": reference}
        yield self.chance.choice([K.COMPLAINT_UPHELD, K.COMPLAINT_REJECTED, K.COMPLAINT_PARTLY_UPHELD]), {"reference": reference}

    def _dispute(self):
        reference = self.samples.uuid()
        yield K.DISPUTE_RECEIVED, {"reference": reference}
        yield self.chance.choice([K.DISPUTE_UPHELD, K.DISPUTE_REJECTED, K.DISPUTE_ENDED]), {"reference": reference}
        if self.chance.random() < 0.5:
            yield K.DISPUTE_IMPLEMENTED, {"reference": reference}

    def _suspension(self):
        yield K.ACCOUNT_SUSPENDED, {"misuse": self.chance.choice(list(Misuse))}

    def _nothing(self):
        return ()


@pytest.fixture(scope="module")
def year(fresh_url, samples):
    """A store with a year in it, and its URL."""
    url = fresh_url()
    with open_store(url) as store:
        Year(store, samples, seed=7).live(600)
        yield store, url


def ask(store, query, *arguments):
    """An answer of SQL over the raw tables."""
    return store._database.execute(SQL + query, arguments).fetchall()


@pytest.mark.parametrize(("name", "basis"), [("5_own_initiative_illegal", "illegal"), ("6_own_initiative_TC", "terms")])
@pytest.mark.parametrize("column", COLUMNS_5)
def test_own_initiative_is_reconciled(year, name, basis, column):
    """Row by row."""
    store, _ = year
    rows = rows_of(annex_of(store)[name])
    query = f"SELECT grp, sum({COLUMNS_5[column]}) FROM measures WHERE NOT ordered AND formally = '' AND basis = ? GROUP BY grp"  # noqa: S608
    raw = dict(ask(store, query, basis))
    assert {row: rows[row][column] for row in GROUPS_OF_ROW} == {
        row: sum(raw.get(group, 0) for group in groups) for row, groups in GROUPS_OF_ROW.items()
    }


@pytest.mark.parametrize("flagged", [False, True])
def test_notices_are_reconciled(year, flagged):
    """Numbers, items, actions and medians of every row."""
    store, _ = year
    sheet = annex_of(store)["4_notices"]
    sources = ("trusted_flagger",) if flagged else ("trusted_flagger", "article_16")
    marks = ", ".join("?" * len(sources))
    received = ask(
        store,
        f"""SELECT grp, items, (
            SELECT min(m.occurred_time) FROM measures AS m WHERE m.listing = n.listing AND m.occurred_time >= n.occurred_time
        ) - occurred_time FROM told AS n WHERE kind = 'notice_received' AND notice_source IN ({marks})""",  # noqa: S608
        *sources,
    )
    taken = dict(ask(store, f"SELECT grp || basis, count(*) FROM measures WHERE formally IN ({marks}) GROUP BY 1", *sources))  # noqa: S608
    for row, groups in GROUPS_OF_ROW.items():
        of = [each for each in received if each[0] in groups]
        waits = [wait / 3.6e9 for _, _, wait in of if wait is not None]
        expected = [len(of), sum(items for _, items, _ in of), round(median(waits), 2)]
        expected += [sum(taken.get(group + basis, 0) for group in groups) for basis in ("illegal", "terms")]
        assert list(rows_of(sheet)[row].values())[5 + flagged : 15 : 2] == expected


@pytest.mark.parametrize("scope", ["TOTAL", "AT", "SE", "FR"])
def test_orders_are_reconciled(year, scope):
    """By Member State."""
    store, _ = year
    states = ("AT", "SE", "FR") if scope == "TOTAL" else (scope,)
    query = """
        SELECT r.grp, r.items, (c.occurred_time - r.occurred_time) / 3.6e9, (e.occurred_time - r.occurred_time) / 3.6e9
        FROM told AS r LEFT JOIN told AS c ON c.reference = r.reference AND c.kind = 'order_confirmed'
        LEFT JOIN told AS e ON e.reference = r.reference AND e.kind = 'order_executed'
        WHERE r.kind = 'order_received' AND r.authority IN (SELECT value FROM json_each(?))
    """
    raw = ask(store, query, str(list(states)).replace("'", '"'))
    rows = rows_of(annex_of(store)["3_member_states_orders"], scope)
    for row, groups in GROUPS_OF_ROW.items():
        of = [each for each in raw if each[0] in groups]
        medians = [round(median(waits), 2) if (waits := [each[n] for each in of if each[n] is not None]) else "" for n in (2, 3)]
        assert list(rows[row].values())[6:10] == [len(of), sum(each[1] for each in of), *medians]


def test_complaints_and_disputes_are_reconciled(year):
    """Numbers, ends, medians, and what was carried out."""
    store, _ = year
    values = values_of(annex_of(store)["7_appeals_and_recidivism"])
    query = """
        SELECT
            e.kind, (e.occurred_time - r.occurred_time) / 3.6e9, i.kind IS NOT NULL
        FROM told AS r
        LEFT JOIN told AS e ON e.reference = r.reference AND e.kind <> r.kind AND e.kind <> 'dispute_implemented'
        LEFT JOIN told AS i ON i.reference = r.reference AND i.kind = 'dispute_implemented'
        WHERE r.kind = ?
    """
    indicators = {
        "complaint": "Number of complaints submitted to the internal-complaints mechanism",
        "dispute": "Number of disputes submitted to out-of-court dispute settlement bodies",
    }
    for family, indicator in indicators.items():
        raw = ask(store, query, f"{family}_received")
        ends = [end for end, _, _ in raw]
        waits = [wait for end, wait, _ in raw if end and end != "dispute_ended"]
        expected = {
            "Total number": len(raw),
            "Decisions upheld": ends.count(f"{family}_rejected"),
            "Decisions partially reversed": ends.count(f"{family}_partly_upheld"),
            "Decisions reversed": ends.count(f"{family}_upheld"),
            "Median time": round(median(waits), 2),
        }
        assert {scope: values[indicator, scope] for scope in expected} == expected
    lost = [implemented for end, _, implemented in raw if end == "dispute_upheld"]
    assert values[indicators["dispute"], "Percentage of outcomes implemented"] == round(sum(lost) / len(lost), 4)


def test_automated_means_are_reconciled(year):
    """By scope and language."""
    store, _ = year
    values = values_of(annex_of(store)["8_automated_means"])
    solely, by_person = "Number of measures solely taken by automated means", "Number of measures not taken by automated means"
    wheres = {"Total number": "1", "Own-initiative": "NOT ordered AND formally = ''", "de": "language = 'de'", "sv": "language = 'sv'"}
    for scope, where in wheres.items():
        raw = dict(ask(store, f"SELECT means, count(*) FROM measures WHERE {where} GROUP BY means"))  # noqa: S608
        assert (values[solely, scope], values[by_person, scope]) == (raw["automated"], raw["moderator"])
    query = """
        SELECT e.means, count(*) FROM told AS r JOIN told AS e ON e.reference = r.reference
        WHERE e.kind IN ('notice_upheld', 'notice_rejected') AND r.kind = 'notice_received'
        AND r.notice_source IN ('article_16', 'trusted_flagger') GROUP BY 1
    """
    raw = dict(ask(store, query))
    assert [values[f"Number of notices {how} processed by automated means", "NAM Total"] for how in ("solely", "not")] == [
        raw["automated"],
        raw["moderator"],
    ]


def test_suspensions_are_reconciled(year):
    """By what they were for; a repetition while it holds is none."""
    store, _ = year
    values = values_of(annex_of(store)["7_appeals_and_recidivism"])
    found = [value for (name, _), value in values.items() if name.startswith("Number of suspensions")]
    raw = dict(ask(store, "SELECT misuse, count(*) FROM imposed WHERE misuse <> 'none' GROUP BY misuse"))
    assert found == [raw["illegal_content"], raw["unfounded_notices"], raw["unfounded_complaints"]]


# --- files ---------------------------------------------------------------------------------------

ABOUT = """
provider = "Example Marketplace B.V."
service = "Example"
kind = "vlop"
published = 2027-02-10
previous = 2026-02-12
records = ["measures", "orders", "notices", "complaints", "disputes", "suspensions"]
can_restrict = ["visibility_removed", "account_suspended"]

[categories]
KEYWORD_PROHIBITED_PRODUCTS = "See our policy on wildlife."

[texts]
summary = "=HYPERLINK(1)"
information = "Told."
automated_means = "Told."
accuracy = "Told."
purposes = "Told."
safeguards = "Told."

[moderators]
internal = 12
expertise = 20
[moderators.languages]
sv = 3

[recipients]
total = 1000
[recipients.member_states]
GR = 10
"""


@pytest.fixture
def about_file(tmp_path):
    file = tmp_path / "about.toml"
    file.write_text(ABOUT, encoding="utf-8")
    return file


@pytest.fixture
def run(year, about_file, tmp_path):
    """Runs `wildgate report` on the year; where it wrote."""

    def report(form, folder="out", *, days=(START, END)):
        output = tmp_path / folder
        arguments = ["--from", str(days[0]), "--to", str(days[1]), "--format", form, "--output", str(output), "--store", year[1]]
        result = CliRunner().invoke(command, [*arguments, "--about", str(about_file), "--policy", str(default_policy())])
        assert (result.exit_code, result.stderr) == (0, "")
        return output, result.stdout.splitlines()

    return report


def test_the_command_writes_the_eleven_files(run):
    """By the names of the sheets, in RFC 4180."""
    output, printed = run("dsa")
    assert printed == [str(output / f"{name}.csv") for name in NAMES]
    content = (output / "5_own_initiative_illegal.csv").read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") == 91


def test_the_same_store_gives_the_same_bytes(run):
    """In both formats."""
    for form in ("dsa", "xlsx"):
        first, second = run(form, f"{form}1")[0], run(form, f"{form}2")[0]
        assert [file.read_bytes() for file in sorted(first.iterdir())] == [file.read_bytes() for file in sorted(second.iterdir())]


def test_both_formats_have_the_same_cells(run):
    """Numbers as numbers."""
    output, _ = run("dsa")
    folder, _ = run("xlsx", "book")
    book = load_workbook(folder / "wildgate-report-2026-01-01-2026-12-31.xlsx")
    assert tuple(book.sheetnames) == NAMES
    for sheet in book:
        with (output / f"{sheet.title}.csv").open(encoding="utf-8", newline="") as file:
            expected = list(csv.reader(file))
        assert [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)] == expected
    assert isinstance(book["5_own_initiative_illegal"]["F2"].value, int)


def test_texts_are_no_formulas(run):
    """Whatever somebody wrote into the file about the platform."""
    output, _ = run("dsa")
    folder, _ = run("xlsx", "book")
    with (output / "11_qualitative.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1][4] == "'=HYPERLINK(1)"
    cell = load_workbook(next(folder.iterdir()))["11_qualitative"]["E2"]
    assert (cell.value, cell.data_type) == ("'=HYPERLINK(1)", "s")


def test_what_the_platform_said_stands_in_its_sheets(run):
    """And what it did not say is blank."""
    output, _ = run("dsa")
    said = {name: list(csv.reader(io.StringIO((output / f"{name}.csv").read_text(encoding="utf-8")))) for name in NAMES}
    assert [row[3] for row in said["1_report_identification"][1:]] == [
        "Example Marketplace B.V.", "2027-02-10", "2026-02-12", "2026-01-01", "2026-12-31",
    ]  # fmt: skip
    assert [row[6] for row in said["9_human_resources"][1:4]] == ["12", "", "20"]
    assert [(row[5], row[6]) for row in said["10_AMAR"] if row[6]] == [("Scope", "Value"), ("TOTAL", "1000"), ("GR", "10")]


def test_the_reports_own_check_finds_nothing_wrong(run):
    """Only that recall and accuracy were not measured, nor precision where nobody asked a moderator."""
    for form in ("dsa", "xlsx"):
        codes = {finding.code for finding in check(run(form, form)[0])}
        assert codes == {"ANX804"}


def test_no_text_of_a_listing_can_be_in_the_sheets(store, samples):
    """Not of its title, its id, its seller or the words that matched."""
    words = "Hidden Tusk +49 170 1234567 seller@example.com"
    record = samples.record(Action.BLOCK, listing=Listing(id=words[:40], title=words, market="DE", seller_ref=words))
    store.append([record])
    store.append_outcomes(
        [samples.outcome(decision_id=record.decision_id), samples.outcome(K.COMPLAINT_RECEIVED, decision_id=record.decision_id)]
    )
    sheets = list(annex_of(store).values())
    with zipfile.ZipFile(io.BytesIO(to_xlsx(sheets))) as book:
        content = b"".join([*to_csv_files(sheets).values(), *(book.read(name) for name in book.namelist())])
    assert [word for word in ("Tusk", "tusk", "1234567", "seller@", "en-elephant", record.decision_id) if word.encode() in content] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("servise = 1", "servise"),
        ("[moderators.languages]\nBE = 1", "moderators.languages: BE is none of bg"),
        ("[recipients.member_states]\nEL = 1", "recipients.member_states: EL"),
        ('[texts]\nsummary = "' + "x" * 5001 + '"', "5000"),
        ("[moderators]\ninternal = 1.5", "int"),
    ],
)
def test_a_file_about_the_platform_that_is_wrong_is_refused(tmp_path, text, said):
    """With what and where."""
    file = tmp_path / "about.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(AboutError, match=said):
        load_about(file)


def test_living_animals_stand_in_their_own_category(store, samples):
    """By the rules that fired, else by the groups that the policy says are alive."""
    words = {"elephant": "en-elephant-ivory", "parrot": "en-parrot", "tortoise_turtle": "en-tortoise-live"}
    for group, rule in words.items():
        kind = RuleKind.PRODUCT if group == "elephant" else RuleKind.SPECIES
        match = msgspec.structs.replace(MATCH, rule_id=rule, kind=kind, groups=(group,))
        record = samples.record(decision=samples.decision(Action.BLOCK, taxa=(Taxon(group, "X", "I"),), matches=(match,)))
        store.append([record])
        store.append_outcomes([samples.outcome(decision_id=record.decision_id)])
    report = make_report(store.report_facts(START, END), tenant="", start=START, end=END, generated_time=NEW_YEAR)
    facts = facts_of_store(store, report, policy=default_policy(), about=SAID, tenant=None)
    rows = rows_of({sheet.name: sheet for sheet in make_annex(facts)}["5_own_initiative_illegal"])
    number = "Number of measures taken at the provider's own initiative"
    assert [rows[row][number] for row in [(ANIMALS, "KEYWORD_UNLAWFUL_SALE_ANIMALS", ""), (PRODUCTS, "", "")]] == [2, 1]


def test_the_file_in_the_documentation_is_one(tmp_path):
    """As it is shown."""
    page = (Path(__file__).parents[3] / "docs" / "annex1.md").read_text(encoding="utf-8")
    file = tmp_path / "about.toml"
    file.write_text(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0], encoding="utf-8")
    assert load_about(file).recipients.member_states == {"AT": 1_200_000}


def test_the_policy_that_ships_has_rows():
    """Its mapping names a row of every sheet."""
    shipped = read_classification(default_policy(), {})
    assert {place for name in BY_CATEGORY for place in shipped.known(name)} == {
        place for name in BY_CATEGORY for place in Classification({"default": DEFAULT}, lambda *_: False).known(name)
    }
