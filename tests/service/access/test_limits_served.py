"""Limits on a running service: exact over all workers, told in words and numbers, and outliving processes."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
import wildgate
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from wildgate.v1 import lexicon_pb2, scoring_pb2, transparency_pb2

OK, EXHAUSTED = grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED
pytestmark = pytest.mark.protocols("grpc", "http")

NEVER_AGAIN = 0.0001  # listings a second: none comes back while a test runs


def batch_of(offer, size):
    """A batch of one listing so many times."""
    items = [scoring_pb2.BatchItem(correlation_id=str(number), listing=offer.listing) for number in range(size)]
    return scoring_pb2.BatchScoreListingsRequest(items=items)


@pytest.fixture
def codes_over(connect, offer, code_of):
    """Count the codes of so many calls over eight connections at once."""

    def call(service, calls, metadata=()):
        stubs = [connect(service) for _ in range(8)]
        with ThreadPoolExecutor(8) as threads:
            done = [
                threads.submit(code_of, stubs[number % 8].scoring.ScoreListing, offer, metadata=list(metadata)) for number in range(calls)
            ]
        return Counter(each.result() for each in done)

    return call


def test_rate_is_one_for_all_workers(start_small, codes_over):
    """Ten at once are ten, whichever of two workers they reach."""
    service = start_small(workers=2, store="none", limit_per_second=NEVER_AGAIN, limit_burst=10)
    assert codes_over(service, 40) == {OK: 10, EXHAUSTED: 30}


def test_quota_of_the_day_is_one_for_all_workers_and_outlives_them(start_small, codes_over):
    """Exactly so many, though a worker is killed between."""
    service = start_small(workers=2, store="none", limit_per_day=15)
    first = codes_over(service, 10)
    service.kill("worker-0")
    service.wait_for("worker_ready", 2, name="worker-0")
    assert (first, codes_over(service, 20)) == ({OK: 10}, {OK: 5, EXHAUSTED: 15})


def test_quota_of_the_day_outlives_the_service(start_small, codes_over):
    """What was recorded today counts after a restart, from the first call on."""
    before = start_small(limit_per_day=6)
    codes_over(before, 4)
    before.process.terminate()
    before.process.wait(60)
    after = start_small(limit_per_day=6, store=before.store, secrets_file=str(before.folder / "wildgate.secrets"))
    assert codes_over(after, 5) == {OK: 2, EXHAUSTED: 3}


def test_limit_of_one_tenant_holds_within_seconds_and_not_for_others(start_small, admin, connect, offer, code_of, error_of, until):
    """Set and cleared by command, without a restart, in all workers."""
    service = start_small(workers=2)
    desk = admin(service)
    shop, other = desk.key("shop"), desk.key("other")
    desk.limit("shop", per_second=NEVER_AGAIN)
    stubs = [connect(service).scoring.ScoreListing for _ in range(6)]
    until(lambda: code_of(stubs[0], offer, metadata=shop) is EXHAUSTED, "the limit")
    shops = [error_of(each, offer, metadata=shop) for each in stubs]
    others = {code_of(each, offer, metadata=other) for each in stubs}
    assert shops == [(EXHAUSTED, "RATE_LIMITED", {"limit": "0.0001", "burst": "1"})] * 6
    assert others == {OK}
    desk.limit("shop", per_second=0)
    until(lambda: {code_of(each, offer, metadata=shop) for each in stubs} == {OK}, "the end of the limit")


def test_batch_is_charged_for_its_listings_or_not_at_all(start_small, connect, offer, code_of, error_of):
    """Seven of ten leave room for three, not for four."""
    stubs = connect(start_small(store="none", limit_per_day=10)).scoring
    sizes = (7, 4, 3)
    codes = [code_of(stubs.BatchScoreListings, batch_of(offer, size)) for size in sizes]
    (_, reason, metadata) = error_of(stubs.BatchScoreListings, batch_of(offer, 1))
    assert (codes, reason, metadata["limit"]) == ([OK, EXHAUSTED, OK], "QUOTA_EXCEEDED", "10")


@pytest.mark.protocols("grpc")
def test_limited_call_says_when_to_come_again(start_small, connect, offer):
    """To clients that retry by themselves, and to those that read."""
    stub = connect(start_small(store="none", limit_per_second=0.01)).scoring.ScoreListing
    stub(offer)
    with pytest.raises(grpc.RpcError) as caught:
        stub(offer)
    retry = error_details_pb2.RetryInfo()
    assert rpc_status.from_call(caught.value).details[1].Unpack(retry)
    pushback = int(dict(caught.value.trailing_metadata())["grpc-retry-pushback-ms"])
    assert retry.retry_delay.ToMilliseconds() == pushback
    assert 90_000 < pushback <= 100_000


def test_what_is_no_listing_is_not_limited(start_small, connect, offer, code_of):
    """Outcomes of listings that were scored must always come in."""
    stubs = connect(start_small(limit_per_second=NEVER_AGAIN))
    codes = [
        code_of(stubs.scoring.ScoreListing, offer),
        code_of(stubs.scoring.ScoreListing, offer),
        code_of(stubs.transparency.RecordOutcomes, transparency_pb2.RecordOutcomesRequest()),
        code_of(stubs.lexicon.GetLexicon, lexicon_pb2.GetLexiconRequest()),
    ]
    assert codes == [OK, EXHAUSTED, OK, OK]


def test_sdk_degrades_over_the_limit_and_does_not_try_again(start_small):
    """A second attempt would be refused in vain."""
    service = start_small(store="none", limit_per_day=1)
    with wildgate.Client(service.target, insecure=True, on_unavailable="review", timeout=20) as client:
        decisions = [client.score(wildgate.Listing(title="elephant tusk")) for _ in range(2)]
    assert ("limit_exceeded" in decisions[0].degraded_reasons, decisions[1].degraded_reasons) == (False, ("limit_exceeded",))


def test_sdk_raises_over_the_limit_with_the_time_to_wait(start_small):
    """For those who want to know."""
    service = start_small(store="none", limit_per_second=0.01)
    with wildgate.Client(service.target, insecure=True, on_unavailable="raise", timeout=20) as client:
        client.score(wildgate.Listing(title="elephant tusk"))
        with pytest.raises(wildgate.WildgateLimitExceededError) as caught:
            client.score(wildgate.Listing(title="elephant tusk"))
    assert (caught.value.reason, 90 < caught.value.retry_after <= 100) == ("RATE_LIMITED", True)


# --- bad keys ------------------------------------------------------------------------------------


def test_bad_keys_from_one_address_are_limited_over_all_workers(start_small, admin, connect, offer, error_of):
    """Told once in the log, without the key; a good key from there works on."""
    service = start_small(workers=2, bad_keys_per_minute=3)
    good = admin(service).key()
    bad = [("authorization", f"Bearer wg_{'0' * 16}_{'0' * 64}")]
    stubs = [connect(service).scoring.ScoreListing for _ in range(8)]
    reasons = Counter(error_of(each, offer, metadata=bad)[1] for each in stubs)
    answered = [bool(each(offer, metadata=good).decision.decision_id) for each in stubs]
    # A minute may begin between two calls, and lets three more through.
    assert (reasons["API_KEY_INVALID"] in {3, 4, 5, 6}, sum(reasons.values()), answered) == (True, 8, [True] * 8)
    (logged, *_) = service.events("bad_keys_limited")
    assert (logged["address"], logged["limit"], "0" * 64 in service.log) == ("127.0.0.1", 3, False)


# --- what the command does -----------------------------------------------------------------------


def test_limits_are_set_listed_and_cleared_by_command(run_wildgate, tmp_path):
    """A tenant a line, as it was set."""
    store = ("--store", f"sqlite:///{tmp_path}/wildgate.db")
    run_wildgate("limits", "set", "--tenant", "shop", "--per-second", "2.5", "--per-day", "0", *store)
    listed = run_wildgate("limits", "list", *store).stdout
    cleared = run_wildgate("limits", "clear", "shop", *store).returncode
    again = run_wildgate("limits", "clear", "shop", *store)
    assert (listed, cleared, run_wildgate("limits", "list", *store).stdout) == ("shop\t2.5\tsettings\t0\n", 0, "")
    assert (again.returncode, "no limit was set for shop" in again.stderr) == (1, True)


def test_limit_that_cannot_be_is_refused_by_the_command(run_wildgate, tmp_path):
    """One line, nothing kept."""
    done = run_wildgate("limits", "set", "--tenant", "shop", "--per-second", "-1", "--store", f"sqlite:///{tmp_path}/wildgate.db")
    assert (done.returncode, done.stderr) == (2, "wildgate: per_second is -1.0: choose a number from 0 (no limit) to 1,000,000,000,000\n")
