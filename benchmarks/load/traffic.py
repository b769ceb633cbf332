"""What is sent: listings of about 300 characters that nobody else has, ordinary ones and offers, as bodies of gRPC requests."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from speed.stages import OFFERS, WORDS, text
from wildgate.v1 import scoring_pb2, types_pb2

SCRIPTS = tuple(WORDS)
TITLE, DESCRIPTION = 50, 250  # code points
BATCH = 32


@dataclass(frozen=True)
class Requests:
    """What one round sends; request ids are empty, so that the service makes one for each repeat of a body."""

    script: str
    ordinary: scoring_pb2.ScoreListingRequest
    offer: scoring_pb2.ScoreListingRequest
    batch: scoring_pb2.BatchScoreListingsRequest


def make_requests(rng: random.Random, number: int) -> Requests:
    """Requests of round `number`, in one script after the other."""
    script = SCRIPTS[number % len(SCRIPTS)]
    listings = [_listing(rng, script, "", number * 100 + item) for item in range(BATCH + 1)]
    items = [scoring_pb2.BatchItem(correlation_id=str(item), listing=listing) for item, listing in enumerate(listings[1:])]
    return Requests(
        script,
        scoring_pb2.ScoreListingRequest(listing=listings[0]),
        scoring_pb2.ScoreListingRequest(listing=_listing(rng, script, OFFERS[script], number)),
        scoring_pb2.BatchScoreListingsRequest(items=items),
    )


def _listing(rng: random.Random, script: str, planted: str, number: int) -> types_pb2.Listing:
    return types_pb2.Listing(
        listing_id=f"listing-{number:09}",
        title=text(rng, script, TITLE, "", number),
        description=text(rng, script, DESCRIPTION, planted, number),
        category="home",
        market="SG",
        seller_ref=f"seller-{number:07}",
    )


def write_body(path: Path, message: scoring_pb2.ScoreListingRequest | scoring_pb2.BatchScoreListingsRequest) -> Path:
    """Write a message as the body of a gRPC request: not compressed, its length, itself."""
    content = message.SerializeToString()
    path.write_bytes(struct.pack(">BI", 0, len(content)) + content)
    return path


def new_texts(rng: random.Random, count: int) -> Sequence[str]:
    """Latin texts of which every third word was never seen before, for what the memo of words saves."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    texts = []
    for number in range(count):
        words = text(rng, "latin", DESCRIPTION, "", number).split()
        words[::3] = ["".join(rng.choices(letters, k=len(word))) for word in words[::3]]
        texts.append(" ".join(words))
    return texts
