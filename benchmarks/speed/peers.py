"""Wildgate beside word filters that people use: what a text costs, and what each finds, on the same texts with the same forms.

Each filter runs in a process and an environment of its own (made beside the repository's own by the first run; peers.toml lists them), and
all are asked in turn, text by text the same, in every round others. One that cannot be installed, does not start or takes too long is said
so. Filters get the lexicon's taxon forms as plain strings, first 2,000 of them (every n-th), then all. Texts of 300 code points in four
scripts hold nothing, an offer, or a disguised offer; they are strung together from everyday words, so what is found is no recall, only
what the same text is to each.

Usage: python benchmarks/speed/peers.py [--rounds N] [--only NAME,NAME] [--environments DIR] [--output FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "load"), str(HERE.parent / "quality"), str(HERE)]

from asking import Asked, NoAnswerError
from machine import write
from robustness.rivals import forms_of
from running import pinned
from stages import DISGUISED, OFFERS, WORDS, text
from wildgate_service.lexicon import default_lexicons

SEED = 29
LENGTH = 300  # code points
TEXTS = 4  # of each script and kind in a round
FEW = 2_000  # forms
CELL_SECONDS = 0.5  # for the texts of one script and kind; slow filters get fewer, at least one
START_SECONDS = 240
ROUND_SECONDS = 60  # of a filter, after which it has no further round
INSTALL_SECONDS = 900
OWN = ("wildgate", "wildgate-lexicons")
KINDS: dict[str, Mapping[str, str]] = {"no hit": dict.fromkeys(WORDS, ""), "offer": OFFERS, "disguised": DISGUISED}

Cells = dict[tuple[str, int, str], dict[str, list[Any]]]  # (peer, forms, kind) → microseconds, stopped


class NotInstalledError(Exception):
    """An environment that could not be made; the message is pip's last line."""


def main() -> None:
    """Measure, print, write."""
    chosen = arguments()
    peers = tomllib.loads((HERE / "peers.toml").read_text(encoding="utf-8"))
    names = chosen.only.split(",") if chosen.only else [*OWN, *peers]
    pythons, status = environments({name: peers[name] for name in names if name in peers}, chosen.environments)
    pythons |= {name: sys.executable for name in names if name in OWN}
    cells, built = measure(pythons, peers, chosen.rounds, status)
    rows = [row_of(name, forms, kind, cell) for (name, forms, kind), cell in cells.items()]
    print_table(rows, status)
    given = {name: {**peers.get(name, {}), "status": said} for name, said in status.items()}
    write(chosen.output, {"seed": SEED, "rounds": chosen.rounds, "characters": LENGTH, "peers": given, "build": built, "rows": rows})


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="each with other texts (default 3)")
    parser.add_argument("--only", default="", metavar="NAME,NAME", help="of peers.toml, or wildgate, wildgate-lexicons")
    parser.add_argument("--environments", type=Path, default=HERE.parents[1] / ".venv-peers", metavar="DIR", help="default .venv-peers")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "peers.json")
    return parser.parse_args()


