"""Sizes of requests, checked before work is done on them: a small message may hold millions of empty things."""

from __future__ import annotations

from uuid import uuid4

import grpc
import pytest
from wildgate.v1 import errors_pb2, lexicon_pb2, scoring_pb2, transparency_pb2, types_pb2

INVALID, EXHAUSTED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED
pytestmark = pytest.mark.protocols("grpc", "http")

MANY = 100_000
EMPTIES = [types_pb2.Attribute()] * MANY


def score(**fields):
    return scoring_pb2.ScoreListingRequest(listing=types_pb2.Listing(**fields))


def batch(*listings):
    items = [scoring_pb2.BatchItem(listing=listing) for listing in listings]
    return scoring_pb2.BatchScoreListingsRequest(items=items)


def outcome(**fields):
    kind = transparency_pb2.OUTCOME_KIND_REMOVED
    return transparency_pb2.Outcome(outcome_id=str(uuid4()), request_id=str(uuid4()), kind=kind, **fields)


ONE = {
    "title": (score(title="x" * 1_001), "FIELD_TOO_LONG", {"field": "title", "limit": "1000", "actual": "1001"}),
    "description": (score(description="x" * 20_001), "FIELD_TOO_LONG", {"field": "description", "limit": "20000", "actual": "20001"}),
    "attributes": (score(attributes=EMPTIES[:65]), "TOO_MANY_ITEMS", {"field": "attributes", "limit": "64", "actual": "65"}),
    "seller": (score(title="x", seller_ref="x" * 257), "FIELD_TOO_LONG", {"field": "seller_ref", "limit": "256", "actual": "257"}),
}


@pytest.mark.parametrize(("request_", "reason", "metadata"), ONE.values(), ids=ONE)
def test_listing_over_a_limit_is_refused_with_field_and_numbers(shared, error_of, request_, reason, metadata):
    """Never cut silently."""
    assert error_of(shared.scoring.ScoreListing, request_) == (INVALID, reason, metadata)


@pytest.mark.protocols("grpc")
def test_item_of_a_batch_with_too_many_attributes_fails_alone(shared):
    """Before any of them is read."""
    results = shared.scoring.BatchScoreListings(batch(types_pb2.Listing(attributes=EMPTIES), types_pb2.Listing(title="x"))).results
    assert [result.error.reason for result in results] == [errors_pb2.ERROR_REASON_TOO_MANY_ITEMS, errors_pb2.ERROR_REASON_UNSPECIFIED]


@pytest.mark.protocols("grpc")
def test_batch_of_too_many_is_refused_whole(shared, error_of):
    """However small its items are."""
    error = error_of(shared.scoring.BatchScoreListings, batch(*[types_pb2.Listing()] * MANY))
    assert error == (INVALID, "TOO_MANY_ITEMS", {"field": "items", "limit": "256", "actual": str(MANY)})


@pytest.mark.protocols("grpc")
def test_too_many_outcomes_are_refused_whole(shared, error_of):
    """Likewise."""
    sent = transparency_pb2.RecordOutcomesRequest(outcomes=[transparency_pb2.Outcome()] * MANY)
    error = error_of(shared.transparency.RecordOutcomes, sent)
    assert error == (INVALID, "TOO_MANY_ITEMS", {"field": "outcomes", "limit": "256", "actual": str(MANY)})


@pytest.mark.protocols("grpc")
@pytest.mark.parametrize("field", ["restrictions", "territories"])
def test_outcome_with_too_many_of_a_field_is_refused(shared, field):
    """There are fourteen restrictions, and as many countries as a field may hold."""
    values = {"restrictions": [transparency_pb2.RESTRICTION_VISIBILITY_REMOVED], "territories": ["SE"]}[field] * MANY
    sent = transparency_pb2.RecordOutcomesRequest(outcomes=[outcome(**{field: values})])
    (result,) = shared.transparency.RecordOutcomes(sent).results
    assert (result.error.code, result.error.metadata["field"]) == (INVALID.value[0], field)


def test_rules_over_a_megabyte_are_refused(shared, error_of):
    """Before they are read as YAML."""
    error = error_of(shared.lexicon.ValidateRules, lexicon_pb2.ValidateRulesRequest(yaml="#" * 1_000_001))
    assert error == (INVALID, "FIELD_TOO_LONG", {"field": "yaml", "limit": "1000000", "actual": "1000001"})


@pytest.mark.protocols("grpc")
def test_message_over_the_largest_is_refused_by_grpc(shared):
    """Unread, compressed or not."""
    for compression in (None, grpc.Compression.Gzip):
        with pytest.raises(grpc.RpcError) as caught:
            shared.scoring.ScoreListing(score(title="x" * (5 << 20)), compression=compression)
        assert caught.value.code() is EXHAUSTED
