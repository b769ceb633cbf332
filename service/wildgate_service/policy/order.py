"""Thresholds that hold together but were set apart: a tenant's `block` under the `review` of a group is as wrong as in one table."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import msgspec

from wildgate_service.decide.policy import Limits
from wildgate_service.policy.file import OVER_ONE, PolicyFile, Problem, ScopeTable
from wildgate_service.policy.lines import Path

Layers = list[tuple[Path, Limits]]


def problems_of_order(file: PolicyFile) -> Iterator[Problem]:
    """`review` over `block`; and warnings of tables that let a group be refused that never is, or that say what holds without them."""
    places = list(_places(file))
    yield from _once(_disorder(layers) for layers in places)
    yield from _once(_overruled(layers) for layers in places)
    needed = {path for layers in places for path in _saying_something_new(layers)}
    alike = {**_alike(file.markets, "markets"), **_alike(file.tenants, "tenants")}
    for path in dict.fromkeys(path for layers in places for path, _ in layers[1:]):
        if path not in needed and (*alike.get(path[:2], path[:2]), *path[2:]) not in needed:
            yield Problem(path, "says what holds without it", warning=True)


def _once(problems: Iterable[Problem | None]) -> Iterator[Problem]:
    return (problem for problem in dict.fromkeys(problems) if problem is not None)


def _disorder(layers: Layers) -> Problem | None:
    """The problem of a `review` over `block`, at the later of the two tables."""
    (review_path, review), (block_path, block) = _last(layers, "review"), _last(layers, "block")
    if review is None or block is None or not OVER_ONE >= review > block >= 0:  # what is no threshold is said elsewhere
        return None
    if review_path == block_path:
        return Problem(review_path, f"review {review} is over block {block}")
    later = max((review_path, block_path), key=[path for path, _ in layers].index)
    return Problem(later, f"review {review} of {'.'.join(review_path)} is over block {block} of {'.'.join(block_path)}")


def _overruled(layers: Layers) -> Problem | None:
    """A group that is never refused, until a market or tenant speaks of all groups."""
    path, block = _last(layers, "block")
    never = [earlier for earlier, limits in layers if _is_of_group(earlier) and (limits.block or 0) > 1]
    if block is None or block > 1 or _is_of_group(path) or not never:
        return None
    return Problem(path, f"lets {never[0][-1]} be refused, which {'.'.join(never[0])} never does", warning=True)


def _is_of_group(path: Path) -> bool:
    return path[-2:-1] == ("groups",)


def _places(file: PolicyFile) -> Iterator[Layers]:
    """The tables that hold for a group, the widest first: everywhere, in each market, for each tenant, and for tenants in markets.

    Of tenants and markets whose limits are alike only the first is held against the others, so that hundreds of both are checked at once.
    """
    markets, tenants = _with_limits(file.markets), _with_limits(file.tenants)
    groups = {*file.groups, *(group for table in (*markets.values(), *tenants.values()) for group in table.groups)}
    unlike = (dict.fromkeys(first[1] for first in _alike(*named).values()) for named in ((markets, "markets"), (tenants, "tenants")))
    pairs = (*itertools.product(("", *markets), ("",)), *itertools.product(("",), tenants), *itertools.product(*unlike))
    for group, (market, tenant) in itertools.product(("", *sorted(groups)), pairs):
        layers: Layers = [(("thresholds",), file.thresholds)]
        layers += _of_group(file.groups, group, ("groups",))
        layers += _of_scope(markets, market, "markets", group)
        layers += _of_scope(tenants, tenant, "tenants", group)
        yield layers


def _alike(tables: dict[str, ScopeTable], name: str) -> dict[Path, Path]:
    """Path of each scope → path of the first whose limits are the same."""
    first: dict[bytes, Path] = {}
    return {
        (name, key): first.setdefault(msgspec.json.encode((_limits(table), table.groups), order="sorted"), (name, key))
        for key, table in tables.items()
    }


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


def _saying_something_new(layers: Layers) -> Iterator[Path]:
    """The tables after the first that change what holds."""
    for count, (path, limits) in enumerate(layers[1:], 1):
        if any(getattr(limits, name) not in {None, _last(layers[:count], name)[1]} for name in ("review", "block", "unlisted")):
            yield path
