"""Limits in the store, and the counts of a day."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from wildgate_service.keys import create_key
from wildgate_service.limiting.limit import TenantLimit
from wildgate_service.store import open_store, path_of
from wildgate_service.store._open import migrations

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_limits_come_back_as_they_were_set(store):
    """What was left to the settings stays so; the last one set for a tenant counts."""
    first = TenantLimit(tenant="shop", per_second=2.5, burst=10, per_day=0)
    last = TenantLimit(tenant="shop", per_day=3_000_000_000)
    other = TenantLimit(tenant="kiosk", per_second=0.25)
    for each in (first, other, last):
        store.set_limit(each)
    assert store.list_limits() == [other, last]


def test_limit_that_is_cleared_is_gone(store):
    """And there was none the second time."""
    store.set_limit(TenantLimit(tenant="shop", per_day=1))
    assert ([store.clear_limit("shop") for _ in range(2)], store.list_limits()) == ([True, False], [])


def test_decisions_of_a_day_are_counted_by_tenant(store, samples):
    """Of the tenants asked for, whatever was decided; another day's are another's."""
    moments = {"shop": [samples.noon] * 3, "kiosk": [samples.noon, samples.noon - timedelta(days=1)], "other": [samples.noon]}
    store.append([samples.record(tenant=tenant, decided_time=moment) for tenant, times in moments.items() for moment in times])
    asked = ["shop", "kiosk", *(f"nobody-{number}" for number in range(1_200))]
    assert store.counted_on((samples.noon - EPOCH).days, asked) == {"shop": 3, "kiosk": 1}


def test_key_of_an_older_store_shows_the_score_whole(fresh_file_url, samples):
    """As it did before keys could say otherwise."""
    url = fresh_file_url()
    with open_store(url) as store:
        key, _ = create_key(store, b"pepper", tenant="acme", scopes=["score"], created=samples.noon)
    with closing(sqlite3.connect(path_of(url))) as connection:
        connection.executescript("DROP TABLE tenant_limits; ALTER TABLE api_keys DROP COLUMN score;")
        before = next(number for number, script in enumerate(migrations("sqlite")) if "tenant_limits" in script)
        connection.execute(f"PRAGMA user_version = {before}")
    with open_store(url) as opened:
        assert (opened.list_keys(), opened.list_limits()) == ([key], [])
