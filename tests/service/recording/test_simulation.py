"""The simulated year that reports are tested with is what it says it is."""

from __future__ import annotations

import pytest
from wildgate_service.outcomes import OutcomeKind, wrong_fields
from wildgate_service.record import make_entry
from wildgate_service.simulation import Plan, simulate, write_year
from wildgate_service.store import open_store
from wildgate_service.types import Action

PLAN = Plan(decisions=6_000, chunk=2_000, offers=0.05, degraded=0.002)


@pytest.fixture(scope="module")
def chunks():
    return list(simulate(PLAN))


def test_the_same_plan_gives_the_same_year(chunks):
    """Byte by byte; another seed another."""
    again = list(simulate(PLAN))
    assert [[make_entry(each) for each in chunk.records] for chunk in chunks] == [
        [make_entry(each) for each in chunk.records] for chunk in again
    ]
    assert [chunk.outcomes for chunk in chunks] == [chunk.outcomes for chunk in again]


def test_a_year_holds_everything_that_reports_speak_of(chunks):
    """Of all kinds that matter at this size, in many languages, with repeats and late reports."""
    outcomes = [each for chunk in chunks for each in chunk.outcomes]
    kinds = {each.kind for each in outcomes}
    assert kinds >= {
        OutcomeKind.REMOVED, OutcomeKind.HELD, OutcomeKind.PUBLISHED, OutcomeKind.RESTRICTED, OutcomeKind.CONFIRMED,
        OutcomeKind.NOTICE_RECEIVED, OutcomeKind.NOTICE_UPHELD, OutcomeKind.COMPLAINT_RECEIVED, OutcomeKind.ACCOUNT_SUSPENDED,
    }  # fmt: skip
    assert len({each.decision.language for chunk in chunks for each in chunk.records}) >= 12
    assert len({each.decision.versions for chunk in chunks for each in chunk.records}) == 4
    assert len({each.outcome_id for each in outcomes}) < len(outcomes)
    assert any(each.corrects for each in outcomes)
    assert any(each.degraded_action for each in outcomes)


def test_what_it_says_can_be_said(chunks):
    """Outcomes whose fields go together, and decisions that were not drawn unless they were allowed."""
    assert [list(wrong_fields(each)) for chunk in chunks for each in chunk.outcomes if list(wrong_fields(each))] == []
    assert {each.decision.action for chunk in chunks for each in chunk.records if each.decision.sampled} == {Action.ALLOW}


def test_the_store_takes_it_and_its_log_holds(url):
    """And the truth is of as many listings."""
    with open_store(url) as store:
        truth = write_year(store, PLAN)
        result = store.verify()
        assert (result.problem, result.records, len(truth.asked)) == ("", PLAN.decisions, PLAN.decisions)


def test_the_truth_tells_shares(url):
    """Those that the plan asks for, within what chance does."""
    with open_store(url) as store:
        truth = write_year(store, PLAN)
    assert truth.recall() == pytest.approx(0.83, abs=0.1)
    assert truth.precision() > 0.9
    assert truth.missed() == sum(truth.missed(language=name) for name in truth.languages)
