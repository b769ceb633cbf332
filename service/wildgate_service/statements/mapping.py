"""Ground, category and keywords of a measure, by the policy's [dsa] and [statements]."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from wildgate_service.outcomes import Ground
from wildgate_service.policy.check import DEFAULT
from wildgate_service.policy.file import Ground as GroundTable
from wildgate_service.policy.file import PolicyFile
from wildgate_service.statements.facts import Goods
from wildgate_service.statements.schema import ILLEGAL, TERMS

WORDS = {Ground.ILLEGAL: ILLEGAL, Ground.TERMS: TERMS}


class Mapped(Struct, frozen=True):
    """`category` is that of the first taxon group, `additions` those of the others where they differ."""

    ground: str
    category: str
    additions: tuple[str, ...]
    keywords: tuple[str, ...]


def mapped(groups: tuple[str, ...], goods: Mapping[str, Goods], stated: Ground, policy: PolicyFile) -> Mapped:
    """What the database is told of these taxon groups; () stands for what the policy says of all others."""
    pairs = [_of_group(group, goods.get(group, Goods.UNKNOWN), policy) for group in groups or (DEFAULT,)]
    categories = list(dict.fromkeys(category for category, _ in pairs))
    return Mapped(
        ground=WORDS[ground_of(groups, stated, policy.dsa)],
        category=categories[0],
        additions=tuple(sorted(categories[1:])),
        keywords=tuple(sorted({keyword for _, keyword in pairs})),
    )


def ground_of(groups: tuple[str, ...], stated: Ground, tables: Mapping[str, GroundTable]) -> Ground:
    """Why a measure was taken: as the outcome stated, else by the policy; if one of several groups is illegal, the whole is."""
    if stated is not Ground.UNKNOWN:
        return stated
    mapped = {tables.get(group, tables[DEFAULT]).decision_ground for group in groups or (DEFAULT,)}
    return Ground.ILLEGAL if ILLEGAL in mapped else Ground.TERMS


def is_live(group: str, offered: Goods, policy: PolicyFile) -> bool:
    """Whether living animals were offered: by the rules that fired, else by what the policy says of the group."""
    return offered is Goods.LIVE or (offered is Goods.UNKNOWN and group in policy.statements.live_groups)


def _of_group(group: str, offered: Goods, policy: PolicyFile) -> tuple[str, str]:
    """Category and keyword."""
    said = policy.dsa.get(group, policy.dsa[DEFAULT])
    live = is_live(group, offered, policy)
    return (said.category_live, said.keyword_live) if live else (said.category_parts, said.keyword_parts)
