"""Linking: objects into the tables that the matcher reads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.gathering import Placed
from wildgate_service.lexicon.objects import Sealed
from wildgate_service.match.automaton import build_automaton
from wildgate_service.match.lost_marks import that_may_slip
from wildgate_service.match.packed import pack
from wildgate_service.match.partners import pairs_in
from wildgate_service.match.tables import BareUses, Form, LanguageCount, RuleRow, Tables, TaxonRow, Uses, requirements_of
from wildgate_service.types import TAXON_KINDS

Patterns = dict[str, list[int]]
BarePatterns = dict[str, list[tuple[int, str]]]
NO_WORDS: Mapping[str, str] = MappingProxyType({})


class Sources(NamedTuple):
    """What a lexicon is linked from: its objects in order, and the tables beside the rules.

    A further spelling of a form that is one of the `ordinary` words is left out; forms may be run together with the `common` ones.
    One that is a word of its own in another language is among the `homographs`.
    """

    placed: Sequence[Placed]
    taxa: dict[str, TaxonRow]
    version: str
    unions: dict[str, tuple[str, ...]]
    ordinary: Mapping[str, str] = NO_WORDS
    common: frozenset[str] = frozenset()
    homographs: Mapping[str, str] = NO_WORDS


class Linked(NamedTuple):
    """Rules, forms and patterns of some objects. Patterns name forms, which count from 0."""

    rules: tuple[RuleRow, ...]
    forms: Sequence[Form]
    taxon_patterns: Patterns
    context_patterns: Patterns
    bare_taxon_patterns: BarePatterns
    bare_context_patterns: BarePatterns
    sound_taxon_patterns: BarePatterns
    sound_context_patterns: BarePatterns


def link(sources: Sources, digest: str = "") -> Tables:
    """The tables of a whole lexicon. Raises LexiconError with file and line for an id that stands twice or a taxon that nobody knows."""
    check_ids(sources.placed)
    objects = [each.object for each in sources.placed]
    rows = [rows_of(each, sources.taxa) for each in sources.placed]
    linked = linked_objects(objects, rows, sources.ordinary)
    words = [each.all_words() for each in objects]
    taxon_phrases, context_phrases = (in_order(union(each.phrases[sort] for each in words)) for sort in (0, 1))
    taxon_pairs, context_pairs = pairs_in(taxon_phrases), pairs_in(context_phrases)
    return Tables(
        version=sources.version,
        languages=languages_of(objects),
        rules=linked.rules,
        forms=pack(linked.forms),
        taxon_patterns=pack(uses_of(linked.taxon_patterns)),
        context_patterns=pack(uses_of(linked.context_patterns)),
        taxon_automaton=build_automaton(tuple(linked.taxon_patterns)),
        context_automaton=build_automaton(tuple(linked.context_patterns)),
        taxa=sources.taxa,
        unions=sources.unions,
        requirements=tuple(requirements_of(linked.forms, linked.rules)),
        bare_taxon_patterns=pack(bare_uses_of(linked.bare_taxon_patterns)),
        bare_context_patterns=pack(bare_uses_of(linked.bare_context_patterns)),
        bare_taxon_automaton=build_automaton(tuple(linked.bare_taxon_patterns)),
        bare_context_automaton=build_automaton(tuple(linked.bare_context_patterns)),
        sound_taxon_patterns=pack(bare_uses_of(linked.sound_taxon_patterns)),
        sound_context_patterns=pack(bare_uses_of(linked.sound_context_patterns)),
        sound_taxon_automaton=build_automaton(tuple(linked.sound_taxon_patterns)),
        sound_context_automaton=build_automaton(tuple(linked.sound_context_patterns)),
        markless_taxon_uses=that_may_slip(chain.from_iterable(linked.bare_taxon_patterns.values())),
        markless_context_uses=that_may_slip(chain.from_iterable(linked.bare_context_patterns.values())),
        taxon_words=in_order(union(each.words[0] for each in words)),
        context_words=in_order(union(each.words[1] for each in words)),
        taxon_phrases=taxon_phrases,
        context_phrases=context_phrases,
        taxon_pair_words=taxon_pairs.words,
        taxon_pair_starts=taxon_pairs.starts,
        taxon_pair_partners=taxon_pairs.partners,
        context_pair_words=context_pairs.words,
        context_pair_starts=context_pairs.starts,
        context_pair_partners=context_pairs.partners,
        common=in_order(sources.common),
        ordinary=_by_languages(sources.ordinary),
        homographs=_by_languages(sources.homographs),
        glue=in_order(union(each.glue for each in words)),
        manifest=tuple(each.key for each in sources.placed),
        digest=digest,
    )


def linked_objects(objects: Sequence[Sealed], rows: Sequence[tuple[RuleRow, ...]], ordinary: Container[str], first_rule: int = 0) -> Linked:
    """Some objects with the rows of their rules, linked; forms name the rules by numbers from `first_rule` on."""
    rules, forms = tuple(row for each in rows for row in each), list[Form]()
    plain: tuple[Patterns, Patterns] = (defaultdict(list), defaultdict(list))
    bare: tuple[BarePatterns, BarePatterns] = (defaultdict(list), defaultdict(list))
    sound: tuple[BarePatterns, BarePatterns] = (defaultdict(list), defaultdict(list))
    linked = Linked(rules, forms, *plain, *bare, *sound)
    for each in (sealed.opened() for sealed in objects):
        first = len(forms)
        forms += (msgspec.structs.replace(form, rule=form.rule + first_rule) for form in each.forms) if first_rule else each.forms
        first_rule += len(each.heads)
        of_taxa = [head.row.kind in TAXON_KINDS for head in each.heads]
        for pattern, use, shapes, sounds in zip(each.patterns, each.uses, each.bare, each.sounds, strict=True):
            form = each.forms[use]
            if form.view and pattern in ordinary:
                continue
            taxon = of_taxa[form.rule]
            (linked.taxon_patterns if taxon else linked.context_patterns)[pattern].append(first + use)
            of_shapes = linked.bare_taxon_patterns if taxon else linked.bare_context_patterns
            for shape in shapes:
                of_shapes[shape].append((first + use, pattern))
            of_sounds = linked.sound_taxon_patterns if taxon else linked.sound_context_patterns
            for each_sound in sounds:
                of_sounds[each_sound.code].append((first + use, each_sound.latin))
    return linked


def uses_of(patterns: Patterns) -> tuple[Uses, ...]:
    """The forms of each pattern, in the order in which an automaton numbers them."""
    return tuple(map(tuple, patterns.values()))


def bare_uses_of(patterns: BarePatterns) -> tuple[BareUses, ...]:
    """The same of bare readings."""
    return tuple(map(tuple, patterns.values()))


def union(words: Iterable[frozenset[str]]) -> frozenset[str]:
    """All words of some sets."""
    return frozenset[str]().union(*words)


def in_order(words: Iterable[str]) -> tuple[str, ...]:
    """Words in one order, so that the tables of the same files are the same bytes."""
    return tuple(sorted(words))


def _by_languages(words: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The languages of some words → the words, both in order."""
    groups: dict[str, list[str]] = defaultdict(list)
    for word in sorted(words):
        groups[words[word]].append(word)
    return {languages: tuple(groups[languages]) for languages in sorted(groups)}


