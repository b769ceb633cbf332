"""Where in the sheets a listing stands: one category and sub-category, by what the policy's `[dsa]` tables say of its taxon group."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from wildgate_service.annex1.template import KEYWORD_OTHER, Line, lines
from wildgate_service.measures import Subject
from wildgate_service.outcomes import Ground as Basis
from wildgate_service.policy import checked, load_policy, read_policy
from wildgate_service.policy.check import DEFAULT
from wildgate_service.policy.file import Ground

ILLEGAL_CONTENT = "DECISION_GROUND_ILLEGAL_CONTENT"


class Place(Struct, frozen=True, order=True):
    """A category, its keyword, and of a KEYWORD_OTHER row the description."""

    category: str
    keyword: str
    description: str = ""


# Annex II, part I, section 7 names protected species under 13a: for sheets that do not have the policy's category (15 stands in sheet 6 alone).
PROHIBITED_PRODUCTS = Place("STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS", "KEYWORD_PROHIBITED_PRODUCTS")


class Classification(Struct, frozen=True):
    """The policy's `[dsa]` tables by taxon group; `default` is for the rest."""

    grounds: Mapping[str, Ground]

    def place(self, subject: Subject, sheet: str) -> Place:
        """Where a listing stands in a sheet."""
        return _fitting(_place(self._ground(subject)), sheet)

    def basis(self, subject: Subject, said: Basis) -> Basis:
        """Why a measure was taken: as the outcome says, else as the policy does."""
        if said is not Basis.UNKNOWN:
            return said
        return Basis.ILLEGAL if self._ground(subject).decision_ground == ILLEGAL_CONTENT else Basis.TERMS

    def known(self, sheet: str) -> tuple[Place, ...]:
        """Every place of a sheet in which listings can stand, in the order of their descriptions."""
        return tuple(sorted({_fitting(_place(ground), sheet) for ground in self.grounds.values()}))

    def _ground(self, subject: Subject) -> Ground:
        """That of the first of its groups, by name, that has a table of its own: a listing stands in one category."""
        return next((self.grounds[group] for group in subject.groups if group in self.grounds), self.grounds[DEFAULT])


def read_classification(policy: Path) -> Classification:
    """That of a policy file. Raises PolicyError that names every key that is wrong, with its line."""
    load_policy(policy)
    file, _ = checked(read_policy(policy))
    if file is None:
        raise AssertionError("a policy that loads can be read")
    return Classification(file.dsa)


def _place(ground: Ground) -> Place:
    """Parts and products: no recorded fact tells them from live animals."""
    if ground.described_parts:
        return Place(ground.category_parts, KEYWORD_OTHER, ground.described_parts)
    return Place(ground.category_parts, ground.keyword_parts)


def _fitting(place: Place, sheet: str) -> Place:
    return place if Line(place.category, place.keyword) in lines(sheet) else PROHIBITED_PRODUCTS
