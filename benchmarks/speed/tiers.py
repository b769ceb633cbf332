"""Microseconds per tier of the classifier, which texts reach the encoder, and what each model's folder takes of disk and memory.

Language identification and screen by script and length, the encoder by script and tokens of one window, and whole listings in which nothing
is found, or a form that the encoder reads beside. Texts are unique. The share that reaches the encoder is of the listings of `--texts`, a
file as `wildgate score --input` reads it; the committed one is a sample of everyday listings in sixteen languages, one in three with a word
of wildlife that means none. Usage: python benchmarks/speed/tiers.py [--texts FILE]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from machine import pss, write
from stages import OFFERS, WORDS, text
from wildgate_service.bulk import InputRow, listing_of, rows_of
from wildgate_service.classify.screen import Screen, fold_digest
from wildgate_service.fuse import load_fusion
from wildgate_service.language import identify_language
from wildgate_service.local import local_engine
from wildgate_service.model.encoder import SentenceEncoder
from wildgate_service.model.folder import find_models
from wildgate_service.model.heads import HeadSet
from wildgate_service.normalize import fold
from wildgate_service.pipeline import Engine, score_listing, weigh
from wildgate_service.settings import load_settings
from wildgate_service.types import Listing

SEED = 11
CALLS = {"language": 1_000, "screen": 1_000, "encoder": 150, "listing": 300}
LENGTHS = (60, 300, 1_500)  # code points
TOKENS = (8, 16, 32, 64)  # of one window, begin and end included
TYPICAL = 300  # code points of a whole listing
ROUNDS = 3  # of the same texts, in turn
SAMPLE = HERE / "sample.jsonl"

Row = dict[str, Any]
Text = TypeVar("Text")


def timed(call: Callable[[Text], object], given: Iterable[Text]) -> Row:
    """Median and 99th percentile of the calls, in microseconds."""
    given = list(given)
    for each in given[:3]:
        call(each)
    taken = []
    for _ in range(ROUNDS):
        for each in given:
            started = time.perf_counter_ns()
            call(each)
            taken.append(time.perf_counter_ns() - started)
    taken.sort()
    return {"calls": len(taken), "p50": round(taken[len(taken) // 2] / 1e3, 1), "p99": round(taken[len(taken) * 99 // 100] / 1e3, 1)}


def cheap_tiers(engine: Engine, rng: random.Random) -> list[Row]:
    """Language identification and screen, which read every text."""
    rows = []
    for script in WORDS:
        for length in LENGTHS:
            documents = [text(rng, script, length, "", number) for number in range(CALLS["language"])]
            skeletons = [fold(document) for document in documents]
            shape = {"script": script, "characters": length}
            rows.append({"tier": "language", **shape, **timed(lambda each: identify_language(each, ""), documents)})
            if engine.screen is not None:
                rows.append({"tier": "screen", **shape, **timed(engine.screen.logit, skeletons)})
    return rows


def encoder_tier(engine: Engine, rng: random.Random) -> list[Row]:
    """One window of so many tokens: tokenization, encoder and heads."""
    if engine.classifier is None:
        return []
    encoder, heads = engine.classifier.encoder, engine.classifier.heads
    rows = []
    for script in WORDS:
        for tokens in TOKENS:
            windows = [window(encoder, rng, script, tokens, number) for number in range(CALLS["encoder"])]
            taken = timed(lambda each: heads.probabilities(encoder.embed([each])[0]), windows)
            rows.append({"tier": "encoder", "script": script, "tokens": tokens, **taken})
    return rows


def window(encoder: SentenceEncoder, rng: random.Random, script: str, tokens: int, number: int) -> str:
    """A unique text of so many tokens, or as near below it as its letters allow."""
    written = text(rng, script, 8 * tokens, "", number)
    while encoder.token_count(written) > tokens:
        written = written[:-1]
    return written


def whole_listings(engine: Engine, rng: random.Random) -> list[Row]:
    """Listings from the call to the decision: nothing found, and an offer, which the encoder reads where it knows the language."""
    rows = []
    for script in WORDS:
        for kind, planted in (("nothing found", ""), ("offer", OFFERS[script])):
            listings = [Listing(title=text(rng, script, TYPICAL, planted, number)) for number in range(CALLS["listing"])]
            rows.append({"tier": "all", "script": script, "text": kind, **timed(lambda each: score_listing(engine, each), listings)})
    return rows


def reach(engine: Engine, file: Path) -> Row:
    """How many listings of a file have a form, strike the screen, and reach the encoder; the last by language as well."""
    said = [weigh(engine, listing_of(msgspec.json.decode(row, type=InputRow))) for _, row in rows_of(file, "jsonl")]
    languages = Counter(each.classification.language for each in said)
    read = [each.classification.language for each in said if "encoder" in each.classification.tiers]
    return {
        "file": file.name,
        "listings": len(said),
        "with_a_form": sum(bool(each.matches.taxa) for each in said),
        "struck": sum(each.classification.struck for each in said),
        "reach_the_encoder": len(read),
        "share": round(len(read) / max(1, len(said)), 4),
        "by_language": {language: [Counter(read)[language], count] for language, count in sorted(languages.items())},
        "encoder_missing": engine.classifier is None,
    }


def model_folders() -> list[Row]:
    """Disk, and the growth of a fresh process that loads the folder and nothing else, libraries not counted, in MiB."""
    rows = []
    for name, folder in _folders().items():
        if folder.is_dir():
            with multiprocessing.get_context("spawn").Pool(1) as alone:
                grown = alone.apply(_growth, (name, folder))
            size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
            rows.append({"model": name, "folder": folder.name, "disk_mib": round(size / 2**20, 2), "pss_mib": round(grown / 1024, 1)})
    return rows


def _folders() -> dict[str, Path]:
    models = find_models()
    return {"screen": models.screen, "heads": models.heads, "fusion": models.fusion, "encoder": load_settings().settings.encoder_path}


def _growth(name: str, folder: Path) -> int:
    """KiB by which this process grows with the model in use."""
    if name == "screen":
        fold_digest()
    before = pss(os.getpid())
    loaded: object
    if name == "screen":
        loaded = screen = Screen.load(folder, fold_digest())
        screen.logit("warm")
    elif name == "heads":
        loaded = HeadSet.load(folder)
    elif name == "fusion":
        loaded = load_fusion(folder)
    else:
        loaded = encoder = SentenceEncoder.load(folder).open()
        encoder.embed([" ".join(words.split()[0] for words in WORDS.values()) * 20])
    grown = pss(os.getpid()) - before
    del loaded
    return grown


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, default=SAMPLE, help="JSON Lines of which the share that reaches the encoder is counted")
    chosen = parser.parse_args()
    folders = model_folders()
    engine, rng = local_engine(), random.Random(SEED)
    rows = [*cheap_tiers(engine, rng), *encoder_tier(engine, rng), *whole_listings(engine, rng)]
    reached = reach(engine, chosen.texts)
    for row in (*folders, *rows, reached):
        print(row)
    result = {"seed": SEED, "unit": "microseconds", "versions": msgspec.to_builtins(engine.versions)}
    write(HERE.parent / "results" / "tiers.json", {**result, "rows": rows, "reach": reached, "folders": folders})


if __name__ == "__main__":
    main()
