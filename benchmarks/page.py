"""Tables made from the results, in their places in pages that people write."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def read_results(names: Iterable[str]) -> dict[str, Any]:
    """The results of these names that there are."""
    return {name: json.loads(path.read_text(encoding="utf-8")) for name in names if (path := RESULTS / f"{name}.json").exists()}


def rendered(document: str, begin: str, end: str, made: str) -> str:
    """The document with what was made between two of its lines. Raises ValueError if they are not there."""
    before, _, rest = document.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"no place for the table; put a line `{begin}` and after it a line `{end}`")
    return f"{before}{begin}\n{made}\n{end}{after}"


def keep(page: Path, begin: str, end: str, made: str) -> None:
    """Put what was made in its place in a page; with --check on the command line, exit with what to do if it is not there already."""
    old = page.read_text(encoding="utf-8")
    new = rendered(old, begin, end, made)
    if "--check" in sys.argv[1:]:
        sys.exit(None if new == old else f"{page} has other figures than benchmarks/results: run python {sys.argv[0]}")
    page.write_text(new, encoding="utf-8")
