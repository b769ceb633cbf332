"""Fuzz by coverage: `python tests/fuzz/run.py score --seconds 600 --corpus DIR`. Needs the extra `fuzz` (atheris, Linux).

What is found stays in DIR/TARGET (inputs that reached new code) and DIR/crashes (inputs that raised); how much was run is added to
DIR/TARGET.json. Inputs worth keeping for ever go to `corpus/`, where the tests run them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import atheris

HERE = Path(__file__).parent
LONGEST = 2_048


def main() -> None:
    """Run until the time is over or something raises; libFuzzer then ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, default=Path(".fuzz"))
    arguments = parser.parse_args()
    sys.path.insert(0, str(HERE))
    with atheris.instrument_imports(include=["wildgate_service"]):
        from seeds import write_seeds  # noqa: PLC0415  (only what is imported here is instrumented)
        from targets import TARGETS, engine  # noqa: PLC0415
    run, counted = TARGETS[arguments.target], Counted(arguments.corpus, arguments.target)
    engine()  # loaded once, before anything is timed
    run(b"")

    def once(data: bytes) -> None:
        counted.note()
        run(data)

    folder = arguments.corpus / arguments.target
    write_seeds(run, folder)
    (arguments.corpus / "crashes").mkdir(exist_ok=True)
    seeds = HERE / "corpus" / arguments.target
    places = [str(folder), *([str(seeds)] if seeds.exists() else [])]
    options = [
        f"-max_total_time={arguments.seconds}",
        f"-max_len={LONGEST}",
        "-timeout=20",
        "-rss_limit_mb=4096",
        f"-artifact_prefix={arguments.corpus}/crashes/{arguments.target}-",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, *places], once, enable_python_coverage=True)
    atheris.Fuzz()


class Counted:
    """Executions and seconds of all runs of a target, written down every second, for libFuzzer ends the process by itself."""

    def __init__(self, corpus: Path, target: str) -> None:
        corpus.mkdir(parents=True, exist_ok=True)
        self._file = corpus / f"{target}.json"
        self._before = json.loads(self._file.read_text()) if self._file.exists() else {"executions": 0, "seconds": 0.0}
        self._begin = self._written = time.monotonic()
        self._executions = 0

    def note(self) -> None:
        """Count one."""
        self._executions += 1
        now = time.monotonic()
        if now > self._written + 1:
            self._written = now
            executions = self._before["executions"] + self._executions
            self._file.write_text(json.dumps({"executions": executions, "seconds": round(self._before["seconds"] + now - self._begin, 1)}))


if __name__ == "__main__":
    main()
