"""Lines of a file in order, in bounded memory: sorted runs on disk, merged."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

RUN_BYTES = 64 << 20
MOST_OPEN = 128  # files merged at once


@contextmanager
def in_order(path: Path) -> Iterator[Iterator[bytes]]:
    """The lines of a file in the order of their bytes. Runs lie beside it until the end. Raises OSError."""
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder, ExitStack() as stack:
        runs = list(_runs(path, Path(folder)))
        while len(runs) > MOST_OPEN:
            runs = list(_merged(runs, Path(folder)))
        yield heapq.merge(*(stack.enter_context(run.open("rb")) for run in runs))


def _runs(path: Path, folder: Path) -> Iterator[Path]:
    with path.open("rb") as file:
        while lines := file.readlines(RUN_BYTES):
            lines.sort()
            with _new(folder) as run:
                run.writelines(lines)
            yield Path(run.name)


def _merged(runs: list[Path], folder: Path) -> Iterator[Path]:
    """Fewer and longer runs."""
    waiting = iter(runs)
    while some := list(islice(waiting, MOST_OPEN)):
        with _new(folder) as run, ExitStack() as stack:
            run.writelines(heapq.merge(*(stack.enter_context(each.open("rb")) for each in some)))
        for each in some:
            each.unlink()
        yield Path(run.name)


def _new(folder: Path) -> IO[bytes]:
    return tempfile.NamedTemporaryFile(dir=folder, delete=False)
