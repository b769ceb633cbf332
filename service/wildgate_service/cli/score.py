"""`wildgate score`: one text or a file of listings, without a service; nothing is recorded."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

import click
import msgspec

from wildgate_service.bulk import FORMATS, Run, decision_json, format_of, say, score_file
from wildgate_service.cores import allowed_cores
from wildgate_service.local import local_engine
from wildgate_service.pipeline import score_listing
from wildgate_service.types import Listing

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BY_SIGNAL = 128  # of an exit status, as shells have it
POLICY = click.option(
    "--policy",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Policy file; default: the one that ships.",
)
LEXICONS = click.option(
    "--lexicons",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Lexicon folder; default: the one that ships.",
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    default=allowed_cores,
    show_default="as many as there are cores",
    help="Processes. They share the lexicons in memory.",
)


class Stopped(KeyboardInterrupt):
    """A signal asked for the end of a run that can be gone on with."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@click.command()
@click.option("--text", help="Score this text as a listing's title and print the decision.")
@click.option("--input", "source", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="File of listings, also .gz or .zst.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File of decisions; appears whole at the end.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Format of both files; default: by the input's ending, else jsonl.",
)
@POLICY
@LEXICONS
@click.option(
    "--pack",
    "packs",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of a restricted pack; may be given several times. Default: the setting lexicon_packs.",
)
@WORKERS
@click.option("--restart", is_flag=True, help="Forget what an earlier run of the same output has scored.")
@click.option("--explain", is_flag=True, help="With --text: print what each stage made of it on stderr.")
def command(
    text: str | None,
    source: Path | None,
    output: Path | None,
    form: str | None,
    policy: Path | None,
    lexicons: Path | None,
    packs: tuple[Path, ...],
    workers: int,
    *,
    restart: bool,
    explain: bool,
) -> None:
    """Score a text, or a file of listings into a file of decisions.

    A run that was ended, by whatever, is gone on with by the same command: until OUTPUT appears, OUTPUT.partial holds the answers and
    OUTPUT.resume says how far they are. Exit status 0; 1 if any line failed; 2 for a usage error; 128 and its number for a signal.
    """
    if (text is None) == (source is None):
        raise click.UsageError("give either --text TEXT or --input FILE --output FILE")
    if (source is None) != (output is None):
        raise click.UsageError("--input and --output go together; the decision on a --text is printed")
    if explain and text is None:
        raise click.UsageError("--explain needs --text")
    if text is not None:
        _score_text(text, Run(lexicons=lexicons, packs=packs or None, policy=policy, workers=workers), explain=explain)
        return
    assert source is not None  # noqa: S101  (told apart above, for the type checker)
    assert output is not None  # noqa: S101
    if source.resolve() == output.resolve():
        raise click.UsageError("--output is the input file; it would be overwritten while it is read")
    run = Run(lexicons=lexicons, packs=packs or None, policy=policy, workers=workers)
    with stopping():
        failed = score_file(source, output, form or format_of(source), run, progress_on(sys.stderr), restart=restart)
    sys.exit(1 if failed else 0)


@contextmanager
def stopping() -> Iterator[None]:
    """Have a signal end the run where it is, with its answers kept."""
    before = {number: signal.signal(number, _stop) for number in STOPPING}
    try:
        yield
    except Stopped as stopped:
        say(f"stopped by {signal.Signals(stopped.number).name}; the same command goes on from there")
        sys.exit(BY_SIGNAL + stopped.number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _: FrameType | None) -> None:
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)  # what is scored is put on disk undisturbed
    raise Stopped(number)


def _score_text(text: str, run: Run, *, explain: bool) -> None:
    if not text.isprintable() and any("\ud800" <= char <= "\udfff" for char in text):
        raise click.UsageError("--text is not UTF-8")
    engine = local_engine(run.lexicons, run.policy, run.packs)
    listing = Listing(title=text) if len(text) <= 1_000 else Listing(description=text)  # noqa: PLR2004  (the title's limit)
    if explain:
        from wildgate_service.explain import explain_listing  # noqa: PLC0415  (only on demand)

        click.echo(explain_listing(engine, listing), err=True)
    decision = score_listing(engine, listing)
    click.echo(msgspec.json.encode(decision_json(decision, "")).decode())


def progress_on(stream: IO[str]) -> IO[str] | None:
    """The stream to show progress on, if it is a terminal."""
    return stream if stream.isatty() else None
