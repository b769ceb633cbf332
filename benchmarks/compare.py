"""Whether something became slower: two checkouts side by side in turn, or a fresh result beside the committed one.

    python benchmarks/compare.py checkouts main            # this checkout against main
    python benchmarks/compare.py checkouts v0.1 main --rounds 30 --serving
    python benchmarks/compare.py result benchmarks/results/stages.json      # a fresh file against the one in HEAD

`checkouts` runs each commit from a folder of its own in this environment, with these benchmarks, in turns on one core: every round has new
texts, the same for both, and gives one ratio. What is "slower" is so with its whole 99 % interval, by over 3 %. With `--serving` both also
serve, and h2load asks them in turn. `result` has no rounds: it says which figures moved away from the others, and by how much all moved.
Exit status 1 if something is slower, 2 if nothing could be measured.
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
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "load")]

from asking import NoAnswerError
from checkouts import ROOT, CheckoutError, check_own, checkout, probe, python_path
from committed import differences, paired
from contents import UNARY, answers_of
from h2load import LoadError, Shot, check_installed, fire
from machine import commit_of, write
from noise import Verdict, outliers, verdict
from probe import CASES, PLANTED
from running import Service
from traffic import make_requests, write_body

SEED = 23
MEMORY_TOLERANCE = 1.05
LOADS = {"1 in flight": (1, 1), "32 in flight": (16, 2)}

Pairs = dict[str, list[tuple[float, float]]]  # costs of both, round by round, by case


def main() -> int:
    """Compare and print; returns the exit status."""
    chosen = arguments()
    try:
        return compare_result(chosen) if chosen.command == "result" else compare_checkouts(chosen)
    except (CheckoutError, LoadError, NoAnswerError) as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    two = commands.add_parser("checkouts", help="two commits in turn")
    two.add_argument("before", help="a commit, branch or tag")
    two.add_argument("after", nargs="?", default=".", help="another; default: this checkout with what is not committed")
    two.add_argument("--rounds", type=int, default=20, help="each a ratio for every case; under 8 nothing is judged (default 20)")
    two.add_argument("--serving", action="store_true", help="also over the wire, without recording")
    two.add_argument("--seconds", type=float, default=1.0, help="of load on each service in a round (default 1)")
    two.add_argument("--output", type=Path, help="write the result as JSON")
    one = commands.add_parser("result", help="a fresh result")
    one.add_argument("fresh", type=Path)
    one.add_argument("committed", type=Path, nargs="?", help="default: the same path in HEAD")
    return parser.parse_args()


def compare_checkouts(chosen: argparse.Namespace) -> int:
    """All cases of two commits, in turn."""
    with tempfile.TemporaryDirectory(prefix="wildgate-compare-") as name, ExitStack() as stack:
        folder = Path(name)
        roots = [stack.enter_context(checkout(each, folder / side)) for side, each in (("before", chosen.before), ("after", chosen.after))]
        commits = [commit_of(root) for root in roots]
        print(f"before: {chosen.before} ({commits[0]}), after: {chosen.after} ({commits[1]}), {chosen.rounds} rounds", flush=True)
        pairs, differing, memory = in_process(roots, chosen.rounds)
        pairs |= together(pairs)
        if chosen.serving:
            pairs |= over_the_wire(roots, folder, chosen.rounds, chosen.seconds)
    verdicts = {case: verdict([after / before for before, after in rounds], SEED) for case, rounds in pairs.items()}
    print_verdicts(pairs, verdicts)
    print(f"memory of a process: {memory[0]:.0f} → {memory[1]:.0f} MiB")
    print(f"answers that differ: {differing['differ']} of {differing['asked']}")
    if chosen.output:
        rows = [{"case": case, **vars(verdicts[case])} for case in pairs]
        write(chosen.output, {"seed": SEED, "commits": commits, "rounds": chosen.rounds, "memory_mib": memory, **differing, "rows": rows})
    slower = [case for case, said in verdicts.items() if said.said == "slower"]
    slower += ["memory"] if memory[1] > memory[0] * MEMORY_TOLERANCE else []
    print(f"beyond noise: {', '.join(slower) or 'nothing is slower'}")
    return 1 if slower else 0


def in_process(roots: Sequence[Path], rounds: int) -> tuple[Pairs, dict[str, int], list[float]]:
    """Cases of both, answers that differ, and memory of each in MiB."""
    pairs: Pairs = defaultdict(list)
    differing = {"differ": 0, "asked": 0}
    rng = random.Random(SEED)
    with ExitStack() as stack:
        core = min(os.sched_getaffinity(0))
        probes = [stack.enter_context(probe(root, core)) for root in roots]
        for root, asked in zip(roots, probes, strict=True):
            check_own(root, asked)
        for number in range(rounds):
            for case in CASES:
                said = in_turn(rng, [partial(each.ask, {"round": number, "case": case}) for each in probes])
                pairs[case].append((said[0]["microseconds"], said[1]["microseconds"]))
                differing["asked"] += len(said[0]["actions"])
                differing["differ"] += sum(one != other for one, other in zip(said[0]["actions"], said[1]["actions"], strict=True))
            print(f"round {number + 1} in process", file=sys.stderr)
        return pairs, differing, [each.said["pss_mib"] for each in probes]


def together(pairs: Pairs) -> Pairs:
    """Geometric means over all cases of a kind, round by round: what all share shows there first, for the cases' noise averages out."""
    found: Pairs = {}
    for kind in PLANTED:
        cases = [rounds for case, rounds in pairs.items() if case.endswith(f"/{kind}")]
        found[f"all/{kind}"] = [
            (statistics.geometric_mean(each[0] for each in costs), statistics.geometric_mean(each[1] for each in costs))
            for costs in zip(*cases, strict=True)
        ]
    return found


