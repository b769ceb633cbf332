"""Outcomes and reports of a real service: what the platform did comes back as numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc
import pytest
from wildgate.v1 import errors_pb2, scoring_pb2, transparency_pb2, types_pb2

pytestmark = pytest.mark.protocols("grpc", "http")

OFFER = types_pb2.Listing(listing_id="42", title="elephant tusk")
DRESS = types_pb2.Listing(listing_id="43", title="ivory dress")


def score(stubs, listing=OFFER):
    return stubs.scoring.ScoreListing(scoring_pb2.ScoreListingRequest(listing=listing)).decision


def outcome(**fields):
    kind = fields.pop("kind", transparency_pb2.OUTCOME_KIND_REMOVED)
    return transparency_pb2.Outcome(outcome_id=fields.pop("outcome_id", str(uuid4())), kind=kind, **fields)


def record(stubs, *outcomes):
    wanted = transparency_pb2.RecordOutcomesRequest(outcomes=outcomes)
    return stubs.transparency.RecordOutcomes(wanted).results


def test_outcome_sent_twice_is_recorded_once(shared):
    """The second is a duplicate, and no error."""
    sent = outcome(decision_id=score(shared).decision_id)
    duplicates = [record(shared, sent)[0].duplicate for _ in range(2)]
    assert duplicates == [False, True]


def test_outcome_of_an_unknown_decision_has_its_own_error(shared):
    """The others of the call are recorded."""
    known = outcome(decision_id=score(shared).decision_id)
    results = record(shared, outcome(decision_id=str(uuid4())), known)
    reasons = [result.error.reason for result in results]
    assert reasons == [errors_pb2.ERROR_REASON_DECISION_NOT_FOUND, errors_pb2.ERROR_REASON_UNSPECIFIED]


def test_outcome_of_a_degraded_answer_needs_no_decision(shared):
    """The client answered itself: only the request is known."""
    sent = outcome(
        request_id=str(uuid4()),
        degraded_action=types_pb2.ACTION_REVIEW,
        degraded_reason="deadline_exceeded",
    )
    assert not record(shared, sent)[0].HasField("error")


def test_a_correction_counts_in_place_of_what_it_corrects(shared):
    """With what was restricted and why, over the wire."""
    decided = score(shared).decision_id
    restrictions = [transparency_pb2.RESTRICTION_VISIBILITY_DEMOTED]
    first = outcome(decision_id=decided, restrictions=restrictions, ground=transparency_pb2.GROUND_TERMS)
    second = outcome(decision_id=decided, kind=transparency_pb2.OUTCOME_KIND_ACCOUNT_TERMINATED, corrects=first.outcome_id)
    assert not any(result.HasField("error") for result in record(shared, second, first))


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"request_id": str(uuid4()), "items": 2_000_000}, "items"),
        ({"request_id": str(uuid4()), "restrictions": [99]}, "restrictions"),
        ({"request_id": str(uuid4()), "authority": "SE"}, "authority"),
        ({"request_id": str(uuid4()), "corrects": "7"}, "corrects"),
        ({"request_id": str(uuid4()), "reference": "Jane Doe"}, "reference"),
        ({"request_id": str(uuid4()), "territories": ["Sweden"]}, "territories"),
        ({"outcome_id": ""}, "outcome_id"),
        ({"outcome_id": "7"}, "outcome_id"),
        ({"request_id": "7"}, "request_id"),
        ({"kind": 0}, "kind"),
        ({"kind": 99}, "kind"),
        ({"means": 99}, "means"),
        ({"notice_source": 99}, "notice_source"),
        ({"degraded_action": 99}, "degraded_action"),
        ({"degraded_reason": "tired"}, "degraded_reason"),
    ],
)
def test_broken_outcome_names_its_field(shared, broken, field):
    """What a report counts by cannot be anything."""
    (result,) = record(shared, outcome(**({"request_id": str(uuid4())} | broken)))
    assert dict(result.error.metadata) == {"field": field}


def test_outcome_without_subject_is_refused(shared):
    """It must be about a decision or a request."""
    assert record(shared, outcome())[0].error.reason == errors_pb2.ERROR_REASON_FIELD_MISSING


def report(stubs, start, end):
    wanted = transparency_pb2.GetTransparencyReportRequest(start_date=start, end_date=end)
    return stubs.transparency.GetTransparencyReport(wanted).report


def test_report_counts_decisions_and_outcomes(start_small, connect):
    """One stopped, one allowed, one removal."""
    stubs = connect(start_small())
    score(stubs, DRESS)
    record(stubs, outcome(decision_id=score(stubs).decision_id))
    today = datetime.now(UTC).date()
    made = report(stubs, str(today - timedelta(days=1)), str(today + timedelta(days=1)))
    total = made.total
    counted = (total.decisions, total.allowed, total.reviewed + total.blocked, total.stopped)
    assert (counted, dict(made.outcomes)) == ((2, 1, 1, 1), {"removed": 1})


def test_report_of_days_without_decisions_is_empty(shared):
    """No median, no error."""
    made = report(shared, "2020-01-01", "2020-01-02")
    assert (made.total.decisions, made.median_hours_to_act) == (0, -1.0)


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [("", "2026-01-01", "start_date"), ("2026-01-02", "2026-01-01", "end_date"), ("x", "2026-01-01", "start_date")],
)
def test_days_that_cannot_be_are_refused(shared, error_of, start, end, field):
    """The field is named."""
    wanted = transparency_pb2.GetTransparencyReportRequest(start_date=start, end_date=end)
    code, _, metadata = error_of(shared.transparency.GetTransparencyReport, wanted)
    assert (code, metadata) == (grpc.StatusCode.INVALID_ARGUMENT, {"field": field})


def test_store_none_has_no_outcomes_and_no_report(start_small, connect, error_of):
    """Both need a store."""
    stubs = connect(start_small(store="none"))
    outcomes = transparency_pb2.RecordOutcomesRequest(outcomes=[outcome(request_id=str(uuid4()))])
    days = transparency_pb2.GetTransparencyReportRequest(start_date="2026-01-01", end_date="2026-01-01")
    reasons = [
        error_of(stubs.transparency.RecordOutcomes, outcomes)[1],
        error_of(stubs.transparency.GetTransparencyReport, days)[1],
    ]
    assert reasons == ["STORE_UNAVAILABLE"] * 2


def statements(stubs, **fields):
    wanted = transparency_pb2.ExportStatementsOfReasonsRequest(**fields)
    return stubs.transparency.ExportStatementsOfReasons(wanted)


def test_every_measure_of_a_day_has_a_statement_or_a_reason(shared):
    """In pages that together are the whole, each with one of the three."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    sent = [outcome(decision_id=score(shared).decision_id, means=transparency_pb2.MEANS_AUTOMATED) for _ in range(3)]
    for each in sent:
        each.occurred_time.FromDatetime(yesterday)
    record(shared, *sent)
    day, pages, token = yesterday.date().isoformat(), [], ""
    while not pages or token:
        page = statements(shared, date=day, page_size=2, page_token=token)
        pages, token = [*pages, list(page.statements)], page.next_page_token
    found = [each for page in pages for each in page]
    assert found == list(statements(shared, date=day).statements)
    assert {each.outcome_id for each in sent} <= {each.outcome_id for each in found}
    assert {(bool(each.json) + bool(each.incomplete) + bool(each.left_out)) for each in found} == {1}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"date": "2026-13-01"}, "FIELD_INVALID"),
        ({}, "FIELD_MISSING"),
        ({"date": datetime.now(UTC).date().isoformat()}, "FIELD_INVALID"),
        ({"date": "2026-01-01", "page_token": "next"}, "FIELD_INVALID"),
        ({"date": "2026-01-01", "page_size": 1_001}, "TOO_MANY_ITEMS"),
    ],
    ids=["no day", "nothing", "not over", "another's token", "too large a page"],
)
def test_statements_of_no_day_that_is_over_are_refused(shared, error_of, fields, reason):
    """What comes in until midnight may change them."""
    wanted = transparency_pb2.ExportStatementsOfReasonsRequest(**fields)
    assert error_of(shared.transparency.ExportStatementsOfReasons, wanted)[1] == reason
