"""Search for the text that costs the most a character, as somebody would who wants to stop the service.

A pool of texts is changed at random (joined, cut, repeated, disguised, strewn with signs), and those that cost most stay: a hill climb by
processor time. What costs is everything but the encoder, whose work is bounded by its windows: normalize, match, screen, fuse and decide.
The best of each family are measured again, at several lengths, beside ordinary texts of the same lengths. What a service knows of words it
has met makes the second look at a text cheap; `unseen` says what words cost that it has never met, beside ordinary words that it has.
`strung` says what the lexicon's own forms cost, strung together: what is found must not be held against all else that is found.

Usage: python benchmarks/speed/slowest.py [--minutes 10] [--seed 1]
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from machine import write
from msgspec.structs import replace
from wildgate_service.local import local_engine
from wildgate_service.pipeline import Engine, score_listing
from wildgate_service.types import TAXON_KINDS, Listing, RuleKind

ROOT = Path(__file__).parents[2]
LENGTH = 1_500  # of the texts of the pool
LENGTHS = (300, 1_500, 5_000, 20_000)
POOL = 120
GOAL = 20.0  # times the median of ordinary texts
KEPT = 10
ROUNDS = 5
FEWEST_LETTERS = 4  # of a word, and one more, whose misspellings are tried
SIGNS = [*"._-*~|/\\·•^+!@$#%&()[]{}<>=:;,'\"`´ \t\n0123456789", "\u200b", "\u202e", "\u0301", "\u0336", "\ufe0f", "\u00ad", "\u3099"]
# Known to be dear, or to be looked at closely.
KNOWN = [
    *(
        "1v0ry ",
        "i.v.o.r.y ",
        "ivorry ivoary ",
        "yrovi ",
        "🐘🦷",
        "象 牙 ",
        "<b",
        "((((",
        "1l|!",
        "ｉｖｏｒｙ",
        "ivοrу ",
        "ngà ",
        "が\u3099",
    ),
    *(
        "a\u0336" * 3,
        "elephantivorytuskrhinohorn",
        "xiangya xiniujiao ",
        "бивень slona ",
        "i v o r y  t u s k ",
        "🅸🆅🅾🆁🆈 ",
        "iiivvvooorrryyy ",
    ),
]
RANGES = ((33, 127), (0x400, 0x460), (0x4E00, 0x5000))  # of code points strewn at random
LOOKS = dict(zip("aeiostlbg", "4310571869", strict=False))


def golden() -> list[str]:
    """Offers in every language that the repository holds."""
    lines = (ROOT / "tests/golden/synthetic.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def ordinary() -> list[str]:
    """Prose of the speed benchmarks, and the ordinary listings of the golden tests."""
    lines = (ROOT / "tests/golden/negative.jsonl").read_text(encoding="utf-8").splitlines()
    prose = (file.read_text(encoding="utf-8") for file in sorted((ROOT / "benchmarks/speed/prose").iterdir()))
    return [json.loads(line)["text"] for line in lines] + list(prose)


def hostile(chance: random.Random) -> Iterator[str]:
    """Where the climb begins: what is known to be dear, and offers."""
    yield from golden()
    yield from KNOWN
    for _ in range(30):
        yield "".join(chr(chance.randrange(*chance.choice(RANGES))) for _ in range(40))


def filled(text: str, length: int = LENGTH) -> str:
    """The text again and again, to a length."""
    return (text * (length // max(len(text), 1) + 1))[:length]


def changed(text: str, other: str, forms: list[str], chance: random.Random) -> str:
    """One random change."""
    at, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    part = text[at : min(end, at + 200)]
    match chance.randrange(10):
        case 0:
            made = text[:at] + other[at:]
        case 1:
            made = text[:at] + part * chance.randrange(2, 9) + text[at:]
        case 2:
            made = text[:at] + chance.choice(forms) + text[at:]
        case 3:
            made = text[:at] + "".join(char + chance.choice(SIGNS) for char in part) + text[end:]
        case 4:
            made = text[:at] + "".join(LOOKS.get(char.lower(), char) for char in part) + text[end:]
        case 5:
            made = text[:at] + part.replace(" ", "") + text[end:]
        case 6:
            made = text[:at] + chance.choice(SIGNS) * chance.randrange(1, 30) + text[at:]
        case 7:
            made = text[:at] + "".join(chance.sample(part, len(part))) + text[end:]
        case 8:
            made = filled(part or text, LENGTH)
        case _:
            made = " ".join(_misspelled(word, chance) for word in text.split(" "))
    return filled(made or text)


def _misspelled(word: str, chance: random.Random) -> str:
    if len(word) < 4 or chance.random() < 0.5:
        return word
    at = chance.randrange(1, len(word) - 1)
    return chance.choice(
        (word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:], word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    )


class Clock:
    """Microseconds of processor time that a text costs; the least of some rounds, unique each time so that no cache answers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = replace(engine, classifier=None)
        self._number = 0

    def cost(self, text: str, rounds: int = 2) -> float:
        """Of a whole text."""
        return min(self._once(text) for _ in range(rounds))

    def _once(self, text: str) -> float:
        self._number += 1
        listing = Listing(title=f"{self._number}", description=text)
        start = time.process_time_ns()
        score_listing(self._engine, listing)
        return (time.process_time_ns() - start) / 1_000


