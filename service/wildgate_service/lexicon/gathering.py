"""Gathering: the objects of all rules on disk, in the order of the files; only what was never seen before is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from wildgate_service.errors import LexiconError
from wildgate_service.lexicon.chunks import Chunk, chunks_of
from wildgate_service.lexicon.files import File
from wildgate_service.lexicon.objects import RuleHead, Sealed, object_of_text
from wildgate_service.match.stored import write_whole

KEPT_SHARE = 0.1  # of the objects that are read by the next process rather than kept for it, so that not each change writes all of them
KEY_BYTES = 8  # of a hash; two among a million rules are the same once in thirty million times

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, Sealed]).decode


class Placed(NamedTuple):
    """An object with its key, which names file and text, and how many lines stand before it in its file."""

    key: str
    object: Sealed
    lines_before: int

    def line_of(self, head: RuleHead) -> int:
        """The line of the file in which one of its rules begins."""
        return self.lines_before + head.line


class Gathering:
    """The objects that were met so far. Those in the file `kept`, if one is named, were met by an earlier process."""

    def __init__(self, kept: Path | None = None) -> None:
        self._kept = kept
        self._objects: dict[str, Sealed] | None = None
        self._placed: dict[str, tuple[Placed, ...]] = {}
        self._unkept = 0

    def gather(self, files: Iterable[File]) -> list[Placed]:
        """The objects of rule files. Raises LexiconError with file and line at the first that is broken; what was read stays known."""
        return [each for file in files for each in self._of_file(file)]

    def find(self, key: str) -> Sealed | None:
        """An object that was met, by its key."""
        return self._known.get(key)

    def forget_but(self, keys: Iterable[str]) -> None:
        """Forget all objects but some."""
        self._objects = {key: self._known[key] for key in keys}
        self._placed = {name: placed for name, placed in self._placed.items() if all(each.key in self._objects for each in placed)}

    def keep(self) -> None:
        """Write what is known for the next process, unless nearly all of it is there."""
        if self._kept and self._unkept and self._unkept > KEPT_SHARE * len(self._known):
            write_whole(self._kept, _encode(self._known))
            self._unkept = 0

    @property
    def _known(self) -> dict[str, Sealed]:
        if self._objects is None:
            self._objects = _load(self._kept) if self._kept else {}
        return self._objects

    def _of_file(self, file: File) -> tuple[Placed, ...]:
        name = _key(file.name, file.digest)
        if file.problem or name not in self._placed:
            self._placed[name] = self._read(file)
        return self._placed[name]

    def _read(self, file: File) -> tuple[Placed, ...]:
        text = file.text()
        try:
            return tuple(self._place(file.name, chunk) for chunk in chunks_of(text))
        except LexiconError:  # the whole file says it with the right line, or is one that cannot be cut
            return (self._place(file.name, Chunk(text, 0)),)

    def _place(self, name: str, chunk: Chunk) -> Placed:
        key = _key(name, chunk.text)
        if key not in self._known:
            self._known[key] = object_of_text(chunk.text, name)
            self._unkept += 1
        return Placed(key, self._known[key], chunk.lines_before)


def _key(name: str, content: str) -> str:
    return hashlib.sha256(f"{name}\0{content}".encode()).digest()[:KEY_BYTES].hex()


def _load(path: Path) -> dict[str, Sealed]:
    """The objects kept in a file; none if it is missing or damaged."""
    try:
        return _decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return {}
