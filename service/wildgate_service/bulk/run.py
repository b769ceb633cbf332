"""A file of listings into a file of decisions."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

from msgspec import Struct

from wildgate_service import __version__
from wildgate_service.bulk.answers import Encode, form_of
from wildgate_service.bulk.blocks import Block, Done, Source
from wildgate_service.bulk.bytes_of import is_compressed
from wildgate_service.bulk.journal import Journal
from wildgate_service.bulk.line import FAILED, Score, score_line
from wildgate_service.bulk.pool import in_order
from wildgate_service.bulk.shown import shown_on
from wildgate_service.bulk.sources import source_of
from wildgate_service.local import local_engine, policy_file
from wildgate_service.pipeline import Engine


class Run(Struct, frozen=True):
    """What to score with, and in how many processes. None is as the settings say."""

    lexicons: Path | None
    policy: Path | None
    workers: int
    packs: tuple[Path, ...] | None = None

    def engine(self) -> Engine:
        """Load what scores. Raises WildgateError."""
        return local_engine(self.lexicons, self.policy, self.packs)


def score_file(source: Path, output: Path, form: str, run: Run, progress: IO[str] | None = None, *, restart: bool = False) -> int:
    """Score a file, or what an earlier run left of it unless `restart`; returns the number of lines that failed.

    Raises WildgateError if a file or the engine cannot be used, or the earlier run was with something else.
    """
    given = source_of(source, form)
    engine, written = run.engine(), form_of(form, output)
    made_from = {"input": identity_of(source), "format": f"{form} as {output.suffix}", **versions_of(engine, run)}
    with Journal(output, written, made_from, restart=restart) as journal:
        score = partial(score_line, engine)
        return carry_out(given, journal, written.encode, score, run.workers, progress, compressed=is_compressed(source))


def carry_out(
    given: Source,
    journal: Journal,
    encode: Encode,
    score: Callable[..., bytes],
    workers: int,
    progress: IO[str] | None,
    *,
    compressed: bool,
) -> int:
    """Score what a journal has no answers to yet, and finish it; returns the number of lines that failed.

    `score` is a `Score` that takes `today` as well. Raises WildgateError.
    """
    begun = journal.state
    if not journal.ended:
        work = partial(answered, given, partial(score, today=begun.today), encode)
        with shown_on(progress, given.size, 0 if compressed else begun.place.at) as show:
            for block, done in in_order(given.blocks(begun.place), work, workers, say):
                state = journal.append(block, done)
                show(block, f"{state.listings:,} listings, {state.failed:,} failed", state.listings - begun.listings)
    journal.finish()
    return journal.state.failed


def answered(source: Source, score: Score, encode: Encode, block: Block) -> Done:
    """Read a block, score its listings, and put the answers in the form in which they are written."""
    answers = [score(*row) for row in source.rows(block)]
    return Done(encode(answers), len(answers), sum(FAILED in answer for answer in answers))


def identity_of(source: Path) -> str:
    """Which file it is, as far as can be told without reading it."""
    found = source.stat()
    return f"{source.resolve()} of {found.st_size} bytes, changed at {found.st_mtime_ns}"


def versions_of(engine: Engine, run: Run) -> dict[str, str]:
    """What answers depend on besides the input."""
    policy = hashlib.sha256(policy_file(run.policy).read_bytes()).hexdigest()[:12]
    versions = engine.versions
    return {
        "lexicon": versions.lexicon,
        "model": versions.model,
        "policy": f"{versions.policy} with hash {policy}",
        "service": __version__,
    }


def say(message: str) -> None:
    """Tell whoever watches, on standard error."""
    sys.stderr.write(f"wildgate: {message}\n")
