"""Thresholds that hold together though they were set apart: a tenant's `block` under the `review` of a group is as wrong as in one table."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from wildgate_service.decide.policy import Limits
from wildgate_service.policy.file import PolicyFile, Problem, ScopeTable
from wildgate_service.policy.lines import Path

Layers = list[tuple[Path, Limits]]


def problems_of_order(file: PolicyFile) -> Iterator[Problem]:
    """A problem where `review` lies over `block`, and a warning where a table says what holds without it; each pair of tables once."""
    told = set()
    idle: dict[Path, bool] = {}
    for layers in _places(file):
        (review_path, review), (block_path, block) = _last(layers, "review"), _last(layers, "block")
        if review is not None and block is not None and review > block and (review_path, block_path) not in told:
            told.add((review_path, block_path))
            yield _problem(layers, (review_path, review), (block_path, block))
        for count in range(1, len(layers)):
            path, limits = layers[count]
            idle[path] = idle.get(path, True) and _says_nothing_new(limits, layers[:count])
    yield from (Problem(path, "says what holds without it", warning=True) for path, is_idle in idle.items() if is_idle)


def _places(file: PolicyFile) -> Iterator[Layers]:
    """The tables that hold for a group, of each market and tenant in the file and of all others, the widest first."""
    markets, tenants = _with_limits(file.markets), _with_limits(file.tenants)
    groups = {*file.groups, *(group for table in (*markets.values(), *tenants.values()) for group in table.groups)}
    for group, market, tenant in itertools.product(("", *sorted(groups)), ("", *markets), ("", *tenants)):
        layers: Layers = [(("thresholds",), file.thresholds)]
        layers += _of_group(file.groups, group, ("groups",))
        layers += _of_scope(markets, market, "markets", group)
        layers += _of_scope(tenants, tenant, "tenants", group)
        yield layers


def _with_limits(tables: dict[str, ScopeTable]) -> dict[str, ScopeTable]:
    """The scopes that say something of limits, so that thousands of tenants in shadow cost nothing."""
    return {key: table for key, table in tables.items() if table.groups or _limits(table) != Limits()}


def _of_scope(tables: dict[str, ScopeTable], key: str, name: str, group: str) -> Layers:
    table = tables.get(key)
    if table is None:
        return []
    said = [((name, key), _limits(table))] if _limits(table) != Limits() else []
    return [*said, *_of_group(table.groups, group, (name, key, "groups"))]


def _limits(table: ScopeTable) -> Limits:
    return Limits(table.review, table.block, table.unlisted)


def _of_group(groups: dict[str, Limits], group: str, path: Path) -> Layers:
    return [((*path, group), groups[group])] if groups.get(group, Limits()) != Limits() else []


def _last(layers: Layers, name: str) -> tuple[Path, float | None]:
    said = [(path, getattr(limits, name)) for path, limits in layers if getattr(limits, name) is not None]
    return said[-1] if said else ((), None)


def _says_nothing_new(limits: Limits, before: Layers) -> bool:
    return all(getattr(limits, name) in {None, _last(before, name)[1]} for name in ("review", "block", "unlisted"))


def _problem(layers: Layers, review: tuple[Path, float], block: tuple[Path, float]) -> Problem:
    """At the later of the two tables."""
    order = [path for path, _ in layers]
    later = max((review[0], block[0]), key=order.index)
    if review[0] == block[0]:
        return Problem(later, f"review {review[1]} is over block {block[1]}")
    return Problem(later, f"review {review[1]} of {'.'.join(review[0])} is over block {block[1]} of {'.'.join(block[0])}")
