"""Counts that several processes share: exact, and outliving any of them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from wildgate_service.control import Limits
from wildgate_service.limiting.accounts import Accounts
from wildgate_service.limiting.attempts import Attempts, address_of
from wildgate_service.limiting.desk import Desk
from wildgate_service.limiting.limit import DAY_SECONDS, Account, Limit, Placed, TenantLimit
from wildgate_service.limiting.limiter import Limiter
from wildgate_service.settings import Settings

DAY = 20_000
NOON = (DAY + 0.5) * DAY_SECONDS

FORKS = """
import os
from wildgate_service.limiting.accounts import Accounts
from wildgate_service.limiting.limit import Limit
accounts = Accounts()
children = []
for _ in range(4):
    child = os.fork()
    if not child:
        for _ in range(3_000):
            accounts.charge(7, Limit(per_day=10_000), 1, now=0, today=20_000)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
print(accounts.read(7).counted)
"""

KILLED = """
import os, signal
from wildgate_service.limiting.shared import Shared
shared = Shared(100)
ready, tell = os.pipe()
child = os.fork()
if not child:
    shared.lock(3)
    os.write(tell, b"x")
    signal.pause()
os.read(ready, 1)
os.kill(child, signal.SIGKILL)
shared.lock(3)
print("free")
"""


def run(script):
    """In a process without threads, which may fork."""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_processes_that_count_together_lose_nothing():
    """Four that charge 12,000 to a quota of 10,000: exactly that many are granted."""
    assert run(FORKS) == "10000"


def test_lock_ends_with_the_process_that_holds_it():
    """However it ends: a worker that is killed blocks nobody."""
    assert run(KILLED) == "free"


def test_store_raises_a_days_count_and_never_lowers_it():
    """It lags behind what was counted here, and knows what was counted elsewhere."""
    accounts, limit = Accounts(), Limit(per_day=100)
    accounts.charge(0, limit, 10, now=0, today=DAY)
    seen = []
    for counted in (4, 30, 12):
        accounts.raise_to(0, DAY, counted)
        seen.append(accounts.read(0).counted)
    accounts.raise_to(0, DAY - 1, 99)
    assert ([*seen, accounts.read(0).counted], accounts.read(0).day) == ([10, 30, 30, 30], DAY)


def test_refusals_say_the_limit_and_when_to_come_again():
    """For machines; the sentence says it to people."""
    placed = {"fast": Placed(0, Limit(per_second=0.5)), "big": Placed(1, Limit(per_day=1))}
    limiter = Limiter(Accounts(), placed, clock=lambda: 10**12, wall=lambda: NOON)
    first = [limiter.refusal(tenant, 1) for tenant in ("fast", "big", "free")]
    fast, big = (limiter.refusal(tenant, 1) for tenant in ("fast", "big"))
    assert first == [None, None, None]
    assert (fast.reason, dict(fast.metadata), fast.pushback_ms) == ("RATE_LIMITED", {"limit": "0.5", "burst": "1"}, 2_000)
    assert (big.reason, dict(big.metadata), big.pushback_ms) == (
        "QUOTA_EXCEEDED",
        {"limit": "1", "resets": "2024-10-05T00:00:00Z"},
        43_200_000,
    )


def test_asking_for_room_charges_nothing():
    """As for a batch whose items are not counted yet."""
    limiter = Limiter(Accounts(), {"shop": Placed(0, Limit(per_second=1))}, clock=lambda: 10**12)
    answers = [limiter.refusal("shop", listings) is None for listings in (0, 0, 1, 0, 1)]
    assert answers == [True, True, True, False, False]


# --- what the supervisor knows -------------------------------------------------------------------


class Store:
    """Limits and counts that a test says."""

    def __init__(self, limits=(), counted=()):
        self.limits, self.counted = limits, dict(counted)

    def list_limits(self):
        """As a store does."""
        return self.limits

    def counted_on(self, day, tenants):
        """As a store does."""
        assert day > DAY
        return {tenant: self.counted[tenant] for tenant in tenants if tenant in self.counted}


def test_tenants_have_the_limit_of_the_settings_or_their_own():
    """A tenant whose limits were lifted has none, and so no account."""
    desk = Desk(Settings(limit_per_second=5))
    store = Store([TenantLimit(tenant="big", per_second=50), TenantLimit(tenant="free", per_second=0)])
    limits = desk.read(store, ["shop", "big", "free"])
    assert {tenant: each.limit.per_second for tenant, each in limits.placed.items()} == {"default": 5, "shop": 5, "big": 50}


def test_places_stay_when_limits_change():
    """What was counted stays counted."""
    desk = Desk(Settings(limit_per_day=5))
    before = desk.read(Store(), ["a", "b"]).placed
    after = desk.read(Store([TenantLimit(tenant="b", per_day=9)]), ["c", "b", "a"]).placed
    places = {tenant: each.place for tenant, each in after.items()}
    assert {tenant: places[tenant] for tenant in before} == {tenant: each.place for tenant, each in before.items()}
    assert len(set(places.values())) == len(places)


def test_day_begins_with_what_the_store_has_counted():
    """Before this start, or by other replicas."""
    desk = Desk(Settings(limit_per_day=5))
    placed = desk.read(Store(counted={"shop": 4}), ["shop", "other"]).placed
    limiter = Limiter(desk.accounts, placed)
    granted = {tenant: sum(limiter.refusal(tenant, 1) is None for _ in range(6)) for tenant in ("shop", "other")}
    assert granted == {"shop": 1, "other": 5}


def test_without_a_limit_there_is_nothing_to_tell_workers():
    """And nothing for them to do."""
    assert Desk(Settings()).read(Store(), ["shop"]) == Limits()


# --- bad keys ------------------------------------------------------------------------------------


def test_address_is_over_after_so_many_bad_keys_in_a_minute():
    """From whatever port; the next minute begins anew, and other addresses are others."""
    now = [NOON]
    attempts = Attempts(2, wall=lambda: now[0])
    first = [attempts.over(f"ipv4:192.0.2.1:{port}") for port in range(4)]
    other = attempts.over("ipv4:192.0.2.2:1")
    now[0] += 60
    assert (first, other, attempts.over("ipv4:192.0.2.1:9")) == ([False, False, True, True], False, False)


def test_bad_keys_are_counted_for_the_log():
    """All, and those over the limit."""
    attempts = Attempts(2, wall=lambda: NOON)
    for _ in range(5):
        attempts.over("ipv4:192.0.2.1:1")
    assert attempts.totals() == (5, 3)


def test_bad_keys_are_told_once_a_minute_if_there_were_any(capsys):
    """By the supervisor, for all workers, in numbers alone."""
    desk = Desk(Settings(bad_keys_per_minute=1))
    told = []
    for bad in (0, 3, 0):
        for _ in range(bad):
            desk.attempts.over("ipv4:192.0.2.1:1")
        capsys.readouterr()
        desk._told_due = 0.0  # a minute has passed
        desk.tell_attempts()
        desk.tell_attempts()
        told.append(capsys.readouterr().out)
    assert ([text.count("bad_keys") for text in told], "attempts=3" in told[1], "192.0.2.1" in told[1]) == ([0, 1, 0], True, False)


def test_no_limit_refuses_no_address():
    """They are counted all the same."""
    attempts = Attempts(0, wall=lambda: NOON)
    assert ([attempts.over("ipv4:192.0.2.1:1") for _ in range(3)], attempts.totals()) == ([False] * 3, (3, 0))


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:192.0.2.7:50123", "192.0.2.7"),
        ("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:50123", "2001:db8:1:2::/64"),
        ("ipv6:[2001:db8:1:2:ffff::1]:1", "2001:db8:1:2::/64"),
        ("ipv6:%5B::ffff:192.0.2.7%5D:1", "192.0.2.7"),
        ("ipv6:%5Bfe80::1%25eth0%5D:1", "fe80::/64"),
        ("unix:/run/wildgate", "unix:/run/wildgate"),
        ("unknown", "unknown"),
    ],
)
def test_address_of_a_peer_is_that_of_its_site(peer, address):
    """One site has as many IPv6 addresses as it likes."""
    assert address_of(peer) == address


def test_account_of_a_place_nobody_used_is_empty():
    """Zeros are an account."""
    assert Accounts().read(65_535) == Account(0, 0, 0)
