"""A long text can hold a form a thousand times: some of each are enough, but never at the price of those that matter.

A flood of innocent phrases must not crowd out an offer, so what a benign phrase contains is thinned apart from the rest, and contexts are
kept for being near a taxon.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wildgate_service.match.find import Occurrence
    from wildgate_service.match.tables import CompiledLexicon

MOST_OF_A_FORM = 8
MOST_CONTAINED = 2
FARTHEST = 450  # code points beyond which no context reaches a match
LONGEST_CONTEXT = 100  # code points of the longest form of a context


def thin_taxa(taxa: list[Occurrence], contexts: list[Occurrence], lexicon: CompiledLexicon) -> list[Occurrence]:
    """The first `MOST_OF_A_FORM` of each form that no innocent phrase contains, and a few of those that one does."""
    canceling = [each for each in contexts if lexicon.rules[lexicon.forms[each.form].rule].cancels]
    starts = [each.start for each in canceling]

    def contained(taxon: Occurrence) -> bool:
        first, last = bisect_left(starts, taxon.end - LONGEST_CONTEXT), bisect_right(starts, taxon.start)
        return any(each.end >= taxon.end for each in canceling[first:last])

    return _first(taxa, lambda taxon: (taxon.form, contained(taxon)), lambda key: MOST_CONTAINED if key[1] else MOST_OF_A_FORM)


def thin_contexts(contexts: list[Occurrence], taxa: list[Occurrence]) -> list[Occurrence]:
    """The first `MOST_OF_A_FORM` of each form near a taxon, and a few of those farther off, which are company all the same."""
    starts = sorted(each.start for each in taxa)

    def near(context: Occurrence) -> bool:
        at = bisect_left(starts, context.start)
        return any(abs(start - context.start) <= FARTHEST for start in starts[max(0, at - 1) : at + 1])

    return _first(contexts, lambda context: (context.form, near(context)), lambda key: MOST_OF_A_FORM if key[1] else MOST_CONTAINED)


Key = tuple[int, bool]


def _first(found: Iterable[Occurrence], key: Callable[[Occurrence], Key], most: Callable[[Key], int]) -> list[Occurrence]:
    """The first so many of each key."""
    seen: Counter[Key] = Counter()
    kept = []
    for each in found:
        name = key(each)
        seen[name] += 1
        if seen[name] <= most(name):
            kept.append(each)
    return kept
