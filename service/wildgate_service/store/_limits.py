"""Keep what the operator set as limits of tenants, and tell what was counted of a day."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from wildgate_service.limiting.limit import TenantLimit

if TYPE_CHECKING:
    from collections.abc import Collection

ASKED_AT_ONCE = 500  # tenants; databases take a limited number of parameters


def set_limit(connection: sqlite3.Connection, limit: TenantLimit) -> None:
    """Keep a tenant's limit in the place of the one before."""
    connection.execute(
        "INSERT INTO tenant_limits (tenant, per_second, burst, per_day) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (tenant) DO UPDATE SET per_second = excluded.per_second, burst = excluded.burst, per_day = excluded.per_day",
        (limit.tenant, limit.per_second, limit.burst, limit.per_day),
    )


def limits(connection: sqlite3.Connection) -> list[TenantLimit]:
    """All of them, by tenant."""
    rows = connection.execute("SELECT tenant, per_second, burst, per_day FROM tenant_limits ORDER BY tenant")
    return [TenantLimit(tenant=tenant, per_second=per_second, burst=burst, per_day=per_day) for tenant, per_second, burst, per_day in rows]


def clear_limit(connection: sqlite3.Connection, tenant: str) -> bool:
    """Leave a tenant to the settings again; False if nothing was set."""
    return connection.execute("DELETE FROM tenant_limits WHERE tenant = ?", (tenant,)).rowcount == 1


def counted_on(connection: sqlite3.Connection, day: int, tenants: Collection[str]) -> dict[str, int]:
    """How many decisions of these tenants were recorded on a day (days since 1970, UTC); those without any are left out."""
    counted: dict[str, int] = {}
    asked = sorted(tenants)
    for start in range(0, len(asked), ASKED_AT_ONCE):
        some = asked[start : start + ASKED_AT_ONCE]
        query = (
            "SELECT tenant, CAST(SUM(decisions) AS BIGINT) FROM daily_counts"  # noqa: S608  (question marks)
            f" WHERE tenant IN ({', '.join('?' * len(some))}) AND day = ? GROUP BY tenant"
        )
        counted.update((tenant, int(decisions)) for tenant, decisions in connection.execute(query, (*some, day)))
    return counted
