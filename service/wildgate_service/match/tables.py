"""The compiled lexicon: what the matcher reads. Plain tables and four automata; `stored` keeps them in files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

import msgspec
from msgspec import Struct

from wildgate_service.match.automaton import Automaton, Found, Lookup, Table, open_automaton, without_floods
from wildgate_service.match.boundaries import Edge
from wildgate_service.match.lost_marks import MarklessSearch
from wildgate_service.match.misspelling import Spelled, Speller
from wildgate_service.match.packed import Block, Packed, pack
from wildgate_service.match.partners import Pairs
from wildgate_service.types import Level, RuleKind

EVERY_GROUP = "*"


class Form(Struct, frozen=True, array_like=True, gc=False):
    """One way to write a rule's form. `rule` is an index; `marked` is the form with its protected marks, else ""."""

    rule: int
    form: str
    gloss: str
    level: Level
    left: Edge
    right: Edge
    marked: str = ""
    requires: tuple[RuleKind, ...] = ()
    within: int = 0
    sourced: bool = False
    view: str = ""
    fuzzy: bool = False  # whether it is read one letter wrong without other words of its own beside it
    taxa: tuple[str, ...] = ()  # those that the form itself names, where the rule has more; else ()


class RuleRow(Struct, frozen=True, array_like=True, gc=False):
    """What the matcher needs to know of a rule."""

    id: str
    kind: RuleKind
    language: str
    taxa: tuple[str, ...]
    groups: tuple[str, ...]
    cue_type: str
    restricted: bool
    reviewed: bool
    cancels: tuple[str, ...]
    cancels_within: int
    cancels_forms: tuple[str, ...]  # the only ones that it cancels, in whatever language; () for all of its own
    weakens: tuple[str, ...]
    weakens_within: int


class Listed(Struct, frozen=True, array_like=True):
    """A taxon on a protection list of a market ("" is everywhere) between two ISO dates ("" is open)."""

    list: str
    appendix: str
    market: str
    valid_from: str
    valid_to: str


class TaxonRow(Struct, frozen=True, array_like=True):
    """A taxon, its group and the lists that name it."""

    scientific_name: str
    group: str
    lists: tuple[Listed, ...]


def lists_in_force(taxon: TaxonRow, places: Iterable[str] | None, day: str) -> tuple[Listed, ...]:
    """The lists that name a taxon in some places on an ISO day, CITES first, then by name.

    `places` are those of `CompiledLexicon.places(market)`: everywhere (""), the market, its unions; None is anywhere. A row holds from its
    first day to its last, both included.
    """
    there = None if places is None else frozenset(places)
    valid = (each for each in taxon.lists if (there is None or each.market in there) and each.valid_from <= day <= (each.valid_to or day))
    return tuple(sorted(valid, key=lambda each: (each.list != "CITES", each.list, each.market)))


class LanguageCount(Struct, frozen=True):
    """Rules and forms of one language."""

    language: str
    rules: int
    forms: int
    sourced_forms: int


Uses = tuple[int, ...]
BareUses = tuple[tuple[int, str], ...]
EMPTY = pack(())


class RequirementRow(Struct, frozen=True, array_like=True):
    """What must stand beside a form of a rule: one of some kinds, within so many code points."""

    rule_id: str
    form: str
    kinds: tuple[RuleKind, ...]
    within: int


