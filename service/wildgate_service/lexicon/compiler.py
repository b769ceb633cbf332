"""From files to a compiled lexicon that can be served: whole, or as what it differs in from one that is served."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.changes import Base, delta_of
from wildgate_service.lexicon.code import hash_for_objects, hash_of_all
from wildgate_service.lexicon.files import Files, Reader
from wildgate_service.lexicon.gathering import Gathering, Placed
from wildgate_service.lexicon.linking import NO_WORDS, Sources, link
from wildgate_service.lexicon.objects import object_of
from wildgate_service.lexicon.ordinary import COMMON as COMMON_WORDS
from wildgate_service.lexicon.ordinary import FILE as ORDINARY_WORDS
from wildgate_service.lexicon.ordinary import HOMOGRAPHS, ordinary_words_of
from wildgate_service.lexicon.rules import Rule
from wildgate_service.lexicon.taxa import taxa_of, unions_of
from wildgate_service.lexicon.turns import LOCK, in_turn
from wildgate_service.match.stored import DELTA, WHOLE, base_path, delta_path, load_tables, whole_path, write_compiled
from wildgate_service.match.tables import CompiledLexicon, Tables, TaxonRow, compiled_in_memory
from wildgate_service.memory import without_collection

KEPT_FILES = 4  # compiled files of a sort in a cache: the one served, and some that a change may come back to

_taxa_of = lru_cache(1)(taxa_of)  # tables change seldom and rules often
_ordinary_words_of = lru_cache(1)(ordinary_words_of)
_common_words_of = lru_cache(1)(ordinary_words_of)
_homographs_of = lru_cache(1)(ordinary_words_of)


def compile_lexicons(root: Path, output: Path, packs: tuple[Path, ...] = ()) -> Path:
    """Compile a lexicon folder and restricted packs into a file in `output`, named by the hash of what it is made from; returns its path.

    Returns at once if that file is there: neither the rules nor this code changed. Raises LexiconError with file and line at the first
    thing that is broken; then nothing is written.
    """
    compiler = Compiler(root, output, packs)
    with without_collection():
        path = compiler.compile()
    compiler.finish()
    return path


def lexicon_in_memory(root: Path, packs: tuple[Path, ...] = ()) -> CompiledLexicon:
    """The same without a file, for tests and the linter."""
    files = Reader(root, packs).read()
    return compiled_in_memory(link(sources_of(files, Gathering().gather(files.rules))))


def build_tables(
    rules: tuple[Rule, ...], taxa: dict[str, TaxonRow], version: str, unions: dict[str, tuple[str, ...]] | None = None
) -> Tables:
    """The tables of some rules."""
    return link(Sources([Placed("", object_of(rules), 0)], taxa, version, unions or {}))


class Compiler:
    """Compiles one lexicon folder with its packs again and again.

    What was compiled whole is the base of what follows: while that differs in little, it is compiled to a delta of the base, for what the
    changed rules cost. The first compilation may come from a file of an earlier process.
    """

    def __init__(self, root: Path, output: Path, packs: tuple[Path, ...] = ()) -> None:
        self._reader = Reader(root, packs)
        self._output = output
        self._code = hash_of_all()
        folders = "\0".join(str(folder.resolve()) for folder in (root, *packs))
        self._gathering = Gathering(output / f"objects-{_hash(hash_for_objects(), folders)[:16]}.bin")
        self._served: Path | None = None
        self._base: Base | None = None

    def read(self, *, trust_times: bool = False) -> Files:
        """The files as they are now. Raises LexiconError if there are none."""
        return self._reader.read(trust_times=trust_times)

    def compile(self, files: Files | None = None) -> Path:
        """Compile the files given, or those on disk now; returns the path of what `load_compiled` loads."""
        files = files or self.read()
        digest = _hash(self._code, files.digest)
        self._served = self._there(digest) or (self._made(files, digest) if self._served else self._made_in_turn(files, digest))
        for path in {self._served, base_path(self._served)}:
            with suppress(OSError):  # another process pruned it, and who serves it has it; or the cache is an image's, which nobody prunes
                os.utime(path)  # it is the latest again, and is not pruned
        return self._served

    def finish(self) -> None:
        """Do what nobody waits for: keep what the next process would have to read again, and delete files of long ago."""
        with suppress(OSError):  # of a cache that cannot be written; then the next process reads it again
            self._gathering.keep()
            _prune(self._output)

    def warm_up(self) -> None:
        """Do what the next change would have to, but for the change itself."""
        if self._served and (self._base is None or base_path(self._served) != self._path_of(self._base)):
            files = self.read()
            self._gathering.gather(files.rules)
            self._base = self._loaded(base_path(self._served), sources_of(files, []))

    def _path_of(self, base: Base) -> Path:
        return whole_path(self._output, base.digest)

    def _there(self, digest: str) -> Path | None:
        """What was compiled before: best what rests on the base that is served."""
        whole = whole_path(self._output, digest)
        deltas = [path for path in self._output.glob(delta_path(self._output, digest, "*").name) if base_path(path).exists()]
        served = base_path(self._served) if self._served else None
        there = [path for path in (whole, *deltas) if path.exists()]
        return next((path for path in there if base_path(path) == served), None) or (None if served else next(iter(there), None))

    def _made_in_turn(self, files: Files, digest: str) -> Path:
        """The first time, when it costs most: several processes that begin with one cache, such as replicas, make it once."""
        with in_turn(whole_path(self._output, digest)):
            return self._there(digest) or self._made(files, digest)

    def _made(self, files: Files, digest: str) -> Path:
        self.warm_up()
        sources = sources_of(files, self._gathering.gather(files.rules))
        delta = delta_of(self._base, sources, digest) if self._base else None
        if self._base and delta:
            path = delta_path(self._output, digest, self._base.digest)
            write_compiled(delta, path)
        else:
            path = whole_path(self._output, digest)
            tables = link(sources, digest)
            write_compiled(tables, path)
            self._base = Base(tables, [each.object for each in sources.placed], sources)
        self._gathering.forget_but({*self._base.keys, *(each.key for each in sources.placed)})
        return path

    def _loaded(self, path: Path, sources: Sources) -> Base | None:
        """A base from its file; None if that, or an object that it was made of, is not there any more."""
        try:
            tables = load_tables(path)
        except LexiconError:
            return None
        objects = [found for key in tables.manifest if (found := self._gathering.find(key))]
        return Base(tables, objects, sources) if len(objects) == len(tables.manifest) else None


def sources_of(files: Files, placed: list[Placed]) -> Sources:
    """What a lexicon is linked from, once its rules are gathered. Raises LexiconError with file and line for a broken table."""
    taxa = _taxa_of(files.text_of("taxa.csv"), files.text_of("protection.csv"))
    for pack in files.packs:
        taxa = _with_taxa(taxa, pack, files)
    ordinary = _ordinary_words_of(files.text_of(ORDINARY_WORDS)) if ORDINARY_WORDS in files.tables else NO_WORDS
    common = frozenset(_common_words_of(files.text_of(COMMON_WORDS), COMMON_WORDS)) if COMMON_WORDS in files.tables else frozenset()
    homographs = _homographs_of(files.text_of(HOMOGRAPHS), HOMOGRAPHS) if HOMOGRAPHS in files.tables else NO_WORDS
    return Sources(placed, taxa, files.version, unions_of(files.text_of("unions.csv")), ordinary, common, homographs)


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


# --- the cache -----------------------------------------------------------------------------------


def _prune(folder: Path) -> None:
    """Delete all but the last few compiled files. Who serves one has loaded it, and makes it anew if it is wanted again."""
    for pattern in (f"lexicon-*{WHOLE}", f"lexicon-*{DELTA}", f"lexicon-*{LOCK}", "objects-*.bin"):
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
