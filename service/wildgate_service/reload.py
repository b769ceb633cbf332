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
from wildgate_service.lexicon import compile_lexicons, default_lexicons, load_compiled
from wildgate_service.pipeline import score_listing
from wildgate_service.policy import default_policy, load_policy
from wildgate_service.process import Child
from wildgate_service.types import Listing, Versions

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable
    from pathlib import Path

    from wildgate_service.pipeline import Engine
    from wildgate_service.settings import Settings

MAX_MESSAGE = 2_000
WARM_UP_FORMS = 100
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


async def compile_in_child(settings: Settings, *, close: Iterable[socket.socket] = ()) -> Compiled | Broken:
    """Compile the lexicons and read the policy; the child must not keep the sockets in `close`."""
    reading, writing = os.pipe()
    try:
        child = Child.fork("compiler", _compile, settings, writing, close=close)
    finally:
        os.close(writing)
    await child.wait()
    body = os.read(reading, MAX_ANSWER)
    os.close(reading)
    if not body:
        return Broken(Fault(f"the compiler ended with status {child.exit_code}"))
    result: Compiled | Broken = _decode(body)
    return result


def _compile(settings: Settings, answer: int) -> None:
    root = settings.lexicons or default_lexicons()
    result: Compiled | Broken
    try:
        path = compile_lexicons(root, settings.cache / "lexicons")
        load_policy(settings.policy or default_policy())
        result = Compiled(str(path.resolve()), load_compiled(path).version)
    except LexiconError as error:
        result = Broken(Fault(str(error)[:MAX_MESSAGE], error.file, error.line))
    except PolicyError as error:
        result = Broken(Fault(str(error)[:MAX_MESSAGE], str(settings.policy or "")))
    except OSError as error:
        result = Broken(Fault(f"{error.filename}: {error.strerror}", str(error.filename or "")))
    os.write(answer, _encode(result))


def with_lexicon(engine: Engine, lexicon: Path, policy: Path | None) -> Engine:
    """Make the engine that differs in lexicon and policy only; the models are not loaded again.

    Raises LexiconError or PolicyError.
    """
    compiled = load_compiled(lexicon)
    rules = load_policy(policy or default_policy())
    versions = Versions(compiled.version, engine.versions.model, rules.version)
    return warmed(msgspec.structs.replace(engine, lexicon=compiled, policy=rules, versions=versions))


def warmed(engine: Engine) -> Engine:
    """Score one listing made of the lexicon's own forms, so that nobody's first call pays for it.

    What the engine builds at its first use is built here, before the fork that shares it.
    """
    forms = (form.form for form in engine.lexicon.forms[:WARM_UP_FORMS])
    score_listing(engine, Listing(description=" ".join(forms)))
    return engine