class Tables(Struct, frozen=True):
    """Content of a compiled file. The i-th of `taxon_patterns` are the indices of the forms written as the i-th pattern."""

    version: str  # SemVer of the content
    languages: tuple[LanguageCount, ...]
    rules: tuple[RuleRow, ...]
    forms: Block  # of Form
    taxon_patterns: Block  # of Uses
    context_patterns: Block
    taxon_automaton: bytes
    context_automaton: bytes
    taxa: dict[str, TaxonRow]
    unions: dict[str, tuple[str, ...]]  # market → unions whose lists hold there
    requirements: tuple[RequirementRow, ...] = ()
    bare_taxon_patterns: Block = EMPTY  # of BareUses: the same of bare readings, each form with its folded spelling
    bare_context_patterns: Block = EMPTY
    bare_taxon_automaton: bytes = b""
    bare_context_automaton: bytes = b""
    sound_taxon_patterns: Block = EMPTY  # of BareUses: the same of sound readings, each form with its Latin letters
    sound_context_patterns: Block = EMPTY
    sound_taxon_automaton: bytes = b""
    sound_context_automaton: bytes = b""
    markless_taxon_uses: BareUses = ()  # forms of scripts in which a mark may be lost, each with its folded spelling
    markless_context_uses: BareUses = ()
    taxon_words: tuple[str, ...] = ()  # words of taxon rules' forms that bear a misspelling
    context_words: tuple[str, ...] = ()  # the same of cues and contexts
    taxon_phrases: tuple[str, ...] = ()  # words that are such a form by themselves, pairs that stand side by side in one
    context_phrases: tuple[str, ...] = ()
    taxon_pair_words: tuple[str, ...] = ()  # words of such pairs, by number
    taxon_pair_starts: bytes = b""  # by these numbers where their partners begin (`Pairs`)
    taxon_pair_partners: bytes = b""
    context_pair_words: tuple[str, ...] = ()
    context_pair_starts: bytes = b""
    context_pair_partners: bytes = b""
    common: tuple[str, ...] = ()  # words that forms may be run together with
    ordinary: dict[str, tuple[str, ...]] = {}  # languages ("de en") → words never read as a misspelling of a form of one
    homographs: dict[str, tuple[str, ...]] = {}  # languages → words of forms that mean something else in these
    glue: tuple[str, ...] = ()  # words that may be written together with a form
    manifest: tuple[str, ...] = ()  # keys of the objects that the tables were linked from, in their order
    digest: str = ""  # hash of what the tables were made from; "": of themselves


Requirement = tuple[tuple[RuleKind, ...], int]  # kinds, and within how many code points one of them


def requirements_of(forms: Iterable[Form], rules: Lookup[RuleRow]) -> Iterator[RequirementRow]:
    """What must stand beside those of some forms that ask for anything."""
    return (RequirementRow(rules[form.rule].id, form.form, form.requires, form.within) for form in forms if form.requires)


def by_form(rows: Iterable[RequirementRow]) -> dict[tuple[str, str], Requirement]:
    """(rule id, form) → the kinds that must stand beside it, and how near."""
    return {(row.rule_id, row.form): (row.kinds, row.within) for row in rows}


class Search(NamedTuple):
    """What finds the forms of one sort: automata over skeletons, over bare readings and over sounds, and a speller.

    `patterns[i]` are the indices of the forms written as the i-th pattern of the first; `bare_patterns[i]` those of the second with their
    folded spelling, `sound_patterns[i]` those found by their sound with their Latin letters. `glue` are words that may be written together
    with a form, `markless` finds forms with wrong marks.
    """

    automaton: Automaton
    patterns: Lookup[Uses]
    bare_automaton: Automaton
    bare_patterns: Lookup[BareUses]
    sound_automaton: Automaton
    sound_patterns: Lookup[BareUses]
    speller: Speller
    glue: frozenset[str]
    markless: MarklessSearch

    def find(self, text: str) -> Found:
        """(start, end, pattern) of occurrences in a skeleton, overlapping ones too; of a pattern that floods it some."""
        return without_floods(self.automaton.find_overlapping(text), text, self.patterns)

    def find_bare(self, text: str) -> Found:
        """The same in a bare reading."""
        return without_floods(self.bare_automaton.find_overlapping(text), text, self.bare_patterns)

    def find_sound(self, code: str) -> Found:
        """The same in the sound of a text."""
        return without_floods(self.sound_automaton.find_overlapping(code), code, self.sound_patterns)