def climb(clock: Clock, forms: list[str], chance: random.Random, seconds: float) -> list[tuple[float, str]]:
    """The dearest texts found, with their microseconds a character."""
    pool = sorted(((clock.cost(text) / LENGTH, text) for text in map(filled, hostile(chance))), reverse=True)[:POOL]
    end, tries = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        tries += 1
        text = changed(_chosen(pool, chance), _chosen(pool, chance), forms, chance)
        cost = clock.cost(text) / LENGTH
        if cost > pool[-1][0] and all(text != known for _, known in pool):
            pool[-1] = (min(cost, clock.cost(text, 3) / LENGTH), text)
            pool.sort(reverse=True)
        if tries % 200 == 0:
            print(f"{tries} texts, dearest {pool[0][0]:.2f} µs a character: {pool[0][1][:60]!r}", flush=True)
    return pool


def unseen(clock: Clock, plain: list[str], chance: random.Random) -> dict[str, float]:
    """How many times an ordinary text of words that are known a text costs whose words were never met, by how its words are made."""
    words = sorted({word for text in golden() for word in text.split() if len(word) > FEWEST_LETTERS and word.isascii() and word.isalpha()})
    made: dict[str, Callable[[], str]] = {
        "misspelled twice": lambda: _misspelled(_misspelled(chance.choice(words), chance), chance),
        "run together": lambda: "".join(chance.choices(words, k=3)),
        "digits for letters": lambda: "".join(LOOKS.get(char, char) for char in chance.choice(words)) + chance.choice("0123$@!"),
        "letters masked": lambda: (word := _misspelled(chance.choice(words), chance))[:1] + "**" + word[3:],
        "syllables": lambda: "".join(chance.choice("bcdfgklmnprstvz") + chance.choice("aeiou") for _ in range(4)),
        "letters": lambda: "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=8)),
    }
    ratios: dict[str, float] = {}
    for name, make in made.items():
        usual = statistics.median(clock.cost(filled(text)) for text in plain)
        ratios[name] = round(statistics.median(clock.cost(_of_words(make), 1) for _ in range(9)) / usual, 1)
    return ratios


def strung(clock: Clock, engine: Engine, plain: list[str], chance: random.Random) -> dict[str, dict[str, float]]:
    """How many times an ordinary text of its length a text costs that is made of forms, by their kinds and the length."""
    lexicon = engine.lexicon
    forms: dict[str, list[str]] = {"taxa": [], "cues": [], "contexts": []}
    for form in lexicon.forms:
        kind = lexicon.rules[form.rule].kind
        forms["taxa" if kind in TAXON_KINDS else "contexts" if kind is RuleKind.BENIGN_CONTEXT else "cues"].append(form.form)
    mixtures = {"taxa": ("taxa",), "taxa and cues": ("taxa", "cues"), "taxa and contexts": ("taxa", "contexts"), "all": tuple(forms)}
    usual = {length: statistics.median(clock.cost(filled(text, length), 1) for text in plain) for length in LENGTHS}

    def ratio(kinds: tuple[str, ...], length: int) -> float:
        texts = [_of_words(lambda: chance.choice(forms[chance.choice(kinds)]), length) for _ in range(ROUNDS)]
        return round(statistics.median(clock.cost(text, 1) for text in texts) / usual[length], 1)

    return {name: {str(length): ratio(kinds, length) for length in LENGTHS} for name, kinds in mixtures.items()}


def _of_words(make: Callable[[], str], length: int = LENGTH) -> str:
    words = ""
    while len(words) < length:
        words += make() + " "
    return words[:length]


def _chosen(pool: list[tuple[float, str]], chance: random.Random) -> str:
    return pool[min(int(chance.expovariate(8 / len(pool))), len(pool) - 1)][1]


def measured(clock: Clock, pool: list[tuple[float, str]], plain: list[str]) -> dict[str, Any]:
    """What the dearest cost at several lengths, each in turn with ordinary texts, for a machine is not equally fast at all times."""
    result: dict[str, Any] = {}
    for length in LENGTHS:
        usual = [filled(text, length) for text in plain]
        found = max(_beside_usual(clock, filled(text, length), usual) for _, text in pool[:KEPT])
        ratio, dearest, ordinary, text = found
        result[str(length)] = {
            "ordinary_us_a_character": round(ordinary / length, 3),
            "slowest_us_a_character": round(dearest / length, 3),
            "ratio": round(ratio, 1),
            "slowest_ms": round(dearest / 1_000, 1),
            "text": _shown(text[:120]),
        }
    return result


def _beside_usual(clock: Clock, text: str, usual: list[str]) -> tuple[float, float, float, str]:
    """Median over rounds of how many times ordinary texts a text costs, with the medians of both."""
    rounds = [(clock.cost(text, 1), statistics.median(clock.cost(each, 1) for each in usual)) for _ in range(ROUNDS)]
    dearest, ordinary = (statistics.median(column) for column in zip(*rounds, strict=True))
    return statistics.median(cost / ordinary for cost, ordinary in rounds), dearest, ordinary, text


def _shown(text: str) -> str:
    """The text with escapes for what nobody sees, such as overrides of direction."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def main() -> None:
    """Search, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results/slowest.json")
    arguments = parser.parse_args()
    chance, engine = random.Random(arguments.seed), local_engine()
    gc.collect()
    gc.freeze()  # as a worker does before it serves
    clock, plain = Clock(engine), ordinary()
    for text in plain:
        clock.cost(text[:LENGTH], 1)
    pool = climb(clock, golden(), chance, arguments.minutes * 60)
    lengths = measured(clock, pool, plain)
    worst = max(each["ratio"] for each in lengths.values())
    result = {"seed": arguments.seed, "minutes": arguments.minutes, "goal_ratio": GOAL, "worst_ratio": worst, "lengths": lengths}
    result["unseen"] = unseen(clock, plain, chance)
    result["strung"] = strung(clock, engine, plain, chance)
    print(json.dumps(result, indent=1, ensure_ascii=False))
    if not math.isfinite(worst):
        raise SystemExit("nothing was measured")
    write(arguments.output, result)


if __name__ == "__main__":
    main()
