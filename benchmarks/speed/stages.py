"""Microseconds per stage in one process, for listings of three lengths: nothing found, an offer, a disguised offer.

Texts are unique (a running number and shuffled words), so that no cache answers; medians of all calls.
Usage: python benchmarks/speed/stages.py
"""

from __future__ import annotations

import random
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from machine import write
from wildgate_service.local import local_engine
from wildgate_service.pipeline import score_listing
from wildgate_service.types import Listing

SEED = 7
CALLS = 1_500
LENGTHS = (60, 300, 1_500)
STAGES = ("normalize", "match", "classify", "fuse", "decide")
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


def text(rng: random.Random, script: str, length: int, planted: str, number: int) -> str:
    """A unique text of about `length` code points that holds `planted` somewhere in its middle."""
    words = WORDS[script].split()
    parts: list[str] = [f"no {number}"]
    while sum(map(len, parts)) + len(parts) < length - len(planted):
        parts.append(rng.choice(words))
    parts.insert(len(parts) // 2, planted)
    return " ".join(part for part in parts if part)[:length]


def main() -> None:
    """Measure and write."""
    engine, rng = local_engine(), random.Random(SEED)
    rows = []
    for script in WORDS:
        for length in LENGTHS:
            for kind, planted in (("no hit", ""), ("offer", OFFERS[script]), ("disguised", DISGUISED[script])):
                samples: dict[str, list[int]] = {stage: [] for stage in STAGES}
                totals = []
                for number in range(CALLS if kind == "no hit" else CALLS // 5):
                    timings: list[tuple[str, int]] = []
                    content = text(rng, script, length, planted, number)
                    listing = Listing(title=content) if length < 1_000 else Listing(description=content)
                    score_listing(engine, listing, timings=timings)
                    for stage, taken in timings:
                        samples[stage].append(taken)
                    totals.append(sum(taken for _, taken in timings))
                medians = {stage: round(statistics.median(values) / 1e3, 1) for stage, values in samples.items()}
                rows.append(
                    {
                        "script": script,
                        "characters": length,
                        "text": kind,
                        **medians,
                        "total": round(statistics.median(totals) / 1e3, 1),
                        "p99": round(sorted(totals)[int(len(totals) * 0.99)] / 1e3, 1),
                    }
                )
                print(rows[-1])
    write(
        Path(__file__).parent.parent / "results" / "stages.json",
        {"seed": SEED, "calls": CALLS, "unit": "microseconds, median", "rows": rows},
    )


if __name__ == "__main__":
    main()
