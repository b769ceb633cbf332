"""Verifying the log, and erasing from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import msgpack
from wildgate_service.errors import RequestReusedError
from wildgate_service.store import open_store
from wildgate_service.types import Action

from .conftest import run_sql


@pytest.fixture
def filled(url, samples):
    """A closed store with three groups; its URL and the receipts."""
    with open_store(url) as store:
        receipts = [result.receipt for size in (3, 1, 4) for result in store.append([samples.record(Action.REVIEW) for _ in range(size)])]
    return url, receipts


def verified(url, published=()):
    with open_store(url, read_only=True) as store:
        return store.verify(published)


def test_an_untouched_store_is_intact(filled):
    """All eight records."""
    url, receipts = filled
    result = verified(url, receipts)
    assert (result.intact, result.records, result.heads) == (True, 8, (receipts[-1],))


def test_a_changed_payload_is_found_at_its_position(filled):
    """Deep in a group."""
    url, _ = filled
    ((packed,),) = run_sql(url, "SELECT payloads FROM payloads WHERE last_position = 8")
    payloads = msgpack.decode(packed)
    payloads[1] = payloads[1].replace(b"review", b"allow!")
    run_sql(url, "UPDATE payloads SET payloads = ? WHERE last_position = 8", msgpack.encode(payloads))
    assert (verified(url).intact, verified(url).position) == (False, 6)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET score = 0 WHERE position = 4",
        "UPDATE decisions SET decided_time = 1 WHERE position = 4",
        "UPDATE decisions SET listing_id = 'x' WHERE position = 4",
        "UPDATE facets SET taxon_groups = '[]'",
        "DELETE FROM decisions WHERE position = 4",
        (
            "INSERT INTO decisions SELECT 'x', tenant, 'x', listing_id, decided_time, action, score,"
            " facets, 9 FROM decisions WHERE position = 4"
        ),
        "DELETE FROM payloads WHERE last_position = 4",
        "DELETE FROM log WHERE last_position = 4",
        "UPDATE log SET chain_hash = commitments WHERE last_position = 4",
    ],
)
def test_tampering_with_what_reports_count_is_found(filled, statement):
    """The table that is counted must say what was committed, no more and no less."""
    url, _ = filled
    run_sql(url, statement)
    assert not verified(url).intact


def test_a_log_cut_off_at_its_end_is_found_by_a_published_checkpoint(filled):
    """Without one it cannot be."""
    url, receipts = filled
    for table in ("log", "payloads"):
        run_sql(url, f"DELETE FROM {table} WHERE last_position = 8")  # noqa: S608
    run_sql(url, "DELETE FROM decisions WHERE position > 4")
    run_sql(url, "UPDATE daily_counts SET decisions = (SELECT count(*) FROM decisions WHERE decisions.facets = daily_counts.facets)")
    run_sql(url, "DELETE FROM found WHERE decision_id NOT IN (SELECT decision_id FROM decisions)")
    assert verified(url).intact
    assert not verified(url, [receipts[-1]]).intact


def test_erasing_leaves_the_chain_provable(filled):
    """Commitments and tombstones are left, and every receipt still holds."""
    url, receipts = filled
    with open_store(url) as store:
        assert store.erase([2, 6]) == 2
    result = verified(url, receipts)
    assert (result.intact, result.erased) == (True, 2)


@pytest.mark.usefixtures("of_files")
def test_what_was_erased_is_in_no_file(url, samples):
    """Not in the database, and not in its write-ahead log."""
    with open_store(url) as store:
        store.append([samples.record(), samples.record(Action.BLOCK), samples.record()])
        store.erase([2])
        path = Path(url.removeprefix("sqlite:///"))
        files = [path, path.with_name(path.name + "-wal")]
        assert [b"Elephant  tusk" in file.read_bytes() for file in files] == [False, False]


def test_erasing_twice_or_what_is_not_there_does_nothing(filled):
    """The count says so."""
    url, _ = filled
    with open_store(url) as store:
        store.erase([2])
        assert store.erase([2, 99, 0]) == 0


def test_the_request_of_an_erased_record_cannot_be_repeated(store, samples):
    """Its answer is gone, and nothing is made up."""
    record = samples.record()
    store.append([record])
    store.erase([1])
    (result,) = store.append([samples.record(request_id=record.request_id)])
    assert isinstance(result, RequestReusedError)
