"""Daily counts: kept when decisions are appended, and what reports count by."""

from __future__ import annotations

from datetime import date

import pytest
from wildgate_service.report import make_report
from wildgate_service.simulation import Plan, write_year
from wildgate_service.store import open_store
from wildgate_service.types import Action

from .conftest import NOON, run_sql

START, END = date(2026, 1, 1), date(2026, 12, 31)
RECOUNT = "SELECT tenant, decided_time / 86400000000, facets, count(*) FROM decisions GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
KEPT = "SELECT tenant, day, facets, decisions FROM daily_counts ORDER BY 1, 2, 3"


def test_repeats_and_refused_ones_are_not_counted(store, samples, url):
    """A request that comes again, alone or in a group that is then sorted out, counts once."""
    first, second = samples.record(), samples.record(Action.BLOCK)
    store.append([first])
    store.append([first, second, second])
    assert run_sql(url, KEPT) == run_sql(url, RECOUNT)
    assert sum(row[3] for row in run_sql(url, KEPT)) == 2


def test_verify_finds_counts_that_are_not_so(store, samples, url):
    """Whoever changes a count changes the report."""
    store.append([samples.record()])
    store.close()
    run_sql(url, "UPDATE daily_counts SET decisions = 7")
    with open_store(url) as opened:
        assert "daily_counts" in opened.verify().problem


@pytest.fixture(scope="module")
def year(fresh_url):
    """A simulated year: the URL of its store, its report and its truth."""
    url = fresh_url()
    with open_store(url) as store:
        truth = write_year(store, Plan(decisions=8_000, chunk=1_000, offers=0.05, degraded=0.002))
        facts = store.report_facts(START, END)
    return url, make_report(facts, tenant="", start=START, end=END, generated_time=NOON), truth


DIMENSIONS = ["market", "content_kind", "lexicon_version", "model_version", "policy_version", "language"]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_breakdown_is_that_of_the_raw_decisions(year, dimension):
    """Counted anew from the tables, one decision after the other."""
    url, report, _ = year
    query = f"""
        SELECT f.{dimension}, count(*), count(CASE WHEN d.action = 'allow' THEN 1 END), count(CASE WHEN d.action = 'review' THEN 1 END),
            count(CASE WHEN d.action = 'block' THEN 1 END),
            count(CASE WHEN d.decision_id IN (
                SELECT decision_id FROM outcomes AS o WHERE kind IN ('removed', 'restricted')
                AND NOT EXISTS (SELECT 1 FROM outcomes AS c WHERE c.corrects = o.outcome_id)
            ) THEN 1 END)
        FROM decisions AS d JOIN facets AS f ON f.id = d.facets GROUP BY 1
    """  # noqa: S608
    made = {(c.value, c.decisions, c.allowed, c.reviewed, c.blocked, c.stopped) for c in report.counts if c.dimension == dimension}
    assert made == set(run_sql(url, query))


def test_what_could_be_drawn_and_was_is_that_of_the_raw_decisions(year):
    """Of what the policy allowed."""
    url, report, truth = year
    query = """
        SELECT count(*), count(CASE WHEN sampling_rate > 0 THEN 1 END), sum(sampled)
        FROM decisions AS d JOIN facets AS f ON f.id = d.facets WHERE f.shadow_action = 'allow'
    """
    error = report.measured_error
    assert [(error.allowed, error.covered, error.drawn)] == run_sql(url, query)
    assert error.drawn == sum(truth.sampled & (truth.asked == 0))


def test_the_estimates_of_a_year_hold_its_truth(year):
    """In all: one seeded year, in which they do."""
    _, report, truth = year
    (precision, recall, accuracy) = [each for each in report.measured_error.estimates if each.dimension == "total"]
    assert precision.lower <= truth.precision() <= precision.upper
    assert recall.lower is None or recall.lower <= truth.recall() <= recall.upper
    assert accuracy.lower is None or accuracy.lower <= truth.accuracy() <= accuracy.upper
