"""The files that lexicons are made of: those of the public folder, and of restricted packs beside it.

A pack is a folder with `rules/<language>/*.yml`, and if it wants `VERSION`, and `taxa.csv` with `protection.csv` for taxa that the public
tables lack. What a pack holds is named `<folder>/rules/…` in errors and in the version.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.rules import rule_files

TABLES = ("VERSION", "taxa.csv", "protection.csv", "unions.csv", "ordinary_words.tsv", "common_words.tsv", "homographs.tsv")
PACK_TABLES = ("VERSION", "taxa.csv", "protection.csv")
# A file that was written so recently may be written again without its times telling: clocks of file systems tick slowly.
FRESH_SECONDS = 2.0

Stamp = tuple[str, int, int, int, int]


class File(Struct, frozen=True):
    """One file as it was read. `name` is what errors call it; `problem` says why it could not be read, else ""."""

    name: str
    content: bytes = b""
    digest: str = ""
    problem: str = ""

    def text(self) -> str:
        """Its text. Raises LexiconError if it could not be read or is not UTF-8."""
        if self.problem:
            raise LexiconError(f"cannot be read: {self.problem}", file=self.name, line=1)
        try:
            return self.content.decode()
        except UnicodeDecodeError as error:
            line = self.content.count(b"\n", 0, error.start) + 1
            raise LexiconError(f"not UTF-8 at byte {error.start}", file=self.name, line=line) from error


class Files(Struct, frozen=True):
    """All files at one time. `packs` are the names of the packs, in the order of the setting; `digest` is of all names and contents."""

    rules: tuple[File, ...]
    tables: dict[str, File]
    packs: tuple[str, ...]
    digest: str

    def text_of(self, table: str) -> str:
        """The text of a table, by its name. Raises LexiconError as `File.text` does."""
        return self.tables.get(table, File(table, problem="No such file or directory")).text()

    @property
    def version(self) -> str:
        """SemVer of the public content, then name and SemVer of each pack: `1.4.0/customs-2.0.1`. Raises LexiconError without VERSION."""
        packs = (f"/{pack}-{self._version(pack)}".removesuffix("-") for pack in self.packs)
        return self.text_of("VERSION").strip() + "".join(packs)

    def _version(self, pack: str) -> str:
        table = f"{pack}/VERSION"
        return self.text_of(table).strip() if table in self.tables else ""


class Reader:
    """Reads the files of a lexicon folder and its packs again and again, and from disk only those that changed."""

    def __init__(self, root: Path, packs: tuple[Path, ...] = ()) -> None:
        self._root = root
        self._packs = {pack.resolve().name: pack for pack in packs}
        if len(self._packs) < len(packs):
            raise LexiconError("two restricted packs have one folder name, which names them in versions and errors; rename one")
        self._known: dict[Path, File] = {}
        self._stamps: list[Stamp] = []
        self._last: Files | None = None

    def read(self, *, trust_times: bool = False) -> Files:
        """The files as they are now; `trust_times`: not read again if the sizes and times of all are what they were.

        Raises LexiconError for a folder without rule files. A file that cannot be read is in the answer, with its problem.
        """
        stamps = self._scan()
        if trust_times and self._last and stamps == self._stamps:
            return self._last
        known = {path: _read(name, path, self._known.get(path)) for name, path in self._paths()}
        rules = tuple(file for path, file in known.items() if path.suffix == ".yml")
        tables = {file.name: file for path, file in known.items() if path.suffix != ".yml" and (file.digest or path.exists())}
        self._known = known
        self._last = Files(rules, tables, tuple(self._packs), _digest((*rules, *tables.values())))
        self._stamps = stamps if _is_settled(stamps) else []
        return self._last

    def _scan(self) -> list[Stamp]:
        """What tells changed files, as cheaply as it can be had."""
        folders = [(str(folder), tables) for _, folder, tables in self._folders()]
        return [_stamp(path) for folder, tables in folders for path in (*_rule_paths(folder), *(f"{folder}/{table}" for table in tables))]

    def _paths(self) -> Iterator[tuple[str, Path]]:
        for prefix, folder, tables in self._folders():
            for path in rule_files(folder):
                yield f"{prefix}{path.relative_to(folder)}", path
            for table in tables:
                yield f"{prefix}{table}", folder / table

    def _folders(self) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
        yield "", self._root, TABLES
        for name, folder in self._packs.items():
            yield f"{name}/", folder, PACK_TABLES


def _digest(files: tuple[File, ...]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file.digest}\0{file.problem}\0".encode())
    return digest.hexdigest()


def _rule_paths(folder: str) -> Iterator[str]:
    """Where `rule_files` finds them, in any order; none if there is no folder."""
    try:
        languages = [entry.path for entry in os.scandir(f"{folder}/rules") if entry.name[0] != "." and entry.is_dir()]
        for language in languages:
            yield from (entry.path for entry in os.scandir(language) if entry.name.endswith(".yml"))
    except OSError:
        return


def _stamp(path: str) -> Stamp:
    """Path, size, times, and which file it is: a swapped link names another."""
    try:
        status = os.stat(path)  # noqa: PTH116  (half the time of pathlib's, five times a second for every file)
    except OSError:
        return path, 0, 0, 0, 0
    return path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _is_settled(stamps: list[Stamp]) -> bool:
    """Whether another write would show in the times of every file."""
    latest = max((max(stamp[2:4]) for stamp in stamps), default=0)
    return time.time() - latest / 1e9 > FRESH_SECONDS


def _read(name: str, path: Path, before: File | None) -> File:
    """Read a file; the same object as before if its content is."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return File(name, problem=error.strerror or type(error).__name__)
    if before and content == before.content and not before.problem:
        return before
    return File(name, content, hashlib.sha256(content).hexdigest())
