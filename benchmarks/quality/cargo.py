"""How high planted cases rank among invented bookings, and how many ordinary ones are called high risk.

Usage: python benchmarks/quality/cargo.py [--bookings 100000] [--planted 200] [--seed 8] [--half development] [--csv FILE] [--output FILE]

All bookings are invented (`cargo_world.toml`), by the author of the patterns: what is found here says that the patterns do what they
say, and nothing of how much wildlife is found in real traffic. Half of the planted goods and ways were held out while points were set.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
import random
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import msgspec
from machine import write
from wildgate_service.bulk import Run
from wildgate_service.cargo import load_tables
from wildgate_service.cargo.ranking import Reading, rank_file
from wildgate_service.quality.rates import Rate, rate

HEADER = (
    "booking_no", "goods_description", "pol", "pod", "transit", "hs_code", "gross_weight_kg", "packages", "containers", "shipper_type",
    "transport", "truth", "sign", "half",
)  # fmt: skip
SHARES = (0.001, 0.003, 0.01, 0.03)
HALVES = ("development", "held_out")
NAMED = ("FISH MAW", "SEA CUCUMBER")  # ordinary goods of the world that the lexicons name
HUBS = ("SGSIN", "MYPKG", "AEJEA", "LKCMB")
Row = dict[str, Any]


def main() -> int:
    """Invent, rank, count; returns the exit status."""
    chosen = arguments()
    with tempfile.TemporaryDirectory() as folder:
        source, ranked = chosen.csv or Path(folder) / "bookings.csv", Path(folder) / "ranked.csv"
        write_bookings(source, chosen.bookings, chosen.planted, chosen.seed, chosen.half)
        rank_file(source, ranked, 0.003, Run(lexicons=None, policy=None, workers=2), Reading())
        result = counted(ranked)
    show(result)
    table = load_tables().patterns.version
    about = {"bookings": chosen.bookings, "planted": chosen.planted, "seed": chosen.seed, "half": chosen.half, "patterns": table}
    if chosen.output:
        write(chosen.output, {"data": "synthetic, by the author of the patterns"} | about | msgspec.to_builtins(result))
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bookings", type=int, default=100_000)
    parser.add_argument("--planted", type=int, default=200)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--half", choices=("development", "held_out", "both"), default="both")
    parser.add_argument("--csv", type=Path, help="keep the bookings here")
    parser.add_argument("--output", type=Path, help="where the result goes, if anywhere")
    return parser.parse_args()


def write_bookings(path: Path, bookings: int, planted: int, seed: int, half: str = "both") -> None:
    """A file of ordinary bookings with planted ones among them; the same for the same arguments."""
    world = tomllib.loads((HERE / "cargo_world.toml").read_text("utf-8"))
    chance = random.Random(seed)
    cases = [case for case in ways(world["planted"]) if half in {"both", case["half"]}]
    chosen = [chance.choice(cases) for _ in range(planted)]
    places = set(chance.sample(range(bookings), planted))
    trades, weights = world["trades"], [trade["weight"] for trade in world["trades"]]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        for number in range(bookings):
            if number in places:
                row = booking(chosen.pop(), world, chance) | {"truth": "planted"}
            else:
                row = ordinary(chance.choices(trades, weights)[0], world, chance) | {"truth": "ordinary"}
            writer.writerow({"booking_no": f"SYN{number:08d}"} | row)


def ways(planted: list[Row]) -> Iterator[Row]:
    """Each planted goods on each of its ways; the half follows from what the goods and the country of origin are."""
    for case in planted:
        for goods, origin, destination in itertools.product(case["goods"], case["from"], case["to"]):
            odd = hashlib.sha256(f"{goods} {origin[:2]}".encode()).digest()[0] % 2
            yield case | {"goods": [goods], "from": [origin], "to": [destination], "half": HALVES[odd]}


def ordinary(trade: Row, world: Row, chance: random.Random) -> Row:
    """A booking of an ordinary trade, with the slips of ordinary bookings."""
    noise = world["noise"]
    if chance.random() < noise["unspecified"]:
        trade = trade | world["unspecified"]
    row = booking(trade | {"sign": "", "half": ""}, world, chance)
    if chance.random() < noise["wrong_code"]:
        row["hs_code"] = chance.choice(world["trades"])["hs"]
    if chance.random() < noise["odd_weight"]:
        row["gross_weight_kg"] = chance.randrange(800, 29000)
    return row


def booking(trade: Row, world: Row, chance: random.Random) -> Row:
    """One booking of a trade or case."""
    noise = world["noise"]
    count, size = chance.choice((1, 1, 1, 2, 3, 5)), chance.choice(("20GP", "40HC", "40HC"))
    units = 1 if trade.get("air") else count * (1 if size == "20GP" else 2)
    unit = chance.randrange(*trade["kilograms"]) // (1 if trade.get("air") or size == "20GP" else 1.3)
    kilograms = int(unit * units)
    hs = "" if chance.random() < noise["no_code"] else trade["hs"][: 4 if chance.random() < noise["short_code"] else 6]
    told = {
        "goods": chance.choice(trade["goods"]),
        "containers": "" if trade.get("air") else f"{count}X{size}",
        "packages": chance.choice(world["packing"]).format(n=chance.randrange(20, 900)),
        "hs": hs or "N/A",
        "kilograms": f"{kilograms:,}",
    }
    private = trade["sign"] == "private" or chance.random() < noise["private"]
    return {
        "goods_description": chance.choice(world["clauses"]).format(**told).strip(),
        "pol": chance.choice(trade["from"]),
        "pod": chance.choice(trade["to"]),
        "transit": chance.choice(HUBS) if chance.random() < noise["hub"] else "",
        "hs_code": hs,
        "gross_weight_kg": kilograms,
        "packages": told["packages"].split()[0],
        "containers": told["containers"],
        "shipper_type": "individual" if private else "company",
        "transport": "air" if trade.get("air") else "sea",
        "sign": trade["sign"],
        "half": trade["half"],
    }


def counted(ranked: Path) -> Row:
    """What of the planted is found at each share, by half and sign, and what ordinary bookings come to."""
    with ranked.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    planted = [row for row in rows if row["truth"] == "planted"]
    usual = [row for row in rows if row["truth"] == "ordinary"]
    found = {str(share): by_group(planted, share * len(rows)) for share in SHARES}
    stopped = [row for row in usual if row["action"] != "allow"]
    by_other_words = [row for row in stopped if not any(word in row["goods_description"] for word in NAMED)]
    african = [row for row in usual if any(word in row["goods_description"] for word in ("CASHEW", "NOIX DE CAJOU")) and row["sign"] == ""]
    high = [row for row in rows if row["high_risk"] == "yes"]
    return {
        "found": found,
        "high_risk": rate(len(high), len(rows)),
        "high_risk_that_is_planted": rate(sum(row["truth"] == "planted" for row in high), len(high)),
        "ordinary_reviewed_or_blocked": rate(len(stopped), len(usual)),
        "ordinary_reviewed_or_blocked_by_other_words": rate(len(by_other_words), len(usual)),
        "ordinary_cashew_of_high_risk": rate(sum(row["high_risk"] == "yes" for row in african), len(african)),
        "least_risk_of_high": min((float(row["risk"]) for row in high), default=0.0),
    }


def by_group(planted: list[Row], most: float) -> dict[str, Rate]:
    """Rates of planted bookings among the first `most`: all, by half, by half and sign."""
    groups: dict[str, list[Row]] = {"all": planted}
    for row in planted:
        groups.setdefault(row["half"], []).append(row)
        groups.setdefault(f"{row['half']}: {row['sign']}", []).append(row)
    return {name: rate(sum(int(row["risk_rank"]) <= most for row in rows), len(rows)) for name, rows in sorted(groups.items())}


def show(result: Row) -> None:
    """Print the rates."""
    for share, groups in result["found"].items():
        print(f"\nfound at a share of {float(share):.1%}")
        for name, each in groups.items():
            if float(share) == 0.003 or ":" not in name:
                print(f"  {name:28} {each}")
    for name, each in result.items():
        if name != "found":
            print(f"{name:32} {each}")


if __name__ == "__main__":
    sys.exit(main())
