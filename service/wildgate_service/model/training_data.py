"""Texts that people found, not wrote: what the data folder holds.

None of these texts may leave the machine: the sets have no redistribution licence.
"""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from wildgate_service.errors import ModelError
from wildgate_service.model.authored import WRITTEN, readable

LEATHER, TWEETS, NEGATIVES = "leather_titles.tsv", "ivory_tweets.tsv.gz", "negatives.tsv.gz"
FIFTHS = 5  # one negative in five is never trained on, another calibrates
PLATFORM_MARK = "| eBay"  # ends titles whatever their label; says nothing


@dataclass(frozen=True)
class LabeledText:
    """A row of a set labeled by people."""

    id: str
    text: str
    label: bool


class WrittenLabel(msgspec.Struct):
    """A line of a file in `written/labels`."""

    text: str
    label: bool


@dataclass(frozen=True)
class Negative:
    """A real text without an offer of wildlife."""

    id: str
    language: str  # BCP 47, or two joined by a slash
    source_kind: str  # listing_title, search_query, product_review or social_post
    text: str


def is_held_out(identifier: str) -> bool:
    """Whether a negative is kept for measuring false positives: sha256(id) % 5 == 0."""
    return _fifth(identifier) == 0


def is_for_calibration(identifier: str) -> bool:
    """Whether one is kept for calibration and the fusion: sha256(id) % 5 == 1."""
    return _fifth(identifier) == 1


def _fifth(identifier: str) -> int:
    return int(hashlib.sha256(identifier.encode()).hexdigest(), 16) % FIFTHS


def read_leather(data: Path) -> list[LabeledText]:
    """500 marketplace titles; label: a real animal product."""
    return [
        LabeledText(row["id"], readable(row["title"].removesuffix(PLATFORM_MARK)), row["label"] == "1") for row in read_rows(data / LEATHER)
    ]


def read_tweets(data: Path) -> list[LabeledText]:
    """8,676 tweets; label: promotes the sale of ivory."""
    return [LabeledText(row["id"], readable(row["text"]), row["label"] == "1") for row in read_rows(data / TWEETS)]


def read_written_labels(head: str, written: Path = WRITTEN) -> list[LabeledText]:
    """Texts in the folder `written` for a head, in the manner of the set that it is trained on; none if nobody wrote any."""
    path = written / "labels" / f"{head}.jsonl"
    rows = msgspec.json.Decoder(WrittenLabel).decode_lines(path.read_bytes()) if path.exists() else []
    return [LabeledText(f"{head}/{number}", readable(row.text), row.label) for number, row in enumerate(rows)]


def read_negatives(data: Path, languages: Iterable[str] | None = None) -> list[Negative]:
    """Negatives, or those all of whose languages are among the given ones."""
    wanted = None if languages is None else set(languages)
    return [
        Negative(row["id"], row["lang"], row["source_kind"], readable(row["text"]))
        for row in read_rows(data / NEGATIVES)
        if wanted is None or wanted.issuperset(row["lang"].split("/"))
    ]


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a tab-separated file, packed or not; ModelError when it is not there."""
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"Training needs {path} ({error.strerror}); --data must name the folder that holds the data sets"
        raise ModelError(message) from error
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    yield from csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")
