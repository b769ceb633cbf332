"""Long listings: what ordinary ones cost, what is found of offers hidden in them, and how many texts of which kind the encoder reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from rates import Row, interval, print_table, shown
from wildgate_service.model.authored import WRITTEN
from wildgate_service.model.labeled_texts import LabeledText, is_development, read_texts
from wildgate_service.pipeline import Engine
from wildgate_service.quality.negatives import score_negatives
from wildgate_service.quality.verdicts import Verdict, lexicons_alone, verdict

BANDS = (0, 200, 400, 10_000)  # code points of title and description
PARTS = ("ordinary", "twins", "offers")
MEANING = (
    "Listings and posts of 80 to 700 characters in 25 languages, written for this project by a language model, blind, checked by no "
    "speaker: ordinary ones, many with the chatty stories behind a sale; offers that say what they sell in one line of many; and twins of "
    "these about something innocent. Reported half: no model was trained on it, and nobody read it. Scored without language or market. "
    "`read` is the share that the encoder reads, of these, of the reported half of the short ordinary texts, and of real texts that are "
    "held out. Intervals: 95 %, Wilson."
)


class Judged(NamedTuple):
    """A text with its verdict."""

    text: LabeledText
    verdict: Verdict

    @property
    def part(self) -> str:
        """Which of the three it is."""
        return "offers" if self.text.offer else "twins" if self.text.pair else "ordinary"


def measure(engine: Engine, data: Path) -> Row:
    """Totals with all tiers and with the lexicons alone, by language and length, and what the encoder reads."""
    judged = judge(engine, "descriptions")
    alone = judge(lexicons_alone(engine), "descriptions")
    ordinary = [each for each in judged if each.part == "ordinary"]
    short = judge(engine, "ordinary")
    real = [each for each in score_negatives(engine, data) if each.held_out]
    return {
        "meaning": MEANING,
        "totals": {"all": totals(judged), "lexicons alone": totals(alone)},
        "languages": {
            language: totals([each for each in judged if each.text.language == language])
            for language in sorted({each.text.language for each in judged})
        },
        "read": {
            **{
                f"ordinary, {low} to {high}": read([each.verdict for each in ordinary if low <= len(each.text.text) < high])
                for low, high in pairwise(BANDS)
            },
            "short ordinary": read([each.verdict for each in short]),
            **{
                f"real, {kind}": read([each.verdict for each in real if each.source_kind == kind])
                for kind in sorted({each.source_kind for each in real})
            },
        },
    }


def judge(engine: Engine, folder: str) -> list[Judged]:
    """The reported half of a folder of written texts, scored."""
    texts = read_texts(sorted((WRITTEN / folder).glob("*.jsonl")))
    return [Judged(each, verdict(engine, each.listing)) for each in texts if not is_development(each)]


def totals(judged: Sequence[Judged]) -> Row:
    """What was stopped, and what refused, of each part."""
    found: Row = {}
    for part in PARTS:
        chosen = [each.verdict for each in judged if each.part == part]
        found[f"{part}_stopped"] = interval(sum(each.stopped for each in chosen), len(chosen))
        found[f"{part}_blocked"] = interval(sum(each.blocked for each in chosen), len(chosen))
    return found


def read(verdicts: Iterable[Verdict]) -> Row:
    """The share that the encoder reads."""
    chosen = list(verdicts)
    return interval(sum(each.read for each in chosen), len(chosen))


def print_tables(result: Row) -> None:
    """Print the totals, languages, and what the encoder reads."""
    heads = ("", *(f"{part} {what}" for part in PARTS for what in ("stopped", "BLOCK")))
    print_table("Long listings", heads, ((name, *map(shown, row.values())) for name, row in result["totals"].items()))
    print_table("by language", heads, ((name, *map(shown, row.values())) for name, row in result["languages"].items()))
    print_table("read by the encoder", ("texts", "read"), ((name, shown(row)) for name, row in result["read"].items()))
