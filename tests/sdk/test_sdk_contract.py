"""What both clients promise of any Wildgate service, the fake and the real one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from wildgate import (
    Decision,
    LexiconInfo,
    Listing,
    Outcome,
    OutcomeKind,
    WildgateConflictError,
    WildgateNotFoundError,
    uuid7,
)

DRESS = Listing(id="7", title="Wedding dress, cotton, size 38")


@pytest.fixture
def client(make_client: Any, target: str) -> Any:
    """Return a client of the service."""
    return make_client(target)


def test_a_listing_gets_a_decision_of_its_own(client: Any) -> None:
    """The decision echoes the listing's id, and the service made it."""
    decision = client.score(DRESS)
    assert isinstance(decision, Decision)
    assert (decision.listing_id, decision.answered) == ("7", True)


def test_the_score_is_a_probability(client: Any) -> None:
    """Scores lie between 0 and 1."""
    assert 0.0 <= client.score(DRESS).score <= 1.0


def test_ids_are_uuids(client: Any) -> None:
    """Request and decision have ids that sort by time."""
    decision = client.score(DRESS)
    versions = [UUID(decision.request_id).version, UUID(decision.decision_id).version]
    assert versions == [7, 7]


def test_answers_carry_versions(client: Any) -> None:
    """Each answer says what lexicons, model and policy made it."""
    decision = client.score(DRESS)
    assert all((decision.lexicon_version, decision.model_version, decision.policy_version))


def test_a_repeated_request_gets_the_recorded_answer(client: Any) -> None:
    """The same request_id and listing are decided once."""
    request_id = uuid7()
    first = client.score(DRESS, request_id=request_id)
    assert client.score(DRESS, request_id=request_id).decision_id == first.decision_id


def test_a_request_id_for_another_listing_is_a_conflict(client: Any) -> None:
    """A request_id is never reused."""
    request_id = str(uuid7())
    client.score(DRESS, request_id=request_id)
    with pytest.raises(WildgateConflictError) as caught:
        client.score(Listing(title="something else"), request_id=request_id)
    assert (caught.value.reason, caught.value.request_id) == ("REQUEST_ID_REUSED", request_id)


def test_a_batch_of_600_keeps_its_order(client: Any) -> None:
    """Three requests carry it, and each listing gets its own decision."""
    listings = [Listing(id=str(index), title=f"Lamp {index}") for index in range(600)]
    results = client.score_batch(listings, timeout=60)
    assert [result.unwrap().listing_id for result in results] == [each.id for each in listings]


def test_an_empty_batch_is_empty(client: Any) -> None:
    """Nothing in, nothing out."""
    assert client.score_batch([]) == []


def test_a_broken_listing_fails_alone_in_a_batch(client: Any) -> None:
    """The others are decided."""
    results = client.score_batch([DRESS, Listing(title="x" * 1001), DRESS], timeout=30)
    reasons = [result.error and result.error.reason for result in results]
    assert reasons == [None, "FIELD_TOO_LONG", None]


def test_spans_point_into_the_title_as_sent(client: Any) -> None:
    """Every match's span cuts its surface out of the title, after an astral emoji too."""
    listing = Listing(title="🐘 elephant ivory carving for sale, whatsapp me", market="US")
    decision = client.score(listing, explain="matches")
    title = [match for match in decision.matches if match.field == "title"]
    cut = [listing.title[match.span.start : match.span.end] for match in title]
    assert cut == [match.surface for match in title]
    assert cut


@pytest.mark.parametrize(("unit", "encoding", "width"), [("utf16", "utf-16-le", 2), ("utf8", "utf-8", 1)])
def test_spans_come_in_other_units(make_client: Any, target: str, unit: str, encoding: str, width: int) -> None:
    """Cutting the encoded title by them gives the surface."""
    listing = Listing(title="😀🐘é elephant ivory carving for sale, whatsapp me", market="US")
    decision = make_client(target, span_unit=unit).score(listing, explain="matches")
    title = [match for match in decision.matches if match.field == "title"]
    encoded = listing.title.encode(encoding)
    cut = [encoded[m.span.start * width : m.span.end * width].decode(encoding) for m in title]
    assert cut == [match.surface for match in title]
    assert cut


def test_an_outcome_is_recorded_once(client: Any) -> None:
    """A repeat with the same outcome_id is told to be one."""
    decision, outcome_id = client.score(DRESS), str(uuid7())
    sent = [client.report_outcome(decision, "published", means="automated", outcome_id=outcome_id) for _ in range(2)]
    assert [result.duplicate for result in sent] == [False, True]


def test_an_outcome_of_an_unknown_decision_is_refused(client: Any) -> None:
    """A decision that this tenant never got has no outcomes."""
    outcome = Outcome(applied=OutcomeKind.REMOVED, decision_id=str(uuid7()))
    (result,) = client.report_outcomes([outcome])
    assert isinstance(result.error, WildgateNotFoundError)


def test_a_report_covers_the_days_asked_for(client: Any) -> None:
    """Both days are included."""
    today = datetime.now(UTC).date()
    report = client.transparency_report(today, today.isoformat())
    assert (report.start_date, report.end_date) == (today.isoformat(), today.isoformat())


def test_the_lexicons_say_their_version(client: Any) -> None:
    """Versions and counts by language."""
    info = client.lexicon()
    assert isinstance(info, LexiconInfo)
    assert info.lexicon_version


def test_a_serving_service_is_ready(client: Any) -> None:
    """Waiting ends without an error."""
    client.wait_ready(timeout=20)
