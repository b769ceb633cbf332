"""Match: find every rule that fires, with the seller's own words, the views it took, its company and what explains it away.

Taxon rules (species, products, code words) are searched in every text; cues and contexts only in a text where one of those was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildgate_service.match.company import settle
from wildgate_service.match.find import find_contexts, find_taxa
from wildgate_service.types import Matches, RuleKind

if TYPE_CHECKING:
    from wildgate_service.match.tables import CompiledLexicon
    from wildgate_service.normalize import NormalizedText

__all__ = ["find_contexts", "find_taxa", "match"]

NOTHING = Matches()


def match(text: NormalizedText, lexicon: CompiledLexicon) -> Matches:
    """All rules that fire in a text. Pure; the text's map is made only if something is found."""
    taxa = find_taxa(text, lexicon)
    if not taxa:
        return NOTHING
    found = find_contexts(text, lexicon)
    cues = tuple(each for each in found if each.kind is not RuleKind.BENIGN_CONTEXT)
    contexts = tuple(each for each in found if each.kind is RuleKind.BENIGN_CONTEXT)
    return settle(text.skeleton, taxa, cues, contexts, lexicon)
