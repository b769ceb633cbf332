"""A progress bar on a terminal: how much, how many, how fast, how long still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import IO, Protocol

from tqdm import tqdm

from wildgate_service.bulk.blocks import Block

BAR = "{percentage:3.0f}%|{bar}| {desc}, {elapsed} passed, {remaining} left"


class Show(Protocol):
    """Shows the counts after a block."""

    def __call__(self, block: Block, counts: str, listings: int) -> None:
        """`listings` are those of this run, by which its rate goes."""


@contextmanager
def shown_on(stream: IO[str] | None, size: int, begun: int = 0) -> Iterator[Show]:
    """A bar over a file of some size, of which so much was done before; without a stream nothing is shown."""
    tqdm.monitor_interval = 0  # no thread: processes are forked beside it
    began = monotonic()
    with tqdm(total=size, initial=begun, file=stream, disable=stream is None, bar_format=BAR, dynamic_ncols=True, desc="0 listings") as bar:

        def show(block: Block, counts: str, listings: int) -> None:
            rate = listings / max(monotonic() - began, 1e-3)
            bar.set_description_str(f"{counts}, {rate:,.0f}/s", refresh=False)
            bar.update(block.passed - bar.n)

        yield show
