"""Recording what the platform did."""

from __future__ import annotations

import pytest
from wildgate_service.store import DecisionNotFoundError, OutcomeRecorded


@pytest.fixture
def decided(store, samples):
    """A record that is in the store."""
    record = samples.record()
    store.append([record])
    return record


def test_an_outcome_is_recorded_once(store, samples, decided):
    """The same outcome_id again is a duplicate, also in the same call."""
    outcome = samples.outcome(decision_id=decided.decision_id)
    results = store.append_outcomes([outcome, outcome]) + store.append_outcomes([outcome])
    assert [result.duplicate for result in results] == [False, True, True]


def test_an_unknown_decision_is_an_error_of_its_own(store, samples, decided):
    """The others are recorded."""
    known = samples.outcome(decision_id=decided.decision_id)
    results = store.append_outcomes([samples.outcome(decision_id=samples.uuid()), known])
    assert [type(result) for result in results] == [DecisionNotFoundError, OutcomeRecorded]


def test_another_tenants_decision_is_unknown(store, samples, decided):
    """Tenants see only their own."""
    outcome = samples.outcome(tenant="other", decision_id=decided.decision_id)
    assert isinstance(store.append_outcomes([outcome])[0], DecisionNotFoundError)


def test_an_outcome_may_be_about_a_request_that_never_arrived(store, samples):
    """The client answered itself, and says so."""
    outcome = samples.outcome(request_id=samples.uuid(), degraded_reason="unavailable")
    assert store.append_outcomes([outcome]) == [OutcomeRecorded(outcome.outcome_id, duplicate=False)]
