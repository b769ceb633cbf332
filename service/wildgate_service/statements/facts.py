"""What a statement of reasons is made of: a measure and the little more that it needs of the decision. No text of the listing enters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from wildgate_service.measures import Measure
from wildgate_service.types import TAXON_KINDS, DecisionRecord, Match, RuleKind

LIVE_WORD = "live"  # stands in the ids of rules about living animals (lexicons/CONVENTIONS.md: ids never change)
# Groups that no live animal belongs to: plants, and what is extinct.
NEVER_ALIVE = frozenset({"mammoth", "orchid", "cactus_succulent", "timber", "agarwood", "plant_other"})


class Goods(StrEnum):
    """What was offered of a taxon group, as far as the rules that fired say it."""

    LIVE = "live"
    PARTS = "parts"
    UNKNOWN = "unknown"


class StatementFacts(Struct, frozen=True, kw_only=True):
    """A measure with the first outcome that told of it, and what was offered by taxon group ({} where the record was erased)."""

    measure: Measure
    first_outcome_id: str
    posted_time: datetime | None = None
    goods: Mapping[str, Goods] = {}


def goods_of(record: DecisionRecord) -> dict[str, Goods]:
    """What was offered, by taxon group: a rule about a product says parts, one whose id has the word `live` living animals.

    Where a rule of another language takes an animal's very name for a product, as "pangolin" in a German text, the name counts.
    """
    matches = record.decision.matches
    speaks_of_living = any(match.kind is RuleKind.TRADE_CUE and _names_the_living(match) for match in matches)
    of_taxa = [match for match in matches if match.kind in TAXON_KINDS]
    return {
        group: _goods([match for match in of_taxa if group in match.groups], speaks_of_living=speaks_of_living)
        for group in {taxon.group for taxon in record.decision.taxa} - NEVER_ALIVE
    } | {taxon.group: Goods.PARTS for taxon in record.decision.taxa if taxon.group in NEVER_ALIVE}


def _goods(matches: list[Match], *, speaks_of_living: bool) -> Goods:
    names = {_place(match) for match in matches if match.kind is RuleKind.SPECIES}
    if any(match.kind is RuleKind.PRODUCT and _place(match) not in names for match in matches):
        return Goods.PARTS
    if speaks_of_living or any(map(_names_the_living, matches)):
        return Goods.LIVE
    return Goods.UNKNOWN


def _place(match: Match) -> tuple[str, int, int]:
    return match.field, match.start, match.end


def _names_the_living(match: Match) -> bool:
    return LIVE_WORD in match.rule_id.split("-")
