"""Appending decisions: once per request, in one transaction, in the chain."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wildgate_service.errors import RequestReusedError, StoreError
from wildgate_service.store import open_store
from wildgate_service.types import Action, ContentKind, Listing

from .conftest import run_sql


def test_an_appended_decision_is_in_table_decisions_under_its_id(store, url, samples):
    """As soon as append returns, for anybody who opens the file."""
    record = samples.record(Action.BLOCK)
    store.append([record])
    query = "SELECT tenant, request_id, action FROM decisions WHERE decision_id = ?"
    assert run_sql(url, query, record.decision_id) == [("acme", record.request_id, "block")]


def test_positions_count_from_one(store, samples):
    """Across groups."""
    first = store.append([samples.record(), samples.record()])
    second = store.append([samples.record()])
    assert [each.receipt.position for each in (*first, *second)] == [1, 2, 3]


def test_a_repeat_gets_the_recorded_answer(store, samples):
    """The earlier record and its receipt, not what was decided the second time."""
    first = samples.record(Action.BLOCK)
    (recorded,) = store.append([first])
    store.append([samples.record() for _ in range(5)])
    (repeat,) = store.append([samples.record(Action.ALLOW, request_id=first.request_id)])
    assert (repeat.record, repeat.receipt, repeat.repeated) == (first, recorded.receipt, True)


def test_a_repeat_in_the_same_group_gets_the_first_answer(store, samples):
    """Two attempts can arrive together."""
    first = samples.record(Action.BLOCK)
    one, two = store.append([first, samples.record(request_id=first.request_id)])
    assert (two.record, two.receipt, one.repeated, two.repeated) == (
        first,
        one.receipt,
        False,
        True,
    )


def test_a_request_id_used_for_another_text_is_refused_alone(store, samples):
    """The others of its group are recorded."""
    first = samples.record()
    store.append([first])
    other = samples.record(request_id=first.request_id, listing=Listing(title="something else"))
    results = store.append([samples.record(), other, samples.record()])
    assert [type(result).__name__ for result in results] == [
        "Recorded",
        "RequestReusedError",
        "Recorded",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "43"},
        {"content_kind": ContentKind.CARGO_BOOKING},
        {"market": "US"},
        {"category": "toys"},
        {"language": "th"},
        {"seller_ref": "eve"},
    ],
)
def test_a_request_id_used_for_the_same_text_of_another_listing_is_refused(store, samples, changed):
    """The same words by another seller or in another market may get another decision."""
    listing = Listing(id="42", title="Old elephant  tusk", market="SG", seller_ref="bob")
    store.append([samples.record(request_id="r-1", listing=listing)])
    other = msgspec.structs.replace(listing, **changed)
    (error,) = store.append([samples.record(request_id="r-1", listing=other)])
    assert isinstance(error, RequestReusedError)


def test_a_repeat_of_a_record_of_an_older_version_is_known_by_its_text(store, samples):
    """Such a record has no fingerprint of its request."""
    first = msgspec.structs.replace(samples.record(request_id="r-1"), request_fingerprint="")
    store.append([first])
    (repeat,) = store.append([samples.record(request_id="r-1")])
    assert (repeat.record, repeat.repeated) == (first, True)


def test_two_tenants_may_use_the_same_request_id(store, samples):
    """A tenant's ids are its own."""
    one, two = (samples.record(tenant=name, request_id="1") for name in ("a", "b"))
    assert [result.repeated for result in store.append([one, two])] == [False, False]


def test_a_decision_id_that_is_taken_is_refused_alone(store, samples):
    """It would overwrite another decision."""
    first = samples.record()
    store.append([first])
    taken, fine = store.append([samples.record(decision_id=first.decision_id), samples.record()])
    assert (type(taken), fine.receipt.position) == (StoreError, 2)


def test_an_empty_group_changes_nothing(store):
    """And is no error."""
    assert (store.append([]), store.checkpoints()) == ([], ())


def test_the_checkpoint_is_the_last_receipt(store, samples):
    """Publishing it pins all before."""
    results = store.append([samples.record() for _ in range(20)])
    assert store.checkpoints() == (results[-1].receipt,)


def test_the_log_goes_on_after_reopening(url, samples):
    """Same log, next position."""
    with open_store(url) as store:
        (first,) = store.append([samples.record()])
    with open_store(url) as store:
        (second,) = store.append([samples.record()])
        assert (second.receipt.log_id, second.receipt.position) == (first.receipt.log_id, 2)
        assert store.verify().intact


def test_every_receipt_is_found_in_the_log(store, samples):
    """Also those in the middle of a group."""
    results = [
        *store.append([samples.record() for _ in range(9)]),
        *store.append([samples.record()]),
    ]
    assert store.verify([result.receipt for result in results]).intact


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_interleaving_of_repeats_keeps_one_record_per_request(data, fresh_url, samples):
    """Whatever the groups: one row per (tenant, request_id), all answers alike, and a chain that holds."""
    calls = data.draw(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("123456")), max_size=30))
    url = fresh_url()
    answers = {}
    with open_store(url) as store:
        while calls:
            size = data.draw(st.integers(1, len(calls)))
            group, calls = calls[:size], calls[size:]
            records = [samples.record(tenant=t, request_id=r) for t, r in group]
            for key, result in zip(group, store.append(records), strict=True):
                answers.setdefault(key, set()).add((result.record.decision_id, result.receipt))
        assert store.verify().records == len(answers)
    assert all(len(each) == 1 for each in answers.values())
    assert run_sql(url, "SELECT count(*) FROM decisions") == [(len(answers),)]


def test_a_reused_request_says_what_to_do(store, samples):
    """The message names the id and the remedy."""
    store.append([samples.record(request_id="r-1")])
    (error,) = store.append([samples.record(request_id="r-1", listing=Listing(title="other"))])
    assert str(error) == ("request_id r-1 came before with another listing: make one per listing and keep it on every attempt")
    assert isinstance(error, RequestReusedError)


@pytest.mark.parametrize("durability", ["process", "disk"])
def test_both_durabilities_record(url, samples, durability):
    """They differ in fsync alone."""
    with open_store(url, durability=durability) as store:
        assert store.append([samples.record()])[0].receipt.position == 1
