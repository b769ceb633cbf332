"""Whether the sheets of Annex I have a row for what a policy's [dsa] says of a group."""

from __future__ import annotations

from collections.abc import Iterator

from wildgate_service.annex1.template import KEYWORD_OTHER, TERMS, Line, lines
from wildgate_service.policy.file import Ground, Problem
from wildgate_service.policy.lines import Path

LONGEST_DESCRIPTION = 500  # characters of category_specification_other in the EU's transparency database


def problems_of_rows(path: Path, ground: Ground) -> Iterator[Problem]:
    """A keyword that stands under another category, or KEYWORD_OTHER without a description."""
    for category, name, keyword, described in (
        (ground.category_parts, "parts", ground.keyword_parts, ground.described_parts),
        (ground.category_live, "live", ground.keyword_live, ground.described_live),
    ):
        if Line(category, keyword) not in lines(TERMS):
            yield Problem((*path, f"keyword_{name}"), f"{keyword} is no sub-category of {category} in Annex I")
        if keyword == KEYWORD_OTHER and not described:
            yield Problem((*path, f"keyword_{name}"), f"{KEYWORD_OTHER} needs described_{name}: the regulator asks what is in such a row")
        if len(described) > LONGEST_DESCRIPTION:
            yield Problem((*path, f"described_{name}"), f"{len(described)} characters; {LONGEST_DESCRIPTION} are the most")
