"""What is wrong with what a policy file says, all at once: each a small check, in the order of the file."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib import resources

import msgspec

from wildgate_service.decide.policy import Limits
from wildgate_service.groups import GROUPS
from wildgate_service.keys import TENANT
from wildgate_service.policy.annex1 import problems_of_rows
from wildgate_service.policy.file import OVER_ONE, Ground, PolicyFile, Problem, ScopeTable
from wildgate_service.policy.lines import Path
from wildgate_service.policy.order import problems_of_order
from wildgate_service.policy.statements import problems_of_statements
from wildgate_service.policy.templates import problems_of_templates
from wildgate_service.sampling import FEWEST, Sampling
from wildgate_service.statements.schema import dsa_values
from wildgate_service.tags import LANGUAGE

SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
DEFAULT = "default"


def problems_of(file: PolicyFile, languages: Collection[str]) -> Iterator[Problem]:
    """Everything that a look at the file alone shows; `languages` are those that sentences should be in."""
    yield from _version(file)
    yield from _thresholds(file)
    yield from _names(file)
    yield from problems_of_order(file)
    yield from _unused(file)
    yield from _sampling(file.sampling)
    yield from _dsa(file.dsa)
    yield from _live_groups(file)
    yield from problems_of_statements(file)
    yield from problems_of_templates(file, languages)


def unknown_rules(file: PolicyFile, known: Collection[str]) -> Iterator[Problem]:
    """Rules in shadow that no lexicon has."""
    shadowed: list[tuple[Path, tuple[str, ...]]] = [
        ((), file.shadow_rules),
        *((path, table.shadow_rules) for path, table in scopes_of(file)),
    ]
    for path, rules in shadowed:
        for rule in rules:
            if rule not in known:
                yield Problem((*path, "shadow_rules"), f"no lexicon has a rule {rule}", warning=True)


def scopes_of(file: PolicyFile) -> Iterator[tuple[Path, ScopeTable]]:
    """Markets and tenants with their paths."""
    for name, tables in (("markets", file.markets), ("tenants", file.tenants)):
        yield from (((name, key), table) for key, table in tables.items())


def limits_of(file: PolicyFile) -> Iterator[tuple[Path, Limits]]:
    """Every table of limits with its path."""
    yield ("thresholds",), file.thresholds
    yield from ((("groups", group), limits) for group, limits in file.groups.items())
    for path, table in scopes_of(file):
        yield path, Limits(table.review, table.block, table.unlisted)
        yield from (((*path, "groups", group), limits) for group, limits in table.groups.items())


def _version(file: PolicyFile) -> Iterator[Problem]:
    if not SEMVER.fullmatch(file.version):
        yield Problem(("version",), f"{file.version!r} is no version such as 1.2.0 (semver.org), by which answers name their policy")


def _thresholds(file: PolicyFile) -> Iterator[Problem]:
    missing = [name for name in ("review", "block") if getattr(file.thresholds, name) is None]
    yield from (Problem(("thresholds",), f"{name} is missing") for name in missing)
    for path, limits in limits_of(file):
        for name, value in (("review", limits.review), ("block", limits.block)):
            if value is not None and not 0 <= value <= OVER_ONE:
                yield Problem((*path, name), f"{value} is not between 0 and {OVER_ONE}")


def _names(file: PolicyFile) -> Iterator[Problem]:
    """Groups, markets and tenants that cannot be."""
    for path, _ in limits_of(file):
        if path[-2:-1] == ("groups",) and path[-1] not in GROUPS:
            yield Problem(path, "unknown taxon group")
    for market in file.markets:
        if market not in known_markets():
            yield Problem(("markets", market), _about_market(market))
    for tenant in file.tenants:
        if not TENANT.fullmatch(tenant):
            yield Problem(("tenants", tenant), "no tenant's name: up to 63 of a-z 0-9 . _ - that begin with a letter or digit")


def _about_market(market: str) -> str:
    wanted = "no ISO 3166-1 code of two letters such as SG, and no union (EU)"
    return f"{wanted}; write {market.upper()}" if market.upper() in known_markets() else wanted


@cache
def known_markets() -> frozenset[str]:
    """ISO 3166-1 codes, with those it reserves, of which EU is one."""
    labels = resources.files("wildgate_service") / "templates" / "labels.json"
    markets: dict[str, str] = json.loads(labels.read_text(encoding="utf-8"))["market"]
    return frozenset(markets)


def _unused(file: PolicyFile) -> Iterator[Problem]:
    """Tables that say nothing."""
    for path, table in scopes_of(file):
        if table == ScopeTable():
            yield Problem(path, "says nothing", warning=True)
    for path, limits in limits_of(file):
        if path[-2:-1] == ("groups",) and limits == Limits():
            yield Problem(path, "says nothing", warning=True)


def _sampling(sampling: Sampling) -> Iterator[Problem]:
    rates: list[tuple[Path, float]] = [(("sampling", "rate"), sampling.rate)]
    for table in ("markets", "languages", "groups"):
        rates += [(("sampling", table, key), rate) for key, rate in getattr(sampling, table).items()]
    for path, rate in rates:
        if not 0 <= rate <= 1:
            yield Problem(path, f"{rate} is no share between 0 and 1")
    yield from (Problem(("sampling", "markets", key), _about_market(key)) for key in sampling.markets if key not in known_markets())
    yield from (Problem(("sampling", "groups", key), "unknown taxon group") for key in sampling.groups if key not in GROUPS)
    for key in sampling.languages:
        if not LANGUAGE.fullmatch(key):
            yield Problem(("sampling", "languages", key), "no BCP 47 tag such as vi or zh-Hant")
    if sampling.fewest < FEWEST:
        yield Problem(("sampling", "fewest"), f"{sampling.fewest} looks say nothing; {FEWEST} are the fewest that a share can be stated of")


def _live_groups(file: PolicyFile) -> Iterator[Problem]:
    for group in file.statements.live_groups:
        if group not in GROUPS:
            yield Problem(("statements", "live_groups"), f"unknown taxon group {group}")


def _dsa(grounds: dict[str, Ground]) -> Iterator[Problem]:
    if DEFAULT not in grounds:
        yield Problem(("dsa",), f"{DEFAULT} is missing, which holds for groups without a table of their own")
    for group, ground in grounds.items():
        if group not in {*GROUPS, DEFAULT}:
            yield Problem(("dsa", group), "unknown taxon group")
        for name, value in msgspec.structs.asdict(ground).items():
            known = dsa_values().get(name.removesuffix("_parts").removesuffix("_live"))
            if known is not None and value not in known:
                yield Problem(("dsa", group, name), f"{value!r} is no value of the EU's transparency database")
        yield from problems_of_rows(("dsa", group), ground)
        if group != DEFAULT and ground == grounds.get(DEFAULT):
            yield Problem(("dsa", group), f"says what {DEFAULT} says", warning=True)
