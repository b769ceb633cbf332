"""The compiled lexicon: what the matcher reads. Plain tables and two automata in one content-hashed file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import daachorse
import msgspec
from msgspec import Struct

from wildgate_service.errors import LexiconError
from wildgate_service.match.automaton import open_automaton
from wildgate_service.match.boundaries import Edge
from wildgate_service.match.misspelling import Speller
from wildgate_service.types import Level, RuleKind

MAGIC = b"wildgate-lexicon-1\n"
EVERY_GROUP = "*"


class Form(Struct, frozen=True, array_like=True):
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


class RuleRow(Struct, frozen=True, array_like=True):
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


BareUses = tuple[tuple[int, str], ...]


NOTHING_ADDED = ((0, b""),) * 6


class Tables(Struct, frozen=True):
    """Content of a compiled file. `taxon_patterns[i]` are the indices of the forms written as the i-th pattern."""

    version: str  # SemVer of the content
    languages: tuple[LanguageCount, ...]
    rules: tuple[RuleRow, ...]
    forms: tuple[Form, ...]
    taxon_patterns: tuple[tuple[int, ...], ...]
    context_patterns: tuple[tuple[int, ...], ...]
    taxon_automaton: bytes
    context_automaton: bytes
    taxa: dict[str, TaxonRow]
    unions: dict[str, tuple[str, ...]]  # market → unions whose lists hold there
    bare_taxon_patterns: tuple[BareUses, ...] = ()  # the same of bare readings, each form with its folded spelling
    bare_context_patterns: tuple[BareUses, ...] = ()
    bare_taxon_automaton: bytes = b""
    bare_context_automaton: bytes = b""
    sound_taxon_patterns: tuple[BareUses, ...] = ()  # the same of sound readings, each form with its Latin letters
    sound_context_patterns: tuple[BareUses, ...] = ()
    sound_taxon_automaton: bytes = b""
    sound_context_automaton: bytes = b""
    taxon_words: tuple[str, ...] = ()  # words of taxon rules' forms that bear a misspelling
    context_words: tuple[str, ...] = ()  # the same of cues and contexts
    ordinary: tuple[str, ...] = ()  # words never read as a misspelling
    glue: tuple[str, ...] = ()  # words that may be written together with a form
    added: tuple[tuple[int, bytes], ...] = NOTHING_ADDED  # beside each of the six: first pattern and automaton of those that came later
    digest: str = ""  # hash of what the tables were made from; "": of themselves


class CompiledLexicon:
    """The tables with their automata ready to search. Immutable; shared by all calls of a process."""

    def __init__(self, tables: Tables, digest: str) -> None:
        self.tables = tables
        self.version = f"{tables.version}+{(tables.digest or digest)[:8]}"
        self.languages = tables.languages
        self.rules = tables.rules
        self.forms = tables.forms
        self.taxa = tables.taxa
        six = (
            tables.taxon_automaton,
            tables.context_automaton,
            tables.bare_taxon_automaton,
            tables.bare_context_automaton,
            tables.sound_taxon_automaton,
            tables.sound_context_automaton,
        )
        self._automata = tuple(open_automaton(automaton, *added) for automaton, added in zip(six, tables.added, strict=True))

    def places(self, market: str) -> frozenset[str]:
        """Markets whose protection lists hold in a market: everywhere (""), itself, and its unions."""
        return frozenset({"", market, *self.tables.unions.get(market, ())})

    def groups_of(self, taxa: tuple[str, ...]) -> tuple[str, ...]:
        """The groups of some taxa."""
        return tuple(dict.fromkeys(self.taxa[taxon].group for taxon in taxa))

    @cached_property
    def _ordinary(self) -> frozenset[str]:
        return frozenset(self.tables.ordinary)

    @cached_property
    def _glue(self) -> frozenset[str]:
        return frozenset(self.tables.glue)

    @cached_property
    def taxon_search(self) -> Search:
        """What finds species, products and code words."""
        tables = self.tables
        return Search(
            self._automata[0],
            tables.taxon_patterns,
            self._automata[2],
            tables.bare_taxon_patterns,
            self._automata[4],
            tables.sound_taxon_patterns,
            Speller(frozenset(tables.taxon_words), self._ordinary),
            self._glue,
        )

    @cached_property
    def context_search(self) -> Search:
        """What finds cues and benign contexts."""
        tables = self.tables
        return Search(
            self._automata[1],
            tables.context_patterns,
            self._automata[3],
            tables.bare_context_patterns,
            self._automata[5],
            tables.sound_context_patterns,
            Speller(frozenset(tables.context_words), self._ordinary),
            self._glue,
        )

    @cached_property
    def rows(self) -> dict[str, RuleRow]:
        """Rule id → its row."""
        return {row.id: row for row in self.rules}

    @cached_property
    def requirements(self) -> dict[tuple[str, str], tuple[tuple[RuleKind, ...], int]]:
        """(rule id, form) → the kinds that must stand beside it, and how near; forms that ask for nothing are not in it."""
        return {(self.rules[form.rule].id, form.form): (form.requires, form.within) for form in self.forms if form.requires}


class Search(NamedTuple):
    """What finds the forms of one sort: automata over skeletons, over bare readings and over sounds, and a speller.

    `patterns[i]` are the indices of the forms written as the i-th pattern of the first; `bare_patterns[i]` those of the second with their
    folded spelling, `sound_patterns[i]` those found by their sound with their Latin letters. `glue` are words that may be written together
    with a form.
    """

    automaton: daachorse.CharwiseDoubleArrayAhoCorasick
    patterns: tuple[tuple[int, ...], ...]
    bare_automaton: daachorse.CharwiseDoubleArrayAhoCorasick
    bare_patterns: tuple[BareUses, ...]
    sound_automaton: daachorse.CharwiseDoubleArrayAhoCorasick
    sound_patterns: tuple[BareUses, ...]
    speller: Speller
    glue: frozenset[str]

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """(start, end, pattern) of every occurrence in a skeleton, overlapping ones too."""
        found: list[tuple[int, int, int]] = self.automaton.find_overlapping(text)
        return found

    def find_bare(self, text: str) -> list[tuple[int, int, int]]:
        """The same in a bare reading."""
        found: list[tuple[int, int, int]] = self.bare_automaton.find_overlapping(text)
        return found

    def find_sound(self, code: str) -> list[tuple[int, int, int]]:
        """The same in the sound of a text."""
        found: list[tuple[int, int, int]] = self.sound_automaton.find_overlapping(code)
        return found


def write_compiled(tables: Tables, path: Path) -> None:
    """Write a compiled file in one step: it appears whole or not at all."""
    body = msgspec.msgpack.encode(tables)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_bytes(MAGIC + hashlib.sha256(body).digest() + body)
    partial.replace(path)


def load_compiled(path: Path) -> CompiledLexicon:
    """Read a compiled file and check its hash. Raises LexiconError if it is missing, foreign or damaged."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LexiconError(f"compiled lexicon cannot be read: {error.strerror}; compile it again", file=str(path)) from error
    head = len(MAGIC) + hashlib.sha256().digest_size
    if not content.startswith(MAGIC):
        raise LexiconError("not a compiled lexicon of this version; compile it again", file=str(path))
    if hashlib.sha256(content[head:]).digest() != content[len(MAGIC) : head]:
        raise LexiconError("compiled lexicon is damaged; delete it and compile again", file=str(path))
    return CompiledLexicon(msgspec.msgpack.decode(content[head:], type=Tables), content[len(MAGIC) : head].hex())


def compiled_in_memory(tables: Tables) -> CompiledLexicon:
    """The same without a file."""
    return CompiledLexicon(tables, hashlib.sha256(msgspec.msgpack.encode(tables)).hexdigest())