def over_the_wire(roots: Sequence[Path], folder: Path, rounds: int, seconds: float) -> Pairs:
    """Microseconds per request (one over the rate), p99 and processor time of both services, without recording."""
    check_installed()
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    pairs: Pairs = defaultdict(list)
    rng = random.Random(SEED)
    with ExitStack() as stack:
        services = [
            stack.enter_context(Service(f"service-{side}", folder, server_core, path=python_path(root), store="none"))
            for side, root in enumerate(roots)
        ]
        for number in range(-1, rounds):  # the first is for warmth
            requests = make_requests(rng, number)
            body = write_body(folder / "compared.body", requests.ordinary)
            sizes = [len(answers_of(service, requests)["ordinary"]) for service in services]
            for name, (connections, streams) in LOADS.items():
                shots = [
                    Shot(service.target, UNARY, body, size, connections, streams) for service, size in zip(services, sizes, strict=True)
                ]
                asked = list(zip(services, shots, strict=True))
                said = in_turn(rng, [partial(cost, *one, seconds, folder, load_core) for one in asked])
                for figure in said[0] if number >= 0 else ():
                    pairs[f"{name}, {figure}"].append((said[0][figure], said[1][figure]))
    return pairs


def cost(service: Service, shot: Shot, seconds: float, folder: Path, core: int | None) -> dict[str, float]:
    """Of a burst, all in microseconds."""
    before = service.cpu_seconds()
    burst = fire((shot,), seconds, folder, core)
    spent = service.cpu_seconds() - before
    return {"a request": 1e6 / burst.requests_per_second, "p99": burst.p99 * 1e3, "CPU": spent * 1e6 / burst.answered}


def in_turn(rng: random.Random, calls: Sequence[Callable[[], dict[str, Any]]]) -> list[dict[str, Any]]:
    """What each call gives, the calls made in random order."""
    order = rng.sample(range(len(calls)), len(calls))
    given = {index: calls[index]() for index in order}
    return [given[index] for index in range(len(calls))]


def print_verdicts(pairs: Pairs, verdicts: Mapping[str, Verdict]) -> None:
    """A table of medians in microseconds, and ratios."""
    print("| case | before µs | after µs | after ÷ before [99 %] |\n|---|---|---|---|")
    for case, rounds in pairs.items():
        before, after = (statistics.median(each[side] for each in rounds) for side in (0, 1))
        print(f"| {case} | {before:,.1f} | {after:,.1f} | {verdicts[case]} |")


def compare_result(chosen: argparse.Namespace) -> int:
    """A file against the one that is committed."""
    fresh, old = json.loads(chosen.fresh.read_text(encoding="utf-8")), committed_result(chosen)
    ratios = paired(fresh, old)
    if not ratios:
        raise CheckoutError(f"{chosen.fresh}: no figure that the committed result has too")
    found = outliers(ratios)
    print(f"{len(ratios)} figures; all together {found.factor:.2f} × the committed ones; beyond noise is {found.limit:.2f} × that")
    for difference in differences(fresh, old):
        print(f"measured on something else: {difference}")
    for said, names in (("slower", found.slower), ("faster", found.faster)):
        for name in sorted(names, key=lambda each: -abs(ratios[each] - 1)):
            print(f"{said}: {name}: {ratios[name]:.2f} ×")
    if found.factor > found.limit:
        print("everything is slower: a busier machine, or the change; `compare.py checkouts HEAD` tells which")
    return 1 if found.slower or found.factor > found.limit else 0


def committed_result(chosen: argparse.Namespace) -> dict[str, Any]:
    """The committed JSON, from a file or from HEAD. Raises CheckoutError."""
    if chosen.committed:
        return dict(json.loads(chosen.committed.read_text(encoding="utf-8")))
    path = chosen.fresh.resolve()
    done = subprocess.run(
        ("git", "-C", str(ROOT), "show", f"HEAD:./{os.path.relpath(path, ROOT)}"), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CheckoutError(f"{chosen.fresh} is not in HEAD; name the committed result as second argument")
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    sys.exit(main())
