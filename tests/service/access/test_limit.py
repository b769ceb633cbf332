"""What a limit grants: plain arithmetic, held against what the words say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wildgate_service.errors import SettingsError
from wildgate_service.limiting.limit import SECOND_NS, Account, Bound, Limit, Over, TenantLimit, charge, check_limit

NEW = Account(0, 0, 0)
TODAY = 20_000.5


def granted(limit, calls):
    """What of (seconds, listings) was granted, in order."""
    account, given_out = NEW, []
    for second, listings in calls:
        charged = charge(account, limit, listings, now=int((second + 1) * SECOND_NS), today=TODAY)
        if isinstance(charged, Account):
            account = charged
            given_out.append((second, listings))
    return given_out


def test_burst_comes_at_once_and_then_the_rate():
    """Five at once of two a second; half a second later there is one more."""
    limit = Limit(per_second=2, burst=5)
    calls = [(0, 1)] * 7 + [(0.5, 1)] * 2
    assert granted(limit, calls) == [(0, 1)] * 5 + [(0.5, 1)]


def test_burst_is_a_second_of_the_rate_if_it_is_not_said():
    """Of a rate below one, a single listing."""
    assert [Limit(per_second=rate).at_once for rate in (0.1, 1, 2.5, 100)] == [1, 1, 3, 100]


def test_refusal_says_when_there_will_be_room():
    """And then there is."""
    limit = Limit(per_second=4, burst=1)
    account = charge(NEW, limit, 1, now=SECOND_NS, today=TODAY)
    over = charge(account, limit, 1, now=SECOND_NS, today=TODAY)
    later = charge(account, limit, 1, now=SECOND_NS + int(over.seconds * SECOND_NS), today=TODAY)
    assert (over, type(later)) == (Over(Bound.RATE, 0.25), Account)


def test_batch_counts_its_listings():
    """Three of three are what one and two are."""
    limit = Limit(per_second=1, burst=3)
    assert (granted(limit, [(0, 3), (0, 1)]), granted(limit, [(0, 1), (0, 2), (0, 1)])) == ([(0, 3)], [(0, 1), (0, 2)])


def test_batch_larger_than_the_burst_is_paid_for_afterwards():
    """It goes as a whole when all is worked off, and then its time must pass."""
    limit = Limit(per_second=10, burst=5)
    assert granted(limit, [(0, 20), (0.5, 1), (1.59, 1), (1.6, 1)]) == [(0, 20), (1.6, 1)]


@pytest.mark.parametrize("rate", [5e-324, 1e-9, 1e12])
def test_slowest_and_fastest_rates_fit_into_an_account(rate):
    """Eight bytes, after a batch as well."""
    account = charge(NEW, Limit(per_second=rate), 256, now=2**55, today=TODAY)
    assert -(2**63) <= account.free < 2**63


def test_quota_ends_and_begins_anew_with_the_day():
    """Whether the last listings came one by one or together."""
    limit = Limit(per_day=10)
    account = charge(NEW, limit, 8, now=0, today=TODAY)
    over = charge(account, limit, 3, now=0, today=TODAY)
    next_day = charge(account, limit, 3, now=0, today=TODAY + 0.5)
    assert (over, next_day.counted) == (Over(Bound.QUOTA, 43_200), 3)


def test_what_is_refused_by_the_rate_is_not_counted_for_the_day():
    """Nothing of a refused call is charged."""
    limit = Limit(per_second=1, burst=1, per_day=2)
    assert granted(limit, [(0, 1), (0, 1), (0, 1), (1, 1), (2, 1)]) == [(0, 1), (1, 1)]


@given(
    rate=st.sampled_from([0.5, 3, 100]),
    burst=st.integers(1, 20),
    calls=st.lists(st.tuples(st.floats(0, 2), st.integers(1, 20)), max_size=60),
)
def test_no_span_of_time_gets_more_than_its_due(rate, burst, calls):
    """Between any two moments: the burst, the rate times the span, and at most what one batch is larger than the burst."""
    moments, now = [], 0.0
    for wait, listings in calls:
        now += wait
        moments.append((now, listings))
    given_out = granted(Limit(per_second=rate, burst=burst), moments)
    for first, (start, _) in enumerate(given_out):
        for last in range(first, len(given_out)):
            end, largest = given_out[last][0], max(each[1] for each in given_out[first : last + 1])
            total = sum(listings for _, listings in given_out[first : last + 1])
            assert total <= max(burst, largest) + rate * (end - start) + 1e-3


def test_operator_overrides_the_settings_field_by_field():
    """None leaves, 0 lifts."""
    default = Limit(per_second=10, burst=20, per_day=30)
    assert TenantLimit(tenant="shop", per_second=0, per_day=7).over(default) == Limit(0, 20, 7)


@pytest.mark.parametrize(
    "limit", [TenantLimit(tenant="shop", per_second=-1), TenantLimit(tenant="Shop"), TenantLimit(tenant="shop", per_day=10**15)]
)
def test_limit_that_cannot_be_is_refused(limit):
    """In words, before it is kept."""
    with pytest.raises(SettingsError):
        check_limit(limit)


def test_not_a_number_is_no_limit_that_can_be():
    """A comparison with it is never true."""
    with pytest.raises(SettingsError, match="per_second is nan"):
        check_limit(TenantLimit(tenant="shop", per_second=float("nan")))
