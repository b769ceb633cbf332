"""Compiled lexicons in files: whole, or as what differs from another that lies beside it.

A file is magic, SHA-256 of what follows, then for each part its length in four bytes and [field, content], compressed. It is in parts so
that a process that serves can load it between two calls: decoding all tables in one step would hold up every other thread for 200 ms.
Many words are one text, a line each. Of a field of bytes, and of a packed table's two, the content is their number, and they follow as they
are: automata are most of a file even compressed, and inflating them would take longer than all else that is read.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, get_args, get_origin

import msgspec

from wildgate_service.errors import LexiconError
from wildgate_service.match.overlay import Delta, lay_over
from wildgate_service.match.packed import Block
from wildgate_service.match.tables import CompiledLexicon, Tables, opened
from wildgate_service.memory import without_collection

MAGIC = b"wildgate-lexicon-4\n"
HASH_BYTES = hashlib.sha256().digest_size
HEAD_BYTES = len(MAGIC) + HASH_BYTES
LENGTH_BYTES = 4
ITEMS = 512  # of a table in one part: some tenths of a millisecond
NAME_DIGITS = 16  # of a digest in a file's name
FASTEST = 1  # of zlib's levels; the best one saves 3 % more and takes five times as long
WHOLE, DELTA = ".bin", ".delta"
LINE = "\n"
Lines = tuple[str, ...]
STORED_AS: dict[Any, Any] = {Lines: str, bytes: int, Block: tuple[int, int]}

Pause = Callable[[], None]
Content = TypeVar("Content", Tables, Delta)
_encode = msgspec.msgpack.Encoder().encode
_decode_part = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw]).decode


def no_pause() -> None:
    """For who need not make way for others."""


def whole_path(folder: Path, digest: str) -> Path:
    """Where the whole of what has a digest is kept."""
    return folder / f"lexicon-{digest[:NAME_DIGITS]}{WHOLE}"


def delta_path(folder: Path, digest: str, base: str) -> Path:
    """Where that is kept in which it differs from a base."""
    return folder / f"lexicon-{digest[:NAME_DIGITS]}-on-{base[:NAME_DIGITS]}{DELTA}"


def base_path(path: Path) -> Path:
    """The whole file that a compiled file rests on: its base's, or itself."""
    return whole_path(path.parent, path.stem.partition("-on-")[2]) if path.suffix == DELTA else path


@without_collection()
def load_compiled(path: Path, onto: CompiledLexicon | None = None, pause: Pause = no_pause) -> CompiledLexicon:
    """Load a compiled file, calling `pause` between small steps.

    One that differs from the base of `onto` in little is laid over that, and else over what its base's file holds. Raises LexiconError for
    a file that is missing, foreign or damaged.
    """
    below = base_path(path)
    is_held = onto and below == whole_path(path.parent, onto.base.digest)
    base = onto.base if onto and is_held else opened(*_load(below, Tables, pause))
    return base if path == below else lay_over(base, _load(path, Delta, pause)[0])


def load_tables(path: Path) -> Tables:
    """The tables of a whole compiled file. Raises LexiconError as `load_compiled` does."""
    return _load(path, Tables, no_pause)[0]


def write_compiled(content: Tables | Delta, path: Path) -> None:
    """Write a compiled file."""
    body = b"".join(_parts(content))
    write_whole(path, MAGIC + hashlib.sha256(body).digest() + body)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step, so that it appears whole or not at all; readable by its owner alone, for packs are restricted."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    partial.replace(path)


def _parts(content: Tables | Delta) -> Iterator[bytes]:
    for field in msgspec.structs.fields(content):
        value = getattr(content, field.name)
        for piece in _pieces(field.type, value):
            part = zlib.compress(_encode((field.name, piece)), FASTEST)
            yield len(part).to_bytes(LENGTH_BYTES) + part
        if field.type is bytes:
            yield value
        elif field.type is Block:
            yield value.content
            yield value.places


def _pieces(wanted: Any, value: Any) -> Iterator[Any]:  # noqa: ANN401  (whatever the tables hold)
    if not _is_long(wanted):
        yield len(value) if wanted is bytes else (len(value.content), len(value.places)) if wanted is Block else value
        return
    items = iter(value.items() if isinstance(value, dict) else value)
    while piece := list(islice(items, ITEMS)):
        yield dict(piece) if isinstance(value, dict) else LINE.join(piece) if wanted == Lines else piece


def _is_long(wanted: Any) -> bool:  # noqa: ANN401
    """Whether a field holds any number of like items: `tuple[X, ...]` or `dict[K, V]`."""
    origin = get_origin(wanted)
    return origin is dict or (origin is tuple and get_args(wanted)[-1] is Ellipsis)


def _load(path: Path, kind: type[Content], pause: Pause) -> tuple[Content, str]:
    """The content of a file, and its hash."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            if not head.startswith(MAGIC):
                raise LexiconError("not a compiled lexicon of this version; compile it again", file=str(path))
            if hashlib.file_digest(file, "sha256").digest() != head[len(MAGIC) :]:
                raise LexiconError("compiled lexicon is damaged; delete it and compile again", file=str(path))
            file.seek(HEAD_BYTES)
            return _decoded(file, kind, pause), head[len(MAGIC) :].hex()
    except OSError as error:
        raise LexiconError(f"compiled lexicon cannot be read: {error.strerror}; compile it again", file=str(path)) from error


def _decoded(file: BinaryIO, kind: type[Content], pause: Pause) -> Content:
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    decoders = {name: msgspec.msgpack.Decoder(STORED_AS.get(wanted, wanted)) for name, wanted in types.items()}
    long: dict[str, Any] = {name: {} if get_origin(wanted) is dict else [] for name, wanted in types.items() if _is_long(wanted)}
    values: dict[str, Any] = {}
    while length := file.read(LENGTH_BYTES):
        name, content = _decode_part(zlib.decompress(file.read(int.from_bytes(length))))
        piece = decoders[name].decode(content)
        if types[name] is bytes:
            values[name] = file.read(piece)
        elif types[name] is Block:
            values[name] = Block(*map(file.read, piece))
        elif name not in long:
            values[name] = piece
        elif isinstance(piece, dict):
            long[name].update(piece)
        else:
            long[name].extend(piece.split(LINE) if isinstance(piece, str) else piece)
        pause()
    values |= {name: value if isinstance(value, dict) else tuple(value) for name, value in long.items()}
    return kind(**values)
