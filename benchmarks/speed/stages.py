"""Microseconds per stage in one process, for words strung together, for prose, and for texts of one's own.

Texts are unique (a running number, shuffled words or sentences), so that no cache answers for a text; medians of all calls. Words strung
together hold nothing, an offer, or a disguised one. A column `memo` says what the process knows of words: `warm` after as many texts of the
same kind, `cold` when it meets every word for the first time.

Usage: python benchmarks/speed/stages.py [--texts FILE]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from machine import write
from wildgate_service.local import local_engine
from wildgate_service.pipeline import Engine, score_listing
from wildgate_service.types import Listing

SEED = 7
CALLS, FEWER_CALLS = 1_500, 300
LENGTHS = (60, 300, 1_500)
LENGTH_OF_PROSE = 300
LONGEST_TITLE = 1_000
STAGES = ("normalize", "match", "classify", "fuse", "decide")
PROSE = Path(__file__).parent / "prose"
WORDS = {
    "latin": (
        "blue cotton summer shirt with pockets brand new boxed wooden table lamp kitchen shelf camera lens "
        "battery charger leather strap garden chair vintage clock silver frame soft blanket running shoes "
        "size medium postage included collection possible great condition barely worn"
    ),
    "han": (
        "全新 正品 手机壳 蓝色 连衣裙 夏季 韩版 宽松 家用 收纳盒 厨房 置物架 儿童 玩具 "
        "充电器 数据线 运动鞋 男士 女士 双肩包 保温杯 办公 椅子 台灯"
    ),
    "cyrillic": (
        "новый синий хлопок рубашка лампа стол кухня полка камера зарядное устройство кожа ремень сад кресло "
        "часы рамка плед кроссовки размер"
    ),
    "thai": ("เสื้อ กางเกง รองเท้า ผ้าฝ้าย สีฟ้า ของใหม่ ราคาถูก ส่งฟรี โต๊ะ เก้าอี้ โคมไฟ กระเป๋า นาฬิกา เด็ก ครัว ชั้นวาง"),
}
OFFERS = {
    "latin": "elephant ivory bangle for sale",
    "han": "象牙手镯 出售",
    "cyrillic": "продам бивень слона, рог носорога",
    "thai": "ขายงาช้างแท้ เกล็ดลิ่น นอแรด",
}
DISGUISED = {
    "latin": "p4ng0l1n scales for sale",
    "han": "象 牙 手镯 出售",
    "cyrillic": "р о г носорога, б и в е н ь слона",
    "thai": "ขายงา.ช้าง เกล็ดลิ่น นอแรด",
}

Row = dict[str, Any]


def main() -> None:
    """Measure and print; write a result of the benchmark's own texts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, metavar="FILE", help="your own: one a line, or JSON Lines with title and description")
    chosen = parser.parse_args()
    engine, rng = local_engine(), random.Random(SEED)
    if chosen.texts:
        listings = read_listings(chosen.texts)
        for memo in ("cold", "warm"):
            print({"texts": chosen.texts.name, "listings": len(listings), "memo": memo, **measured(engine, listings, memo)})
        return
    rows = [*rows_of_words(engine, rng), *rows_of_prose(engine, rng)]
    write(
        Path(__file__).parent.parent / "results" / "stages.json",
        {"seed": SEED, "calls": CALLS, "unit": "microseconds, median", "rows": rows},
    )


def rows_of_words(engine: Engine, rng: random.Random) -> Iterable[Row]:
    """Words strung together, by script, length and what is in them; cold too where nothing is."""
    for script in WORDS:
        for length in LENGTHS:
            for kind, planted in (("no hit", ""), ("offer", OFFERS[script]), ("disguised", DISGUISED[script])):
                texts = [text(rng, script, length, planted, number) for number in range(FEWER_CALLS if planted else CALLS)]
                for memo in ("warm",) if planted else ("cold", "warm"):
                    yield shown({"script": script, "characters": length, "text": kind, "memo": memo}, engine, texts)


def rows_of_prose(engine: Engine, rng: random.Random) -> Iterable[Row]:
    """Sentences that people write, by script."""
    for file in sorted(PROSE.glob("*.txt")):
        sentences = file.read_text(encoding="utf-8").splitlines()
        texts = [prose(rng, sentences, number) for number in range(CALLS)]
        for memo in ("cold", "warm"):
            yield shown({"script": file.stem, "characters": LENGTH_OF_PROSE, "text": "prose", "memo": memo}, engine, texts)


def shown(row: Row, engine: Engine, texts: list[str]) -> Row:
    """A row with what was measured, printed."""
    listings = [Listing(title=each) if len(each) < LONGEST_TITLE else Listing(description=each) for each in texts]
    row |= measured(engine, listings, row["memo"])
    print(row)
    return row


def text(rng: random.Random, script: str, length: int, planted: str, number: int) -> str:
    """A unique text of about `length` code points that holds `planted` somewhere in its middle."""
    words = WORDS[script].split()
    parts: list[str] = [f"no {number}"]
    while sum(map(len, parts)) + len(parts) < length - len(planted):
        parts.append(rng.choice(words))
    parts.insert(len(parts) // 2, planted)
    return " ".join(part for part in parts if part)[:length]


def prose(rng: random.Random, sentences: list[str], number: int) -> str:
    """A unique text of `LENGTH_OF_PROSE` code points: shuffled sentences behind a number."""
    return " ".join([f"{number}.", *rng.sample(sentences, k=len(sentences))])[:LENGTH_OF_PROSE]


def read_listings(path: Path) -> list[Listing]:
    """The listings of a file: each line a JSON object with title and description, or a text; those without text are left out."""
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [_listing(line) for line in lines]


def _listing(line: str) -> Listing:
    row = json.loads(line) if line.startswith("{") else {"description": line}
    return Listing(title=row.get("title", ""), description=row.get("description", ""))


def measured(engine: Engine, listings: list[Listing], memo: str) -> Row:
    """Medians of the stages, of normalize and match together (`found`), and of all; and the 99th percentile of all."""
    for listing in listings if memo == "warm" else listings[:1]:  # one, so that all tables are read
        score_listing(engine, listing)
    calls = [timed(engine, listing, cold=memo == "cold") for listing in listings]
    totals = [sum(call.values()) for call in calls]
    medians = {stage: microseconds([call[stage] for call in calls]) for stage in STAGES}
    return {
        **medians,
        "found": microseconds([call["normalize"] + call["match"] for call in calls]),
        "total": microseconds(totals),
        "p99": round(sorted(totals)[int(len(totals) * 0.99)] / 1e3, 1),
    }


def timed(engine: Engine, listing: Listing, *, cold: bool) -> dict[str, int]:
    """Nanoseconds of each stage; if `cold`, of a process that has met no word yet."""
    if cold:
        for search in (engine.lexicon.taxon_search, engine.lexicon.context_search):
            search.speller.forget()
    timings: list[tuple[str, int]] = []
    score_listing(engine, listing, timings=timings)
    return dict(timings)


def microseconds(nanoseconds: list[int]) -> float:
    """The median, to a tenth."""
    return round(statistics.median(nanoseconds) / 1e3, 1)


if __name__ == "__main__":
    main()