def rows_of(placed: Placed, taxa: dict[str, TaxonRow]) -> tuple[RuleRow, ...]:
    """The rows of an object's rules with their groups. Raises LexiconError with file and line for a taxon that nobody knows."""
    for head in placed.object.heads:
        unknown = [taxon for taxon in head.taxa if taxon not in taxa]
        if unknown:
            problem = f"rule {head.row.id}: taxa not in taxa.csv: {', '.join(unknown)}"
            raise LexiconError(problem, file=head.file, line=placed.line_of(head))
    rows = (head.row for head in placed.object.heads)
    return tuple(msgspec.structs.replace(row, groups=tuple(dict.fromkeys(taxa[taxon].group for taxon in row.taxa))) for row in rows)


def languages_of(objects: Iterable[Sealed]) -> tuple[LanguageCount, ...]:
    """Rules and forms by language, in the order of the languages' tags."""
    rules: Counter[str] = Counter()
    forms: Counter[str] = Counter()
    sourced: Counter[str] = Counter()
    for head in (head for each in objects for head in each.heads):
        language = head.row.language
        rules[language] += 1
        forms[language] += head.forms
        sourced[language] += head.sourced_forms
    return tuple(LanguageCount(name, rules[name], forms[name], sourced[name]) for name in sorted(rules))


def check_ids(placed: Iterable[Placed]) -> None:
    """Raise LexiconError with file and line for an id that stands twice."""
    seen: dict[str, str] = {}
    for each in placed:
        for head in each.object.heads:
            place = f"{head.file}:{each.line_of(head)}"
            other = seen.setdefault(head.row.id, place)
            if other is not place:
                raise LexiconError(f"id {head.row.id} stands already at {other}", file=head.file, line=each.line_of(head))
