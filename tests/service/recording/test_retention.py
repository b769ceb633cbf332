"""Finding and erasing what may not be kept, and what stands for late decisions: on both engines."""

from __future__ import annotations

from datetime import timedelta

from wildgate_service.record import seller_hash
from wildgate_service.store import Superseded, Unwanted, parts
from wildgate_service.types import Action, Listing


def test_what_is_found_is_all_that_is_said(store, samples):
    """Tenant, time, action, listing and seller; of groups of three, and none that was erased before."""
    records = [
        samples.record(Action.ALLOW, listing=Listing(id="1", title="a", seller_ref="bob")),
        samples.record(Action.BLOCK, listing=Listing(id="2", title="a", seller_ref="bob")),
        samples.record(Action.BLOCK, listing=Listing(id="1", title="a", seller_ref="eve")),
        samples.record(Action.BLOCK, listing=Listing(id="1", title="a"), tenant="other"),
        samples.record(Action.ALLOW, decided_time=samples.noon - timedelta(days=2)),
    ]
    places = [each.receipt.position for start in (0, 3) for each in store.append(records[start : start + 3])]
    bob = seller_hash("bob", samples.key)
    wanted = {
        Unwanted(): [0, 1, 2, 3, 4],
        Unwanted(tenant="acme"): [0, 1, 2, 4],
        Unwanted(tenant="acme", listing_id="1"): [0, 2],
        Unwanted(action="block"): [1, 2, 3],
        Unwanted(before=samples.noon): [4],
        Unwanted(tenant="acme", seller=bob): [0, 1, 4],
        Unwanted(tenant="acme", seller=bob, action="block"): [1],
    }
    assert {each: [places.index(position) for position in store.find(each)] for each in wanted} == wanted
    store.erase([places[1], places[4]])
    assert store.find(Unwanted()) == [places[0], places[2], places[3]]


def test_erased_parts_leave_a_log_that_holds(store, samples):
    """However many groups and parts there are."""
    receipts = [each.receipt for _ in range(5) for each in store.append([samples.record() for _ in range(7)])]
    found = store.find(Unwanted())
    assert sum(store.erase(part) for part in parts(found[3:30])) == 27
    result = store.verify(receipts)
    assert (result.problem, result.records, result.erased, result.published) == ("", 35, 27, 35)


def test_an_outcome_of_a_superseded_decision_is_about_the_one_that_stands(store, samples):
    """Of its tenant; said twice it is kept once."""
    standing, late = samples.record(), samples.uuid()
    store.append([standing])
    store.keep_superseded([Superseded("acme", late, standing.decision_id)] * 2)
    ours, others = store.append_outcomes([samples.outcome(decision_id=late), samples.outcome(decision_id=late, tenant="other")])
    assert (ours.duplicate, type(others).__name__) == (False, "DecisionNotFoundError")
    (followed,) = store.following("acme")
    assert followed.request_id == standing.request_id


def test_whether_a_store_can_be_written_is_found_out_without_a_trace(store, samples):
    """A probe is no record."""
    store.append([samples.record()])
    before = store.checkpoints()
    store.check_writable()
    assert (store.checkpoints(), store.verify().problem) == (before, "")