class CompiledLexicon(Struct, frozen=True, kw_only=True):
    """The tables with their automata ready to search. Immutable; shared by all calls of a process.

    `forms` stand in the order of the files. `rules` has what forms name by number; `rows` are the rules in force by their ids.
    `requirements` says by (rule id, form) what must stand beside a form that asks for it. `digest` is of what the tables were made from,
    and `below` the lexicon that this one is laid over, if it is.
    """

    version: str
    digest: str
    languages: tuple[LanguageCount, ...]
    rules: Lookup[RuleRow]
    forms: Table[Form]
    rows: dict[str, RuleRow]
    requirements: dict[tuple[str, str], Requirement]
    taxa: dict[str, TaxonRow]
    unions: dict[str, tuple[str, ...]]
    ordinary: Mapping[str, str]  # ordinary word → the languages it is ordinary in ("de en")
    homographs: Mapping[str, str]  # single word of a form → the languages in which it means something else
    taxon_search: Search  # what finds species, products and code words
    context_search: Search  # what finds cues and benign contexts
    below: CompiledLexicon | None = None

    @property
    def base(self) -> CompiledLexicon:
        """The lexicon that nothing lies under: this one, or that it is laid over."""
        return self.below or self

    def places(self, market: str) -> frozenset[str]:
        """Markets whose protection lists hold in a market: everywhere (""), itself, and its unions."""
        return frozenset({"", market, *self.unions.get(market, ())})

    def groups_of(self, taxa: tuple[str, ...]) -> tuple[str, ...]:
        """The groups of some taxa."""
        return tuple(dict.fromkeys(self.taxa[taxon].group for taxon in taxa))


def opened(tables: Tables, digest: str) -> CompiledLexicon:
    """Tables made ready to search; what they were made from is as they say, or `digest`."""
    digest = tables.digest or digest
    ordinary, glue = by_word(tables.ordinary), frozenset(tables.glue)
    common, known = frozenset(tables.common), known_words(tables)
    taxon_pairs = Pairs(tables.taxon_pair_words, tables.taxon_pair_starts, tables.taxon_pair_partners)
    context_pairs = Pairs(tables.context_pair_words, tables.context_pair_starts, tables.context_pair_partners)
    return CompiledLexicon(
        version=version_of(tables.version, digest),
        digest=digest,
        languages=tables.languages,
        rules=tables.rules,
        forms=Packed(tables.forms, Form),
        rows={row.id: row for row in tables.rules},
        requirements=by_form(tables.requirements),
        taxa=tables.taxa,
        unions=tables.unions,
        ordinary=ordinary,
        homographs=by_word(tables.homographs),
        taxon_search=Search(
            open_automaton(tables.taxon_automaton),
            Packed(tables.taxon_patterns, Uses),
            open_automaton(tables.bare_taxon_automaton),
            Packed(tables.bare_taxon_patterns, BareUses),
            open_automaton(tables.sound_taxon_automaton),
            Packed(tables.sound_taxon_patterns, BareUses),
            Speller(Spelled.of(tables.taxon_words, ordinary, frozenset(tables.taxon_phrases), common, known, taxon_pairs)),
            glue,
            MarklessSearch(tables.markless_taxon_uses),
        ),
        context_search=Search(
            open_automaton(tables.context_automaton),
            Packed(tables.context_patterns, Uses),
            open_automaton(tables.bare_context_automaton),
            Packed(tables.bare_context_patterns, BareUses),
            open_automaton(tables.sound_context_automaton),
            Packed(tables.sound_context_patterns, BareUses),
            Speller(Spelled.of(tables.context_words, ordinary, frozenset(tables.context_phrases), common, known, context_pairs)),
            glue,
            MarklessSearch(tables.markless_context_uses),
        ),
    )


def by_word(words: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Languages → words, as word → languages."""
    return {word: languages for languages, each in words.items() for word in each}


def known_words(tables: Tables) -> frozenset[str]:
    """Words that may be run together: common ones, and those of forms."""
    of_pairs = without_letters(chain(tables.taxon_pair_words, tables.context_pair_words))
    alone = without_letters(phrase for phrase in chain(tables.taxon_phrases, tables.context_phrases) if " " not in phrase)
    return frozenset(chain(tables.common, tables.taxon_words, tables.context_words, of_pairs, alone))


def words_of_phrases(phrases: Iterable[str]) -> frozenset[str]:
    """The words of phrases, without single letters."""
    return frozenset(without_letters(word for phrase in phrases for word in phrase.split()))


def without_letters(words: Iterable[str]) -> Iterator[str]:
    """Words without those of a single letter."""
    return (word for word in words if len(word) > 1)


def version_of(content: str, digest: str) -> str:
    """What answers call a lexicon: the version of its content, and what of its digest tells one from another."""
    return f"{content}+{digest[:8]}"


def compiled_in_memory(tables: Tables) -> CompiledLexicon:
    """Tables that stand in no file, ready to search."""
    return opened(tables, hashlib.sha256(msgspec.msgpack.encode(tables)).hexdigest())
