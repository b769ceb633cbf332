"""Compiling the lexicons once, in a child process, and what is said of a broken one.

The child keeps the compiler's memory out of the supervisor, from which workers are forked.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from wildgate_service.control import Fault
from wildgate_service.errors import LexiconError, PolicyError
from wildgate_service.lexicon import compile_lexicons, default_lexicons
from wildgate_service.pipeline import load_engine
from wildgate_service.process import Child

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from wildgate_service.settings import Settings

MAX_MESSAGE = 2_000
MAX_ANSWER = 65_536  # what a pipe holds, so that the child never waits for its reader


class Compiled(Struct, frozen=True, tag=True):
    """A lexicon that can be served together with the policy on disk."""

    path: str
    version: str


class Broken(Struct, frozen=True, tag=True):
    """One that cannot."""

    fault: Fault


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Compiled | Broken).decode


async def compile_in_child(
    settings: Settings, *, close: Iterable[socket.socket] = ()
) -> Compiled | Broken:
    """Compile the lexicons and read the policy; `close` are sockets that the child must not keep."""
    reading, writing = os.pipe()
    try:
        child = Child.fork("compiler", _compile, settings, writing, close=close)
    finally:
        os.close(writing)
    with open(reading, "rb", buffering=0) as answer:  # noqa: PTH123  (a descriptor, not a path)
        await child.wait()
        body = answer.read(MAX_ANSWER)
    if not body:
        return Broken(Fault(f"the compiler ended with status {child.exit_code}"))
    return _decode(body)


def _compile(settings: Settings, answer: int) -> None:
    root = settings.lexicons or default_lexicons()
    result: Compiled | Broken
    try:
        settings.cache.mkdir(parents=True, exist_ok=True)
        path = compile_lexicons(root, settings.cache)
        engine = load_engine(path, settings.policy, None)
        result = Compiled(str(path.resolve()), engine.lexicon.version)
    except LexiconError as error:
        result = Broken(Fault(str(error)[:MAX_MESSAGE], error.file, error.line))
    except PolicyError as error:
        result = Broken(Fault(str(error)[:MAX_MESSAGE], str(settings.policy or "")))
    except OSError as error:
        result = Broken(Fault(f"{error.filename}: {error.strerror}", str(error.filename or "")))
    os.write(answer, _encode(result))
