"""Keep what the operator set as limits of tenants, and tell what was counted of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildgate_service.limiting.limit import TenantLimit

if TYPE_CHECKING:
    from collections.abc import Collection

    from wildgate_service.store._database import Database

ASKED_AT_ONCE = 500  # tenants; databases take a limited number of parameters


def set_limit(database: Database, limit: TenantLimit) -> None:
    """Keep a tenant's limit in the place of the one before."""
    with database.transaction():
        database.execute(
            "INSERT INTO tenant_limits (tenant, per_second, burst, per_day) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (tenant) DO UPDATE SET per_second = excluded.per_second, burst = excluded.burst, per_day = excluded.per_day",
            (limit.tenant, limit.per_second, limit.burst, limit.per_day),
        )


def limits(database: Database) -> list[TenantLimit]:
    """All of them, by tenant."""
    rows = database.execute("SELECT tenant, per_second, burst, per_day FROM tenant_limits ORDER BY tenant")
    return [TenantLimit(tenant=tenant, per_second=per_second, burst=burst, per_day=per_day) for tenant, per_second, burst, per_day in rows]


def clear_limit(database: Database, tenant: str) -> bool:
    """Leave a tenant to the settings again; False if nothing was set."""
    with database.transaction():
        return database.execute("DELETE FROM tenant_limits WHERE tenant = ?", (tenant,)).rowcount == 1


def counted_on(database: Database, day: int, tenants: Collection[str]) -> dict[str, int]:
    """How many decisions of these tenants were recorded on a day (days since 1970, UTC); those without any are left out."""
    counted: dict[str, int] = {}
    asked = sorted(tenants)
    for start in range(0, len(asked), ASKED_AT_ONCE):
        some = asked[start : start + ASKED_AT_ONCE]
        query = (
            "SELECT tenant, CAST(SUM(decisions) AS BIGINT) FROM daily_counts"  # noqa: S608  (question marks)
            f" WHERE tenant IN ({', '.join('?' * len(some))}) AND day = ? GROUP BY tenant"
        )
        counted.update((tenant, int(decisions)) for tenant, decisions in database.execute(query, (*some, day)))
    return counted
