"""A compiled lexicon in small parts, so that a process that serves can load it between two calls.

Decoding all tables in one step takes 50 to 200 ms in which no other thread runs. The parts stand beside the compiled file, made from the
same tables: magic, SHA-256 of what follows, then for each part its length in four bytes and [field, content].
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from wildgate_service.errors import LexiconError
from wildgate_service.match.tables import CompiledLexicon, Tables

MAGIC = b"wildgate-parts-1\n"
HASH_BYTES = hashlib.sha256().digest_size
LENGTH_BYTES = 4
ITEMS = 512  # of a table in one part: some tenths of a millisecond
WORK_SECONDS = 0.001
PAUSE_SECONDS = 0.0005

TYPES: dict[str, Any] = {field.name: field.type for field in msgspec.structs.fields(Tables)}
DECODERS = {name: msgspec.msgpack.Decoder(wanted) for name, wanted in TYPES.items()}
_encode = msgspec.msgpack.Encoder().encode
_decode_part = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw]).decode

Pause = Callable[[], None]


def parts_path(compiled: Path) -> Path:
    """Where the parts of a compiled file are."""
    return compiled.with_suffix(".parts")


def encode_parts(tables: Tables) -> bytes:
    """The content of a file of parts."""
    body = b"".join(_parts(tables))
    return MAGIC + hashlib.sha256(body).digest() + body


def _parts(tables: Tables) -> Iterator[bytes]:
    for name in TYPES:
        for piece in _pieces(name, getattr(tables, name)):
            part = _encode((name, piece))
            yield len(part).to_bytes(LENGTH_BYTES) + part


def _pieces(name: str, value: Any) -> Iterator[Any]:  # noqa: ANN401  (whatever the tables hold)
    if not _is_long(name):
        yield value
        return
    items = iter(value.items() if isinstance(value, dict) else value)
    while piece := list(islice(items, ITEMS)):
        yield dict(piece) if isinstance(value, dict) else piece


def _is_long(name: str) -> bool:
    """Whether a field holds any number of like items: `tuple[X, ...]` or `dict[K, V]`."""
    origin = get_origin(TYPES[name])
    return origin is dict or (origin is tuple and get_args(TYPES[name])[-1] is Ellipsis)


def load_parts(compiled: Path, pause: Pause) -> CompiledLexicon:
    """Load a compiled file from its parts, calling `pause` between them. Raises LexiconError if they are missing, foreign or damaged."""
    path = parts_path(compiled)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LexiconError(f"compiled lexicon cannot be read: {error.strerror}; compile it again", file=str(path)) from error
    head = len(MAGIC) + HASH_BYTES
    body = memoryview(content)[head:]
    if content[:head] != MAGIC + hashlib.sha256(body).digest():
        raise LexiconError("compiled lexicon is damaged or of another version; delete it and compile again", file=str(path))
    tables = _tables(body, pause)
    pause()
    return CompiledLexicon(tables, content[len(MAGIC) : head].hex())


def _tables(body: memoryview, pause: Pause) -> Tables:
    long: dict[str, Any] = {name: {} if get_origin(TYPES[name]) is dict else [] for name in TYPES if _is_long(name)}
    values: dict[str, Any] = {}
    at = 0
    while at < len(body):
        end = at + LENGTH_BYTES + int.from_bytes(body[at : at + LENGTH_BYTES])
        name, content = _decode_part(body[at + LENGTH_BYTES : end])
        piece = DECODERS[name].decode(content)
        if name not in long:
            values[name] = piece
        elif isinstance(piece, dict):
            long[name].update(piece)
        else:
            long[name].extend(piece)
        at = end
        pause()
    values |= {name: value if isinstance(value, dict) else tuple(value) for name, value in long.items()}
    return Tables(**values)


def release(lexicons: list[CompiledLexicon], pause: Pause) -> None:
    """Let go of the last lexicon of a list in small steps: freeing all of it at once would hold up every other thread.

    The caller must hold it nowhere else, or nothing is freed.
    """
    tables = lexicons.pop().tables
    kept = [list(value.items() if isinstance(value, dict) else value) for value in _long_values(tables)]
    del tables
    for items in kept:
        while items:
            del items[-ITEMS:]
            pause()


def _long_values(tables: Tables) -> Iterator[Any]:
    return (getattr(tables, name) for name in TYPES if _is_long(name))


def breather() -> Pause:
    """A pause that sleeps shortly after each millisecond of work, so that other threads are never kept waiting for longer."""
    last = time.perf_counter()

    def pause() -> None:
        nonlocal last
        if time.perf_counter() - last > WORK_SECONDS:
            time.sleep(PAUSE_SECONDS)
            last = time.perf_counter()

    return pause
