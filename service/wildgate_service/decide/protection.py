"""Which of the taxa found are protected where and when the listing was posted, and what the others still ask for.

CITES counts everywhere, then the lists of the listing's market and of its unions; of an unknown market any list. A listing without a date
was posted today.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wildgate_service.decide.policy import NEVER, Scope, Unlisted, limits_in_force
from wildgate_service.match.tables import lists_in_force
from wildgate_service.types import Level, Listing, Match, Taxon

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wildgate_service.match.tables import CompiledLexicon, Listed

CITES = "CITES"
Lists = dict[str, tuple["Listed", ...]]  # taxon → the lists in force that name it
Asked = list[tuple[Match, set[tuple[float, float]]]]  # matches that ask for something, and from where: (review, block)


def lists_of(found: Iterable[Match], listing: Listing, lexicon: CompiledLexicon) -> Lists:
    """The lists in force for every taxon of some matches."""
    day = (listing.posted_time or datetime.now(UTC)).date().isoformat()
    places = lexicon.places(listing.market) if listing.market else None
    taxa = dict.fromkeys(taxon for match in found for taxon in match.taxa)
    return {taxon: lists_in_force(lexicon.taxa[taxon], places, day) for taxon in taxa}


def is_listed(match: Match, lists: Lists) -> bool:
    """Whether a list in force names any of its taxa."""
    return any(lists[taxon] for taxon in match.taxa)


def asked_of(found: Iterable[Match], lists: Lists, lexicon: CompiledLexicon, scopes: tuple[Scope, ...]) -> Asked:
    """The matches that may lead to a stop, with the limits of their groups; `NEVER` where they ask for a person at most."""
    asked = ((match, _limits_of(match, lists, lexicon, scopes)) for match in found)
    return [(match, limits) for match, limits in asked if limits]


def _limits_of(match: Match, lists: Lists, lexicon: CompiledLexicon, scopes: tuple[Scope, ...]) -> set[tuple[float, float]]:
    """(review, block) of the groups that a match speaks of, without those whose taxa are on no list and are let pass for it."""
    limits = set()
    for group, listed in {(lexicon.taxa[taxon].group, bool(lists[taxon])) for taxon in match.taxa}:
        there = limits_in_force(group, scopes)
        if listed or there.unlisted is Unlisted.AS_LISTED:
            limits.add((there.review, there.block))
        elif there.unlisted is Unlisted.REVIEW:
            limits.add((there.review, NEVER))
    return limits


def taxa_of(found: Iterable[Match], lists: Lists, lexicon: CompiledLexicon) -> tuple[Taxon, ...]:
    """Taxa of the matches that count, strongest first; faint ones only when there are no others."""
    found = list(found)
    standing = [match for match in found if match.stands] or found
    ranked = sorted(standing, key=lambda match: match.level is not Level.ALONE)
    keys = dict.fromkeys(taxon for match in ranked for taxon in match.taxa)
    rows = ((lexicon.taxa[key], lists[key]) for key in keys)
    return tuple(Taxon(row.group, row.scientific_name, _appendix(naming)) for row, naming in rows)


def _appendix(lists: tuple[Listed, ...]) -> str:
    """Appendix on the first list, CITES' by itself and a national one with its market's code: "CN I"."""
    first = lists[0] if lists else None
    if first is None or first.list == CITES:
        return first.appendix if first else ""
    return f"{first.market or first.list} {first.appendix}"
