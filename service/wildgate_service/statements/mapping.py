"""Ground, category and keywords of a measure, by the policy's [dsa] and [statements]."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from wildgate_service.outcomes import Ground
from wildgate_service.policy.check import DEFAULT
from wildgate_service.policy.file import PolicyFile
from wildgate_service.statements.facts import Goods
from wildgate_service.statements.schema import ILLEGAL, TERMS

STATED = {Ground.ILLEGAL: ILLEGAL, Ground.TERMS: TERMS}


class Mapped(Struct, frozen=True):
    """`category` is that of the first taxon group, `additions` those of the others where they differ."""

    ground: str
    category: str
    additions: tuple[str, ...]
    keywords: tuple[str, ...]


def mapped(groups: tuple[str, ...], goods: Mapping[str, Goods], stated: Ground, policy: PolicyFile) -> Mapped:
    """What the database is told of these taxon groups; () stands for what the policy says of all others.

    The ground that an outcome stated counts before the policy's; of several groups one that is illegal makes the whole illegal.
    """
    pairs = [_of_group(group, goods.get(group, Goods.UNKNOWN), policy) for group in groups or (DEFAULT,)]
    grounds = {policy.dsa.get(group, policy.dsa[DEFAULT]).decision_ground for group in groups or (DEFAULT,)}
    categories = list(dict.fromkeys(category for category, _ in pairs))
    return Mapped(
        ground=STATED.get(stated) or (ILLEGAL if ILLEGAL in grounds else TERMS),
        category=categories[0],
        additions=tuple(sorted(categories[1:])),
        keywords=tuple(sorted({keyword for _, keyword in pairs})),
    )


def _of_group(group: str, goods: Goods, policy: PolicyFile) -> tuple[str, str]:
    """Category and keyword."""
    said = policy.dsa.get(group, policy.dsa[DEFAULT])
    live = goods is Goods.LIVE or (goods is Goods.UNKNOWN and group in policy.statements.live_groups)
    return (said.category_live, said.keyword_live) if live else (said.category_parts, said.keyword_parts)