def environments(peers: Mapping[str, Mapping[str, Any]], folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The Python of each peer that is installed, and of all what came of it."""
    pythons: dict[str, str] = {}
    status: dict[str, str] = {}
    for name, peer in peers.items():
        try:
            pythons[name] = installed(folder / name, [*peer.get("pip", ()), *peer["requirements"]])
            status[name] = "measured"
        except NotInstalledError as error:
            status[name] = f"cannot be installed: {error}"
            print(f"{name}: {status[name]}", file=sys.stderr)
    return pythons, status


def installed(folder: Path, requirements: Sequence[str]) -> str:
    """The Python of an environment that has what is required; it is made once. Raises NotInstalledError."""
    python, done = folder / "bin" / "python", folder / "installed.txt"
    wanted = "\n".join(requirements)
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements])
        done.write_text(wanted, encoding="utf-8")
    return str(python)


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines()
        raise NotInstalledError(said[-1] if said else f"status {error.returncode}") from error
    except subprocess.TimeoutExpired as error:
        raise NotInstalledError(f"over {INSTALL_SECONDS} s") from error


def measure(
    pythons: Mapping[str, str], peers: Mapping[str, Mapping[str, Any]], rounds: int, status: dict[str, str]
) -> tuple[Cells, list[dict[str, Any]]]:
    """What each took and stopped, and how long it took to build."""
    forms = forms_of(default_lexicons())
    cells: Cells = defaultdict(lambda: {"microseconds": [], "stopped": []})
    built: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="wildgate-peers-") as folder:
        for given in (forms[:: max(1, len(forms) // FEW)][:FEW], forms):
            path = Path(folder) / f"{len(given)}.json"
            path.write_text(json.dumps(given), encoding="utf-8")
            asked = [name for name in pythons if given is forms or peers.get(name, {}).get("forms")]
            with ExitStack() as stack:
                running = start({name: pythons[name] for name in asked}, path, stack, status)
                built += [{"peer": name, "forms": len(given), **each.said} for name, each in running.items()]
                ask(running, len(given), rounds, cells, status)
    return cells, built


def start(pythons: Mapping[str, str], forms: Path, stack: ExitStack, status: dict[str, str]) -> dict[str, Asked]:
    """The processes that introduced themselves."""
    core = min(os.sched_getaffinity(0))
    running: dict[str, Asked] = {}
    for name, python in pythons.items():
        process = Asked((*pinned(core), python, str(HERE / "peer.py"), name, str(forms)), seconds=START_SECONDS)
        try:
            running[name] = stack.enter_context(process)
            status[name] = status.get(name, "measured")
        except NoAnswerError as error:
            status[name] = f"did not start with {forms.stem} forms: {error}"
            print(f"{name}: {status[name]}", file=sys.stderr)
    return running


def ask(running: dict[str, Asked], forms: int, rounds: int, cells: Cells, status: dict[str, str]) -> None:
    """All rounds; who does not answer, or takes over a minute for a round, is not asked again."""
    rng = random.Random(SEED)
    for number in range(rounds):
        spent: Counter[str] = Counter()
        for kind, planted in KINDS.items():
            for script in WORDS:
                texts = [text(rng, script, LENGTH, planted[script], number * TEXTS + item) for item in range(TEXTS)]
                for name in rng.sample(sorted(running), len(running)):
                    try:
                        said = running[name].ask({"texts": texts, "seconds": CELL_SECONDS})
                    except NoAnswerError as error:
                        status[name] = f"gave up with {forms} forms: {error}"
                        del running[name]
                        continue
                    cell = cells[name, forms, kind]
                    cell["microseconds"] += said["microseconds"]
                    cell["stopped"] += said["stopped"]
                    spent[name] += sum(said["microseconds"])
        print(f"{forms} forms, round {number + 1}: {', '.join(running)}", flush=True)
        for name in [name for name in running if spent[name] > ROUND_SECONDS * 1e6]:
            status[name] = f"measured, with {forms} forms in {number + 1} of {rounds} rounds"
            del running[name]


def row_of(name: str, forms: int, kind: str, cell: Mapping[str, list[Any]]) -> dict[str, Any]:
    """A row of the result."""
    return {
        "peer": name,
        "forms": forms,
        "text": kind,
        "calls": len(cell["microseconds"]),
        "median_us": round(statistics.median(cell["microseconds"]), 1),
        "stopped_share": round(statistics.fmean(cell["stopped"]), 3),
    }


def print_table(rows: Sequence[Mapping[str, Any]], status: Mapping[str, str]) -> None:
    """One line a filter and number of forms: microseconds, and the share that is stopped."""
    lines: dict[tuple[str, int], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows:
        lines[row["peer"], row["forms"]][row["text"]] = row
    print(f"\n| filter | forms | {' | '.join(f'{kind}: µs | stopped' for kind in KINDS)} |\n|{'---|' * (2 + 2 * len(KINDS))}")
    for (name, forms), by_kind in sorted(lines.items(), key=lambda line: (line[0][1], line[1]["no hit"]["median_us"])):
        shown = " | ".join(f"{by_kind[kind]['median_us']:,.0f} | {by_kind[kind]['stopped_share']:.0%}" for kind in by_kind)
        print(f"| {name} | {forms:,} | {shown} |")
    for name, said in status.items():
        if said != "measured":
            print(f"{name}: {said}")


if __name__ == "__main__":
    main()
