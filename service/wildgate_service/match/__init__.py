"""Match: find every rule that fires, with the seller's own words, the views it took, its company and what explains it away.

Taxon rules (species, products, code words) are searched in every text; cues and contexts only in a text where one of those was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from wildgate_service.match.company import settle
from wildgate_service.match.effort import Effort
from wildgate_service.match.find import context_occurrences, matches_of, taxon_matches, taxon_occurrences, with_garbled
from wildgate_service.match.foreign import without_foreign
from wildgate_service.match.garbled import in_garbled, in_masked, is_garbled
from wildgate_service.match.thin import thin_contexts, thin_taxa
from wildgate_service.types import Match, Matches, RuleKind

if TYPE_CHECKING:
    from wildgate_service.match.tables import CompiledLexicon
    from wildgate_service.normalize import NormalizedText

NOTHING = Matches()


def match(text: NormalizedText, lexicon: CompiledLexicon) -> Matches:
    """All rules that fire in a text. Pure; the text's map is made only if something is found."""
    effort = Effort(len(text.document))
    taxa = taxon_occurrences(text, lexicon, effort)
    garbled = is_garbled(text, lexicon)
    if garbled:
        taxa = with_garbled(taxa, text, lexicon, lexicon.taxon_search, effort)
    if not taxa:
        return _as_read(NOTHING, effort)
    contexts = context_occurrences(text, lexicon, effort)
    if garbled:
        contexts = with_garbled(contexts, text, lexicon, lexicon.context_search, effort)
    taxa = thin_taxa(taxa, contexts, lexicon)
    found = tuple(matches_of(text, lexicon, thin_contexts(contexts, taxa)))
    cues = tuple(each for each in found if each.kind is not RuleKind.BENIGN_CONTEXT)
    benign = tuple(each for each in found if each.kind is RuleKind.BENIGN_CONTEXT)
    meant = without_foreign(text, taxon_matches(text, lexicon, taxa), found, lexicon)
    matches = settle(text.skeleton, meant, cues, benign, lexicon)
    taxa_as_read = in_garbled(matches.taxa) if garbled else in_masked(matches.taxa, text.tokens)
    return _as_read(msgspec.structs.replace(matches, taxa=taxa_as_read), effort)


def _as_read(matches: Matches, effort: Effort) -> Matches:
    return msgspec.structs.replace(matches, read_in_full=False, crowded=effort.is_crowded) if effort.is_spent else matches


def find_contexts(text: NormalizedText, lexicon: CompiledLexicon) -> tuple[Match, ...]:
    """Matches of cues and benign contexts alone, whether or not there is a taxon beside them: what the tests of such rules ask."""
    return tuple(matches_of(text, lexicon, context_occurrences(text, lexicon, Effort(len(text.document)))))
