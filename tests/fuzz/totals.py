"""Add up what was fuzzed: `python tests/fuzz/totals.py --corpus .fuzz --output benchmarks/results/fuzz.json`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from machine import write


def main() -> None:
    """Executions and seconds of each target, and the inputs that raised, which stay in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path(".fuzz"))
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    targets = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(arguments.corpus.glob("*.json"))}
    crashes = sorted(path.name for path in (arguments.corpus / "crashes").glob("*-crash-*"))
    executions, seconds = (sum(each[name] for each in targets.values()) for name in ("executions", "seconds"))
    result = {"executions": executions, "hours": round(seconds / 3_600, 2), "inputs_that_raised": crashes, "targets": targets}
    write(arguments.output, result)


if __name__ == "__main__":
    main()
