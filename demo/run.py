"""`make demo`: the service on a free port, real listings through the SDK, what was decided and why, and the report.

Everything it makes lies in `demo-output/`: the store, the secrets and the report.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from wildgate import Client, Decision, Explain, Listing

HERE = Path(__file__).parent
OUTPUT = HERE.parent / "demo-output"
WILDGATE = Path(sys.executable).with_name("wildgate")
COLORS = {"block": "\033[31m", "review": "\033[33m", "allow": "\033[32m"}
MARK = ("\033[1;4m", "\033[0m") if sys.stdout.isatty() else ("[", "]")
TITLE_WIDTH = 62


def main() -> None:
    """Serve, score, report."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as log:
        service = subprocess.Popen(
            [WILDGATE, "serve", "--port", "0", "--workers", "1", "--store", f"sqlite:///{OUTPUT}/wildgate.db"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=OUTPUT,
        )
        try:
            line = service.stdout.readline().strip() if service.stdout else ""
            if not line:
                log.seek(0)
                sys.exit(f"the service did not start:\n{log.read()}")
            print(f"{line}  (ready after {time.monotonic() - started:.1f} s)\n")
            with Client(line.rsplit(" ", 1)[-1], insecure=True, on_unavailable="raise") as client:
                score_all(client)
        finally:
            service.terminate()
            service.wait(30)
    write_report()


def score_all(client: Client) -> None:
    """Score every listing of `listings.jsonl`, print a line each, and tell what a platform would have done."""
    client.wait_ready(30)
    rows = [json.loads(line) for line in (HERE / "listings.jsonl").read_text(encoding="utf-8").splitlines()]
    decisions = []
    for row in rows:
        listing = listing_of(row)
        decision = client.score(listing, timeout=5, explain=Explain.FULL)
        decisions.append(decision)
        show(listing, decision)
    show_one(listing_of(rows[20]), decisions[20])
    summary(client, rows, decisions)


def listing_of(row: dict[str, Any]) -> Listing:
    """A line of the file as the SDK's listing."""
    posted = datetime.now(UTC) - timedelta(minutes=5)
    return Listing(
        id=row["id"],
        title=row["title"],
        description=row.get("description", ""),
        content_kind=row["kind"],
        market=row["market"],
        seller_ref=f"seller-of-{row['id']}",
        posted_time=posted,
    )


def show(listing: Listing, decision: Decision) -> None:
    """One line: action, score, language, groups, and the seller's own text with the words found marked."""
    action = decision.action.value
    color, plain = (COLORS[action], "\033[0m") if sys.stdout.isatty() else ("", "")
    groups = ", ".join(dict.fromkeys(taxon.group for taxon in decision.taxa)) if action != "allow" else ""
    text = visible(decision.highlight(listing, before="\ue000", after="\ue001"))
    print(f"{color}{action.upper():6}{plain} {decision.score:5.2f} {decision.language:4} {groups:17.17} {text}")


def visible(text: str) -> str:
    """The text with invisible characters shown and the marks of the terminal."""
    shown = "".join(char if unicodedata.category(char) != "Cf" else "·" for char in text)
    return shown.replace("\ue000", MARK[0]).replace("\ue001", MARK[1])


def show_one(listing: Listing, decision: Decision) -> None:
    """One decision in full."""
    print(f"\nWhy {listing.id} was decided so:")
    print(f"  {decision.reason}")
    for match in decision.matches:
        views = f", read through {', '.join(match.views)}" if match.views else ""
        place = f"{match.field}[{match.span.start}:{match.span.end}]"
        print(f"  “{match.surface}” at {place} is {match.kind} {match.rule_id} ({match.gloss}){views}")
    print("  " + "  ".join(f"{evidence.name} {evidence.weight:+.2f}" for evidence in decision.evidence))
    print("  " + "  ".join(f"{timing.stage} {timing.microseconds} µs" for timing in decision.timings))
    print(f"  to the poster: {decision.notice}")
    if decision.receipt:
        print(f"  receipt: position {decision.receipt.position}, chain {decision.receipt.chain_hash[:16]}…")


def summary(client: Client, rows: list[dict[str, Any]], decisions: list[Decision]) -> None:
    """Counts, and outcomes as a platform reports them."""
    for decision in decisions:
        if decision.blocked:
            client.report_outcome(decision, applied="removed", means="automated")
        elif decision.review:
            client.report_outcome(decision, applied="held", means="automated")
    reviewed = [decision for decision in decisions if decision.review]
    for number, decision in enumerate(reviewed):
        client.report_outcome(decision, applied="published" if number % 3 == 0 else "removed", means="moderator")
    blocked = [decision for decision in decisions if decision.blocked]
    if blocked:
        client.report_outcome(blocked[0], applied="complaint_received")
        client.report_outcome(blocked[0], applied="complaint_rejected", means="moderator")
    counts: dict[str, Counter[str]] = {}
    for row, decision in zip(rows, decisions, strict=True):
        counts.setdefault("look-alikes" if row["id"].startswith("benign") else "offers", Counter())[decision.action.value] += 1
    print()
    for name, actions in counts.items():
        print(f"{sum(actions.values())} {name}: " + ", ".join(f"{number} {action}" for action, number in actions.most_common()))
    print(f"versions: lexicon {decisions[0].lexicon_version}, model {decisions[0].model_version}, policy {decisions[0].policy_version}")


def write_report() -> None:
    """The transparency report of today, by the command that everybody has."""
    today = datetime.now(UTC).date().isoformat()
    store = f"sqlite:///{OUTPUT}/wildgate.db"
    for more in ([], ["--exact"]):  # a day of a demo is small: in the public report most is hidden
        subprocess.run(
            [
                WILDGATE,
                "report",
                "--from",
                today,
                "--to",
                today,
                *more,
                "--output",
                OUTPUT / "report",
                "--store",
                store,
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ,
        )
    print("report: " + ", ".join(str(path.relative_to(HERE.parent)) for path in sorted((OUTPUT / "report").iterdir())))


if __name__ == "__main__":
    main()
