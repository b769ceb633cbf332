"""The compiled lexicon: what the matcher reads. Plain tables and two automata in one content-hashed file."""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from pathlib import Path

import daachorse
import msgspec
from msgspec import Struct

from wildgate_service.errors import LexiconError
from wildgate_service.match.boundaries import Edge
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


class LanguageCount(Struct, frozen=True):
    """Rules and forms of one language."""

    language: str
    rules: int
    forms: int
    sourced_forms: int


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
    fuzzy: dict[str, tuple[int, ...]]
    taxa: dict[str, TaxonRow]
    unions: dict[str, tuple[str, ...]]  # market → unions whose lists hold there


class CompiledLexicon:
    """The tables with their automata ready to search. Immutable; shared by all calls of a process."""

    def __init__(self, tables: Tables, digest: str) -> None:
        self.tables = tables
        self.version = f"{tables.version}+{digest[:8]}"
        self.languages = tables.languages
        self.rules = tables.rules
        self.forms = tables.forms
        self.taxa = tables.taxa
        self._taxon_automaton = daachorse.CharwiseDoubleArrayAhoCorasick.deserialize(tables.taxon_automaton)
        self._context_automaton = daachorse.CharwiseDoubleArrayAhoCorasick.deserialize(tables.context_automaton)

    def places(self, market: str) -> frozenset[str]:
        """Markets whose protection lists hold in a market: everywhere (""), itself, and its unions."""
        return frozenset({"", market, *self.tables.unions.get(market, ())})

    def groups_of(self, taxa: tuple[str, ...]) -> tuple[str, ...]:
        """The groups of some taxa."""
        return tuple(dict.fromkeys(self.taxa[taxon].group for taxon in taxa))

    def find_taxa(self, text: str) -> list[tuple[int, int, int]]:
        """(start, end, pattern) of every occurrence, overlapping ones too, of a species, product or code word."""
        found: list[tuple[int, int, int]] = self._taxon_automaton.find_overlapping(text)
        return found

    def find_contexts(self, text: str) -> list[tuple[int, int, int]]:
        """The same of cues and benign contexts."""
        found: list[tuple[int, int, int]] = self._context_automaton.find_overlapping(text)
        return found

    @cached_property
    def rows(self) -> dict[str, RuleRow]:
        """Rule id → its row."""
        return {row.id: row for row in self.rules}

    @cached_property
    def requirements(self) -> dict[tuple[str, str], tuple[tuple[RuleKind, ...], int]]:
        """(rule id, form) → the kinds that must stand beside it, and how near; forms that ask for nothing are not in it."""
        return {(self.rules[form.rule].id, form.form): (form.requires, form.within) for form in self.forms if form.requires}

    @cached_property
    def deletions(self) -> dict[str, tuple[str, ...]]:
        """Each fuzzy form, and each with one letter left out → the forms: an index for edit distance 1 (SymSpell)."""
        index: dict[str, list[str]] = {}
        for form in self.tables.fuzzy:
            for key in {form, *one_deletion(form)}:
                index.setdefault(key, []).append(form)
        return {key: tuple(forms) for key, forms in index.items()}

    @cached_property
    def misspellings(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Memo: token → (word, the fuzzy form it misspells) in it. Bounded by its user."""
        return {}


def one_deletion(word: str) -> set[str]:
    """The word with each one letter left out."""
    return {word[:at] + word[at + 1 :] for at in range(len(word))}


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
