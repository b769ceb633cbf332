"""Whether statements of reasons reach the database exactly once each, whatever goes wrong on the way.

Records decisions and outcomes in a store of its own, exports their statements with `wildgate statements export`, and sends them with
`wildgate statements submit` to the double on this machine, a share of whose calls goes wrong: timeouts after storing, late storing,
dropped connections, 429s and 500s. Some puids are there before; the submitter is killed with SIGKILL time and again, at places drawn by the
seed. Then what the double holds is held against what was exported.

Usage: python benchmarks/reporting/statements.py [--statements N] [--kills N] [--share S] [--seed N] [--output FILE]
Exit status 1 if one is missing, twice, or another than was exported.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

import msgspec
import uuid_utils
from machine import write
from wildgate_service.outcomes import Means, Outcome, OutcomeKind
from wildgate_service.record import make_record
from wildgate_service.secrets import load_secrets
from wildgate_service.statements.double import Double, Faults, as_kept
from wildgate_service.statements.double_server import serving
from wildgate_service.statements.files import Sendable, read_days
from wildgate_service.store import open_store
from wildgate_service.types import Action, Decision, DecisionRecord, Level, Listing, Match, RuleKind, Taxon, Versions

TENANT, TOKEN = "default", "benchmark-token"
FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAYS = 10
BATCH = 500
TIMEOUT = 0.5  # seconds that the submitter waits for an answer
WILDGATE = (sys.executable, "-c", "from wildgate_service.cli import main; main()")
TAXA = (Taxon("elephant", "Loxodonta africana", "I"), Taxon("parrot", "Psittacus erithacus", "I"), Taxon("bear", "Ursus thibetanus", "I"))
MARKETS = ("DE", "FR", "IT", "ES", "PL", "NL")
SERVER_ADDS = {"uuid", "created_at", "platform_name", "permalink", "self"}


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--share", type=float, default=0.15, help="of calls that go wrong")
    parser.add_argument("--there", type=int, default=50, help="statements that are there before")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "statements.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder), arguments)
    print(json.dumps({name: value for name, value in result.items() if name != "machine"}, indent=1))
    write(arguments.output, result)
    sys.exit(not result["exactly_once"])


def run(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Record, export, send, compare."""
    rng = random.Random(arguments.seed)
    began = time.perf_counter()
    fill(folder, arguments.statements, rng)
    filled = time.perf_counter()
    exported = export(folder, "out")
    written = time.perf_counter()
    again = export(folder, "again") == exported and contents(folder / "out") == contents(folder / "again")
    statements = list(read_days(folder / "out"))
    double = Double(TOKEN, Faults(share=arguments.share, seed=arguments.seed, stall_seconds=2 * TIMEOUT))
    for each in rng.sample(statements, arguments.there):
        double.hold(each.statement)
    sending = time.perf_counter()
    with serving(double) as url:
        kills, said = send(folder, url, double, arguments, rng)
    return {
        "statements": len(statements),
        "there_before": arguments.there,
        "kills": kills,
        "share_of_calls_that_fail": arguments.share,
        "faults": dict(sorted(double.faults.items())),
        "calls": dict(sorted(double.calls.items())),
        "said_by_the_last_submitter": said,
        "stored": len(double.statements),
        "exactly_once": sorted(kept(statements)) == sorted(stored(double)),
        "same_bytes_when_exported_again": again,
        "seconds": {
            "recording": round(filled - began, 1),
            "export": round(written - filled, 1),
            "sending": round(time.perf_counter() - sending, 1),
        },
        "seed": arguments.seed,
    }


# --- before ------------------------------------------------------------------------------------------


def fill(folder: Path, count: int, rng: random.Random) -> None:
    """Record decisions, and what the platform did about them within the day."""
    key = load_secrets(folder / "wildgate.secrets").tenant_key(TENANT)
    with open_store(f"sqlite:///{folder / 'wildgate.db'}") as store:
        for first in range(0, count, BATCH):
            records = [record(number, key, rng) for number in range(first, min(first + BATCH, count))]
            store.append(records)
            store.append_outcomes([outcome(each, rng) for each in records])


