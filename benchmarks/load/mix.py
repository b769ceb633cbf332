"""Listings as a platform has them in one day: kinds, languages and sizes mixed, one in fifty an offer, every text unique.

Ordinary texts are everyday listings in sixteen languages and prose in seven scripts, offers those of the demo; how often what comes is a
guess at a marketplace that has posts and some cargo bookings too, and stands in the tables below.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from wildgate import ContentKind, Listing

ROOT = Path(__file__).parents[2]
OFFER_SHARE = 0.02
KINDS = {ContentKind.LISTING: 70, ContentKind.SOCIAL_POST: 25, ContentKind.CARGO_BOOKING: 5}
SCRIPTS = {"latin": 50, "han": 15, "cyrillic": 12, "thai": 8, "arabic": 5, "devanagari": 5, "hangul": 5}
SIZES = {"title": 35, "300": 45, "1500": 17, "6000": 3}  # code points; "title": a listing without description
MARKETS = ("", "SG", "US", "DE", "CN", "TH", "VN")


@dataclass(frozen=True)
class Row:
    """What a file has of a listing."""

    title: str
    description: str


def read_rows(path: Path, beginning: str = "") -> list[Row]:
    """Titles and descriptions of JSON Lines whose id begins so."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Row(row["title"], row.get("description", "")) for row in rows if row["id"].startswith(beginning)]


class Mix:
    """Makes listings, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._ordinary = read_rows(ROOT / "benchmarks" / "speed" / "sample.jsonl")
        self._offers = read_rows(ROOT / "demo" / "listings.jsonl", "offer")
        prose = ROOT / "benchmarks" / "speed" / "prose"
        self._prose = {script: (prose / f"{script}.txt").read_text(encoding="utf-8").splitlines() for script in SCRIPTS}
        self._made = 0

    def listing(self) -> tuple[str, Listing]:
        """The next, and what it is: its size, or `offer`."""
        self._made += 1
        if self._rng.random() < OFFER_SHARE:
            row = self._rng.choice(self._offers)
            return "offer", self._listing(row.title, f"{row.description} ({self._made})")
        size = self._one_of(SIZES)
        title = f"{self._rng.choice(self._ordinary).title} {self._made}"
        return size, self._listing(title, "" if size == "title" else self._text(int(size)))

    def _text(self, length: int) -> str:
        sentences = self._prose[self._one_of(SCRIPTS)]
        parts = [f"({self._made})", self._rng.choice(self._ordinary).description]
        while sum(map(len, parts)) < length:
            parts += self._rng.sample(sentences, k=len(sentences))
        return " ".join(parts)[:length]

    def _listing(self, title: str, description: str) -> Listing:
        return Listing(
            id=f"mix-{self._made}",
            title=title,
            description=description,
            content_kind=ContentKind(self._one_of(KINDS)),
            market=self._rng.choice(MARKETS),
            seller_ref=f"seller-{self._rng.randrange(10_000)}",
        )

    def _one_of(self, weights: dict[str, int] | dict[ContentKind, int]) -> str:
        return self._rng.choices(list(weights), list(weights.values()))[0]


def is_whole(listing: Listing, answered_id: str, score: float | None) -> bool:
    """Whether an answer is one to this listing and has a score."""
    return answered_id == listing.id and score is not None and 0 <= score <= 1
