"""The policy file: thresholds by group, market and tenant, shadow mode, and the sentences that go with a decision."""

from __future__ import annotations

import string
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from wildgate_service.classify import Routing
from wildgate_service.decide import Limits, Policy, Thresholds
from wildgate_service.errors import PolicyError
from wildgate_service.lexicon.taxa import GROUPS

SLOTS = frozenset({"groups", "surfaces", "score", "cues"})
REASONS = ("block", "review", "covered", "legal", "unnamed", "allow", "explained")
OVER_ONE = 1.01  # a threshold that no probability reaches


class _Scope(Struct, forbid_unknown_fields=True):
    """A market or a tenant in the file."""

    review: float | None = None
    block: float | None = None
    shadow: bool | None = None
    groups: dict[str, Limits] = {}


class _Ground(Struct, forbid_unknown_fields=True):
    """What the EU's transparency database is told of a group."""

    decision_ground: str
    category_parts: str
    keyword_parts: str
    category_live: str
    keyword_live: str


class _File(Struct, forbid_unknown_fields=True):
    """The file as it is written."""

    version: str
    thresholds: Limits
    reasons: dict[str, str]
    notices: dict[str, dict[str, str]]
    dsa: dict[str, _Ground]
    shadow: bool = False
    routing: Routing = Routing()
    groups: dict[str, Limits] = {}
    markets: dict[str, _Scope] = {}
    tenants: dict[str, _Scope] = {}


def default_policy() -> Path:
    """The policy that ships with the service."""
    return Path(__file__).parent / "policies" / "default.toml"


def load_policy(path: Path) -> Policy:
    """Read and check a policy file. Raises PolicyError that names the key that is wrong."""
    try:
        return policy_of_text(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"policy {path} cannot be read: {error}") from error


def policy_of_text(text: str, name: str) -> Policy:
    """The policy in a file's text."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PolicyError(f"policy {name}: {error}") from error
    problems = _problems(file)
    if problems:
        raise PolicyError(f"policy {name}: {'; '.join(problems)}")
    return Policy(
        version=file.version,
        thresholds=Thresholds(
            default=file.thresholds,
            groups=file.groups,
            markets={key: (Limits(scope.review, scope.block), scope.groups) for key, scope in file.markets.items()},
            tenants={key: (Limits(scope.review, scope.block), scope.groups) for key, scope in file.tenants.items()},
        ),
        shadow=file.shadow,
        shadow_markets={key: scope.shadow for key, scope in file.markets.items() if scope.shadow is not None},
        shadow_tenants={key: scope.shadow for key, scope in file.tenants.items() if scope.shadow is not None},
        reasons=file.reasons,
        notices=file.notices,
        routing=file.routing,
    )


def _problems(file: _File) -> list[str]:
    """Everything that a typed reader does not see."""
    problems = []
    if file.thresholds.review is None or file.thresholds.block is None:
        problems.append("thresholds needs both review and block")
    for place, limits in _all_limits(file):
        problems += [
            f"{place} is {value}, not between 0 and {OVER_ONE}" for value in limits if value is not None and not 0 <= value <= OVER_ONE
        ]
    problems += [
        f"{place} has review over block"
        for place, (review, block) in _all_limits(file)
        if review is not None and block is not None and review > block
    ]
    problems += [f"{place}: unknown taxon group" for place, group in _all_groups(file) if group not in GROUPS]
    problems += [f"reasons.{name} is missing" for name in REASONS if name not in file.reasons]
    problems += [f"reasons.{name}: {problem}" for name, text in file.reasons.items() for problem in _wrong_slots(text, _slots_of(name))]
    problems += [f"notices.{name}.en is missing" for name in ("block", "review") if "en" not in file.notices.get(name, {})]
    return problems


def _slots_of(reason: str) -> frozenset[str]:
    """What can be filled into a reason; where nothing was found there is little."""
    return {"allow": frozenset[str](), "unnamed": frozenset({"score"})}.get(reason, SLOTS)


def _all_limits(file: _File) -> list[tuple[str, tuple[float | None, float | None]]]:
    found = [("thresholds", file.thresholds), *((f"groups.{group}", limits) for group, limits in file.groups.items())]
    for table, scopes in (("markets", file.markets), ("tenants", file.tenants)):
        for key, scope in scopes.items():
            found.append((f"{table}.{key}", Limits(scope.review, scope.block)))
            found += [(f"{table}.{key}.groups.{group}", limits) for group, limits in scope.groups.items()]
    return [(place, (limits.review, limits.block)) for place, limits in found]


def _all_groups(file: _File) -> list[tuple[str, str]]:
    """(place, group) of every table of a group."""
    scopes = [("groups", file.groups)]
    for table, inner in (("markets", file.markets), ("tenants", file.tenants)):
        scopes += [(f"{table}.{key}.groups", scope.groups) for key, scope in inner.items()]
    return [(f"{place}.{group}", group) for place, groups in scopes for group in groups]


def _wrong_slots(text: str, slots: frozenset[str]) -> list[str]:
    """What keeps a reason from being filled in; the one of a text in which nothing was found has nothing to fill in."""
    try:
        names: list[Any] = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        unknown = [f"unknown slot {{{name}}}; known are {', '.join(sorted(slots)) or 'none here'}" for name in names if name not in slots]
        if not unknown:
            text.format(**dict.fromkeys(slots, ""))
    except ValueError as error:
        return [f"cannot be filled in: {error}; every slot is text"]
    return unknown
