"""From files to tables: each rule file becomes an object, and the objects are linked into tables and two automata."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import msgspec

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.files import File, Files, Reader
from wildgate_service.lexicon.indices import Indexer, Indexing, index_anew
from wildgate_service.lexicon.objects import (
    LexiconObject,
    Objects,
    RuleHead,
    encode_objects,
    load_objects,
    object_of,
    object_of_text,
    place,
)
from wildgate_service.lexicon.ordinary import FILE as ORDINARY_WORDS
from wildgate_service.lexicon.ordinary import ordinary_words_of
from wildgate_service.lexicon.parts import encode_parts, parts_path
from wildgate_service.lexicon.rules import Rule
from wildgate_service.lexicon.taxa import taxa_of, unions_of
from wildgate_service.match.tables import (
    CompiledLexicon,
    LanguageCount,
    RuleRow,
    Tables,
    TaxonRow,
    compiled_in_memory,
    write_compiled,
)
from wildgate_service.types import TAXON_KINDS

KEPT_FILES = 4  # compiled files in a cache: the one served, and some that a change may come back to

_taxa_of = lru_cache(1)(taxa_of)  # tables change seldom and rules often
_ordinary_words_of = lru_cache(1)(ordinary_words_of)

Patterns = dict[str, list[int]]
BarePatterns = dict[str, list[tuple[int, str]]]


def compile_lexicons(root: Path, output: Path, packs: tuple[Path, ...] = ()) -> Path:
    """Compile a lexicon folder and restricted packs into one file in `output`, named by the hash of what it is made from; returns its path.

    Returns at once if that file is there: neither the rules nor this code changed. Raises LexiconError with file and line at the first
    thing that is broken; then nothing is written.
    """
    compiler = Compiler(root, output, packs)
    path = compiler.compile()
    compiler.finish()
    return path


def lexicon_in_memory(root: Path, packs: tuple[Path, ...] = ()) -> CompiledLexicon:
    """The same without a file, for tests and the linter."""
    return compiled_in_memory(tables_of(root, packs))


def tables_of(root: Path, packs: tuple[Path, ...] = ()) -> Tables:
    """The tables of a lexicon folder and restricted packs."""
    files = Reader(root, packs).read()
    return _tables(files, [object_of_text(file.text(), file.name) for file in files.rules], index_anew)


def build_tables(
    rules: tuple[Rule, ...], taxa: dict[str, TaxonRow], version: str, unions: dict[str, tuple[str, ...]] | None = None
) -> Tables:
    """The tables of some rules."""
    return link([object_of(rules)], taxa, version, unions or {})


class Compiler:
    """Compiles one lexicon folder with its packs again and again, and keeps what each file came to: only changed ones cost anything."""

    def __init__(self, root: Path, output: Path, packs: tuple[Path, ...] = ()) -> None:
        self._reader = Reader(root, packs)
        self._output = output
        self._code = _hash_of_code()
        folders = "\0".join(str(folder.resolve()) for folder in (root, *packs))
        self._kept = output / f"objects-{_hash(self._code, folders)[:16]}.bin"
        self._objects: Objects = {}
        self._index = Indexing()
        self._unwritten: tuple[Tables, Path] | None = None

    def read(self, *, trust_times: bool = False) -> Files:
        """The files as they are now. Raises LexiconError if there are none."""
        return self._reader.read(trust_times=trust_times)

    def compile(self, files: Files | None = None) -> Path:
        """Compile the files given, or those on disk now; the path is that of `compile_lexicons`, but only its parts may be there.

        They are what a process that serves loads; `finish` writes the rest.
        """
        files = files or self.read()
        digest = _hash(self._code, files.digest)
        path = self._output / f"lexicon-{digest[:16]}.bin"
        if not path.exists() or not parts_path(path).exists():
            tables = msgspec.structs.replace(self._link(files), digest=digest)
            _write_whole(parts_path(path), encode_parts(tables))
            self._unwritten = (tables, path)
        else:
            path.touch()
            parts_path(path).touch()
        return path

    def finish(self) -> None:
        """Write the file that the next process starts from, and delete those of long ago."""
        if self._unwritten:
            tables, path = self._unwritten
            write_compiled(tables, path)
            path.chmod(0o600)  # packs are restricted
        self._unwritten = None
        _prune(self._output)

    def warm_up(self) -> None:
        """Do all but the writing if nothing was done yet, so that the next change finds the rest done."""
        if not self._objects:
            self._link(self.read())

    def _link(self, files: Files) -> Tables:
        cold = not self._objects
        before = load_objects(self._kept) if cold else self._objects
        self._objects, parsed = {}, 0
        try:
            for file in files.rules:
                key = _key(file)
                if key in before:
                    self._objects[key] = before.pop(key)
                else:
                    self._objects[key] = object_of_text(file.text(), file.name)
                    parsed += 1
        except LexiconError:
            self._objects |= before  # what is not broken need not be parsed again when the rest is mended
            raise
        self._objects = dict(zip(self._objects, place(self._objects.values()), strict=True))
        if cold and parsed:
            _write_whole(self._kept, encode_objects(self._objects))
        return _tables(files, self._objects.values(), self._index)


def _key(file: File) -> str:
    """What an object is kept under; a file that cannot be read has none."""
    return f"{file.name}\0{file.digest}"


def _tables(files: Files, objects: Iterable[LexiconObject], index: Indexer) -> Tables:
    taxa = _taxa_of(files.text_of("taxa.csv"), files.text_of("protection.csv"))
    for pack in files.packs:
        taxa = _with_taxa(taxa, pack, files)
    ordinary = _ordinary_words_of(files.text_of(ORDINARY_WORDS)) if ORDINARY_WORDS in files.tables else frozenset()
    return link(objects, taxa, files.version, unions_of(files.text_of("unions.csv")), index, ordinary)


def _with_taxa(taxa: dict[str, TaxonRow], pack: str, files: Files) -> dict[str, TaxonRow]:
    """The taxa and those that a pack adds. Raises LexiconError if it names one anew."""
    name = f"{pack}/taxa.csv"
    if name not in files.tables:
        return taxa
    added = taxa_of(files.text_of(name), files.text_of(f"{pack}/protection.csv"), f"{pack}/")
    again = next((taxon for taxon in added if taxon in taxa), None)
    if again:
        raise LexiconError(f"taxon {again} stands already in another taxa.csv; a pack can only add taxa", file=name, line=1)
    return taxa | added


def link(
    objects: Iterable[LexiconObject],
    taxa: dict[str, TaxonRow],
    version: str,
    unions: dict[str, tuple[str, ...]],
    index: Indexer = index_anew,
    ordinary: frozenset[str] = frozenset(),
) -> Tables:
    """The tables of some objects. Raises LexiconError with file and line for an id that stands twice or a taxon that nobody knows.

    A further spelling of a form that is one of the `ordinary` words is left out.
    """
    objects = list(place(objects))
    heads = [head for each in objects for head in each.heads]
    _check_ids(heads)
    of_taxa = [head.row.kind in TAXON_KINDS for head in heads]
    patterns, contexts = _patterns(objects, of_taxa, ordinary)
    bare_patterns, bare_contexts = _bare_patterns(objects, of_taxa, ordinary)
    sound_patterns, sound_contexts = _sound_patterns(objects, of_taxa)
    found = (
        index("taxon", patterns),
        index("context", contexts),
        index("bare_taxon", bare_patterns),
        index("bare_context", bare_contexts),
        index("sound_taxon", sound_patterns),
        index("sound_context", sound_contexts),
    )
    return Tables(
        version=version,
        languages=_counts(heads),
        rules=tuple(_row(head, taxa) for head in heads),
        forms=tuple(form for each in objects for form in each.forms),
        taxon_patterns=found[0].uses,
        context_patterns=found[1].uses,
        taxon_automaton=found[0].automaton,
        context_automaton=found[1].automaton,
        taxa=taxa,
        unions=unions,
        bare_taxon_patterns=found[2].uses,
        bare_context_patterns=found[3].uses,
        bare_taxon_automaton=found[2].automaton,
        bare_context_automaton=found[3].automaton,
        sound_taxon_patterns=found[4].uses,
        sound_context_patterns=found[5].uses,
        sound_taxon_automaton=found[4].automaton,
        sound_context_automaton=found[5].automaton,
        taxon_words=_sorted(each.words[0] for each in objects),
        context_words=_sorted(each.words[1] for each in objects),
        ordinary=_sorted([ordinary]),
        glue=_sorted(each.glue for each in objects),
        added=tuple((each.first, each.added) for each in found),
    )


def _sorted(words: Iterable[frozenset[str]]) -> tuple[str, ...]:
    """All words in one order, so that the tables of the same files are the same bytes."""
    return tuple(sorted(frozenset[str]().union(*words)))


def _patterns(objects: Iterable[LexiconObject], of_taxa: list[bool], ordinary: frozenset[str]) -> tuple[Patterns, Patterns]:
    """Pattern → indices of its forms: of species, products and code words; of cues and contexts."""
    taxon_patterns: Patterns = defaultdict(list)
    context_patterns: Patterns = defaultdict(list)
    first = 0
    for each in objects:
        for pattern, use in zip(each.patterns, each.uses, strict=True):
            form = each.forms[use]
            patterns = taxon_patterns if of_taxa[form.rule] else context_patterns
            if not (form.view and pattern in ordinary):
                patterns[pattern].append(first + use)
        first += len(each.forms)
    return taxon_patterns, context_patterns


def _bare_patterns(objects: Iterable[LexiconObject], of_taxa: list[bool], ordinary: frozenset[str]) -> tuple[BarePatterns, BarePatterns]:
    """Shape in a bare reading → its forms with their folded spellings: of species, products and code words; of cues and contexts."""
    taxa: BarePatterns = defaultdict(list)
    contexts: BarePatterns = defaultdict(list)
    first = 0
    for each in objects:
        for pattern, use, shapes in zip(each.patterns, each.uses, each.bare, strict=True):
            form = each.forms[use]
            patterns = taxa if of_taxa[form.rule] else contexts
            for shape in () if form.view and pattern in ordinary else shapes:
                patterns[shape].append((first + use, pattern))
        first += len(each.forms)
    return taxa, contexts


def _sound_patterns(objects: Iterable[LexiconObject], of_taxa: list[bool]) -> tuple[BarePatterns, BarePatterns]:
    """Sound → its forms with their Latin letters: of species, products and code words; of cues and contexts."""
    taxa: BarePatterns = defaultdict(list)
    contexts: BarePatterns = defaultdict(list)
    first = 0
    for each in objects:
        for use, sounds in zip(each.uses, each.sounds, strict=True):
            patterns = taxa if of_taxa[each.forms[use].rule] else contexts
            for sound in sounds:
                patterns[sound.code].append((first + use, sound.latin))
        first += len(each.forms)
    return taxa, contexts


def _row(head: RuleHead, taxa: dict[str, TaxonRow]) -> RuleRow:
    unknown = [taxon for taxon in head.taxa if taxon not in taxa]
    if unknown:
        raise LexiconError(f"rule {head.row.id}: taxa not in taxa.csv: {', '.join(unknown)}", file=head.file, line=head.line)
    groups = tuple(dict.fromkeys(taxa[taxon].group for taxon in head.row.taxa))
    return msgspec.structs.replace(head.row, groups=groups)


def _counts(heads: Iterable[RuleHead]) -> tuple[LanguageCount, ...]:
    rules: Counter[str] = Counter()
    forms: Counter[str] = Counter()
    sourced: Counter[str] = Counter()
    for head in heads:
        language = head.row.language
        rules[language] += 1
        forms[language] += head.forms
        sourced[language] += head.sourced_forms
    return tuple(LanguageCount(name, rules[name], forms[name], sourced[name]) for name in sorted(rules))


def _check_ids(heads: Iterable[RuleHead]) -> None:
    seen: dict[str, RuleHead] = {}
    for head in heads:
        other = seen.setdefault(head.row.id, head)
        if other is not head:
            raise LexiconError(f"id {head.row.id} stands already at {other.file}:{other.line}", file=head.file, line=head.line)


# --- the cache -----------------------------------------------------------------------------------


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step, readable by its owner alone: packs are restricted."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    partial.replace(path)


def _prune(folder: Path) -> None:
    """Delete all but the last few compiled files. Who serves one has loaded it, and makes it anew if it is wanted again."""
    for pattern in ("lexicon-*.bin", "lexicon-*.parts", "objects-*.bin"):
        for path in _newest_first(folder.glob(pattern))[KEPT_FILES:]:
            path.unlink(missing_ok=True)


def _newest_first(paths: Iterator[Path]) -> list[Path]:
    ages = []
    for path in paths:
        try:
            ages.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:  # another process pruned it
            continue
    return [path for _, path in sorted(ages, reverse=True)]


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _hash_of_code() -> str:
    """Hash of this package's own code and character tables, on which compiled tables depend too."""
    package = Path(__file__).parent.parent
    code = [path for name in ("lexicon", "match", "normalize") for path in (package / name).rglob("*") if path.suffix in {".py", ".tsv"}]
    digests = [f"{path.relative_to(package)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in sorted(code)]
    return _hash(*digests, msgspec.__version__)
