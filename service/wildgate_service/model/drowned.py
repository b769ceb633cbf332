"""Training texts with ordinary words before or behind them, so that a head learns that an offer in a long listing stays one."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from msgspec.structs import replace

from wildgate_service.model.authored import AuthoredText
from wildgate_service.model.training_data import Negative, is_for_calibration, is_held_out

SHARE = 0.5  # of the texts that are trained on
EVEN = 0.5
LENGTHS = (40, 80, 120)  # code points of ordinary words, as a window of the service holds beside a match


def drowned(written: Sequence[AuthoredText], negatives: Sequence[Negative], languages: Sequence[str], seed: int) -> list[AuthoredText]:
    """Half of the texts of these languages that are trained on, each beside a text that offers nothing; labels stay.

    Kept templates are neither drowned nor used to drown, nor are real texts that are not trained on.
    """
    chance = random.Random(seed)  # noqa: S311  (a seed, no secret)
    trained = [each for each in written if each.language in languages and not each.is_kept]
    ordinary = defaultdict[str, list[str]](list)
    for text in trained:
        if not text.offer:
            ordinary[text.language].append(text.text)
    for real in negatives:
        if not (is_held_out(real.id) or is_for_calibration(real.id)):
            ordinary[real.language].append(real.text)
    return [
        replace(text, text=beside(text.text, ordinary[text.language], chance))
        for text in trained
        if ordinary[text.language] and chance.random() < SHARE
    ]


def beside(text: str, ordinary: Sequence[str], chance: random.Random) -> str:
    """The text with the beginning of one of some ordinary ones before or behind it."""
    other = chance.choice(ordinary)[: chance.choice(LENGTHS)]
    one, two = (text, other) if chance.random() < EVEN else (other, text)
    return f"{one}. {two}"