def record(number: int, key: bytes, rng: random.Random) -> DecisionRecord:
    """A listing that was stopped."""
    taxon = rng.choice(TAXA)
    match = Match(
        rule_id="en-bench",
        kind=rng.choice((RuleKind.PRODUCT, RuleKind.SPECIES)),
        level=Level.ALONE,
        language="en",
        form="form",
        gloss="",
        surface="surface",
        field="title",
        start=0,
        end=7,
        skeleton_start=0,
        skeleton_end=7,
        groups=(taxon.group,),
    )
    decision = Decision(
        action=Action.BLOCK,
        shadow_action=Action.BLOCK,
        shadow=False,
        score=0.95,
        language=rng.choice(("en", "de", "fr", "zh-Hans")),
        taxa=(taxon,),
        matches=(match,),
        evidence=(),
        reason="",
        notice="",
        versions=Versions("1", "1", "1"),
    )
    return make_record(
        decision,
        Listing(id=str(number), title=f"{number}", market=rng.choice(MARKETS)),
        tenant=TENANT,
        decision_id=str(uuid_utils.uuid7()),
        request_id=str(uuid_utils.uuid7()),
        decided_time=FIRST + timedelta(days=number % DAYS),
        tenant_key=key,
    )


def outcome(decided: DecisionRecord, rng: random.Random) -> Outcome:
    """A removal an hour later."""
    then = decided.decided_time + timedelta(hours=1)
    return Outcome(
        tenant=TENANT,
        outcome_id=str(uuid_utils.uuid7()),
        kind=OutcomeKind.REMOVED,
        decision_id=decided.decision_id,
        occurred_time=then,
        recorded_time=then,
        means=rng.choice((Means.AUTOMATED, Means.MODERATOR)),
    )


def export(folder: Path, name: str) -> int:
    """Export all days with the command; how many statements there are."""
    days = ("--from", f"{FIRST:%Y-%m-%d}", "--to", f"{FIRST + timedelta(days=DAYS):%Y-%m-%d}")
    where = ("--output", str(folder / name), "--store", f"sqlite:///{folder / 'wildgate.db'}")
    subprocess.run([*WILDGATE, "statements", "export", *days, *where], check=True, capture_output=True)
    return sum(1 for _ in read_days(folder / name))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


# --- sending -----------------------------------------------------------------------------------------


def send(folder: Path, url: str, double: Double, arguments: argparse.Namespace, rng: random.Random) -> tuple[int, str]:
    """Submit with kills at drawn places, then to the end; how many kills met a running submitter, and what the last one said."""
    token = folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    asked = ["--url", url, "--token-file", str(token), "--timeout", str(TIMEOUT), "--first-wait", "0.02"]
    command = [*WILDGATE, "statements", "submit", str(folder / "out"), *asked]
    places = sorted(rng.sample(range(arguments.there, arguments.statements), arguments.kills))
    kills = sum(killed_at(place, command, double, rng) for place in places)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return kills, done.stdout.strip() or done.stderr[-500:]


def killed_at(place: int, command: list[str], double: Double, rng: random.Random) -> bool:
    """Run a submitter and kill it a moment after so many statements are stored; whether it was still running."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while len(double.statements) < place and process.poll() is None:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.05))
        running = process.poll() is None
        process.kill()
    return running


# --- after -------------------------------------------------------------------------------------------


def kept(statements: list[Sendable]) -> Iterator[bytes]:
    """What the database should hold."""
    return (msgspec.json.encode(as_kept(each.statement, single=False), order="sorted") for each in statements)


def stored(double: Double) -> Iterator[bytes]:
    """What it holds, without what it added by itself."""
    for each in double.statements.values():
        yield msgspec.json.encode({name: value for name, value in each.items() if name not in SERVER_ADDS}, order="sorted")


if __name__ == "__main__":
    main()
