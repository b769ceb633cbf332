"""Measures and cases, read from what happened in order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from wildgate_service.outcomes import Means, NoticeSource, OutcomeKind, Restriction
from wildgate_service.store import open_store
from wildgate_service.types import Action

from .conftest import NOON

DAY = NOON.date()
K = OutcomeKind


@pytest.fixture
def store(url):
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def happen(store, samples):
    """Records what happened to one listing, an hour apart; returns its measures and cases."""

    def record(*steps, action=Action.BLOCK):
        decided = samples.record(action)
        store.append([decided])
        outcomes = [
            samples.outcome(kind, decision_id=decided.decision_id, hours=number + 1, **fields)
            for number, (kind, fields) in enumerate((*step, {})[:2] for step in steps)
        ]
        store.append_outcomes(outcomes)
        return store.measures(DAY, DAY), store.cases(DAY, DAY)

    return record


def test_a_measure_on_own_initiative(happen):
    """Software asked for it, nobody else did."""
    ([measure], cases) = happen((K.REMOVED, {"means": Means.AUTOMATED}))
    assert (measure.restrictions, measure.source, measure.found_by_software, cases) == (
        (Restriction.VISIBILITY_REMOVED,),
        NoticeSource.NONE,
        True,
        [],
    )


def test_a_measure_after_a_notice_is_not_of_own_initiative(happen):
    """The first notice is its source, even if the service had asked for a look as well."""
    notice = (K.NOTICE_RECEIVED, {"notice_source": NoticeSource.TRUSTED_FLAGGER})
    ([measure], [case]) = happen(notice, (K.NOTICE_UPHELD,), (K.REMOVED, {"means": Means.MODERATOR}))
    assert (measure.source, measure.found_by_software) == (NoticeSource.TRUSTED_FLAGGER, False)
    assert (case.family, case.ended, case.ended_time - case.received_time) == ("notice", K.NOTICE_UPHELD, timedelta(hours=1))


def test_a_notice_after_the_measure_changes_nothing(happen):
    """What comes later was not its cause."""
    ([measure], _) = happen((K.REMOVED,), (K.NOTICE_RECEIVED, {"notice_source": NoticeSource.ARTICLE_16}))
    assert (measure.source, measure.found_by_software) == (NoticeSource.NONE, True)


def test_what_the_service_allowed_was_not_found_by_it(happen):
    """A moderator found it."""
    ([measure], _) = happen((K.REMOVED,), action=Action.ALLOW)
    assert not measure.found_by_software


def test_a_restriction_that_says_how(happen):
    """Several at once are one measure."""
    how = (Restriction.VISIBILITY_DEMOTED, Restriction.MONETARY_SUSPENSION)
    ([measure], _) = happen((K.RESTRICTED, {"restrictions": how}))
    assert measure.restrictions == how


def test_an_order_with_its_steps(happen):
    """Confirmed and executed are told apart."""
    fields = {"authority": "SE", "reference": "A-7"}
    ([measure], [case]) = happen(
        (K.ORDER_RECEIVED, {**fields, "items": 3}), (K.ORDER_CONFIRMED, fields), (K.REMOVED,), (K.ORDER_EXECUTED, fields)
    )
    assert measure.ordered
    assert (case.authority, case.items, case.confirmed_time - case.received_time, case.ended) == (
        "SE",
        3,
        timedelta(hours=1),
        K.ORDER_EXECUTED,
    )


def test_a_complaint_is_about_the_measure_before_it(happen):
    """And a second one of the same listing is a case of its own."""
    _, (first, second) = happen((K.REMOVED,), (K.COMPLAINT_RECEIVED,), (K.COMPLAINT_REJECTED,), (K.COMPLAINT_RECEIVED,))
    assert (first.about, first.ended, second.ended) == ((Restriction.VISIBILITY_REMOVED,), K.COMPLAINT_REJECTED, None)


def test_cases_are_told_apart_by_reference(happen):
    """Their steps may be mixed."""
    steps = [(kind, {"reference": name}) for kind in (K.COMPLAINT_RECEIVED, K.COMPLAINT_UPHELD) for name in ("a", "b")]
    _, found = happen(*steps)
    assert [(case.reference, case.ended) for case in found] == [("a", K.COMPLAINT_UPHELD), ("b", K.COMPLAINT_UPHELD)]


def test_a_complaint_about_a_notice_that_was_not_acted_on(happen):
    """There is no measure that it could be about."""
    notice = (K.NOTICE_RECEIVED, {"notice_source": NoticeSource.ARTICLE_16})
    _, found = happen(notice, (K.NOTICE_REJECTED,), (K.COMPLAINT_RECEIVED,), action=Action.ALLOW)
    complaint = next(case for case in found if case.family == "complaint")
    assert (complaint.about, complaint.source) == ((), NoticeSource.ARTICLE_16)


def test_a_dispute_that_was_carried_out(happen):
    """Its end is what the body said."""
    _, [case] = happen((K.REMOVED,), (K.DISPUTE_RECEIVED,), (K.DISPUTE_UPHELD,), (K.DISPUTE_IMPLEMENTED,))
    assert (case.ended, case.implemented) == (K.DISPUTE_UPHELD, True)


def test_what_was_before_the_period_is_still_a_cause(store, samples):
    """A notice of the day before is the source of a measure of today."""
    decided = samples.record(Action.ALLOW)
    store.append([decided])
    notice = samples.outcome(K.NOTICE_RECEIVED, decision_id=decided.decision_id, notice_source=NoticeSource.ARTICLE_16, hours=-20)
    store.append_outcomes([notice, samples.outcome(K.REMOVED, decision_id=decided.decision_id)])
    [measure] = store.measures(DAY, DAY)
    assert measure.source is NoticeSource.ARTICLE_16
    assert store.cases(DAY, DAY) == []


def test_a_degraded_answer_has_a_measure_without_a_decision(store, samples):
    """The client's own answer counts as what was asked for."""
    store.append_outcomes(
        [samples.outcome(K.REMOVED, request_id=samples.uuid(), degraded_action=Action.BLOCK, degraded_reason="unavailable")]
    )
    [measure] = store.measures(DAY, DAY)
    assert (measure.subject.decision_id, measure.subject.asked, measure.subject.decided_time) == ("", Action.BLOCK, None)
