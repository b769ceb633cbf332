"""Where in the sheets a listing stands: one category and sub-category, by what the policy's `[dsa]` tables say of its taxon group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from wildgate_service.annex1.template import KEYWORD_OTHER, Line, lines
from wildgate_service.measures import Subject
from wildgate_service.outcomes import Ground as Basis
from wildgate_service.policy import file_of_text, read_policy
from wildgate_service.policy.check import DEFAULT
from wildgate_service.policy.file import Ground
from wildgate_service.statements.facts import Goods
from wildgate_service.statements.mapping import ground_of, is_live


class Place(Struct, frozen=True, order=True):
    """A category, its keyword, and of a KEYWORD_OTHER row the description."""

    category: str
    keyword: str
    description: str = ""


# Annex II, part I, section 7 names protected species under 13a: for sheets without the policy's category (15 stands in sheet 6 alone).
PROHIBITED_PRODUCTS = Place("STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS", "KEYWORD_PROHIBITED_PRODUCTS")


class Classification(Struct, frozen=True):
    """The policy's `[dsa]` tables by taxon group; `default` is for the rest.

    `live` says whether a living animal of a group was offered, as far as recorded facts tell; None if nothing tells, and all are parts.
    """

    grounds: Mapping[str, Ground]
    live: Callable[[Subject, str], bool] | None = None

    def place(self, subject: Subject, sheet: str) -> Place:
        """Where a listing stands in a sheet: by the first of its groups, for it stands in one category alone."""
        group = next(iter(subject.groups), DEFAULT)
        return _fitting(_place(self._ground(group), live=self.live is not None and self.live(subject, group)), sheet)

    def basis(self, subject: Subject, said: Basis) -> Basis:
        """Why a measure was taken."""
        return ground_of(subject.groups, said, self.grounds)

    def known(self, sheet: str) -> tuple[Place, ...]:
        """Every place of a sheet in which listings can stand, in the order of their descriptions."""
        kinds = (False, True) if self.live else (False,)
        return tuple(sorted({_fitting(_place(ground, live=live), sheet) for ground in self.grounds.values() for live in kinds}))

    def _ground(self, group: str) -> Ground:
        return self.grounds.get(group, self.grounds[DEFAULT])


def read_classification(policy: Path, goods: Mapping[int, Mapping[str, Goods]]) -> Classification:
    """That of a policy file; `goods` are what was offered, by position and taxon group. Raises PolicyError that names what is wrong."""
    file = file_of_text(read_policy(policy), str(policy))

    def live(subject: Subject, group: str) -> bool:
        return is_live(group, goods.get(subject.position, {}).get(group, Goods.UNKNOWN), file)

    return Classification(file.dsa, live)


def _place(ground: Ground, *, live: bool) -> Place:
    category, keyword, described = (
        (ground.category_live, ground.keyword_live, ground.described_live)
        if live
        else (ground.category_parts, ground.keyword_parts, ground.described_parts)
    )
    return Place(category, KEYWORD_OTHER, described) if described else Place(category, keyword)


def _fitting(place: Place, sheet: str) -> Place:
    return place if Line(place.category, place.keyword) in lines(sheet) else PROHIBITED_PRODUCTS
