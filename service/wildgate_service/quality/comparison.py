"""New models beside old ones on the same texts: whether they may replace them.

Per language, the texts that only one of the two answers rightly are held against an even coin: the exact test of McNemar (1947), two-sided,
at 5 %. Each language is tested by itself, so of twenty languages in which nothing changed but chance one may be called worse now and then:
the gate is meant to be strict. A language with too few texts is never called equal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import comb

from msgspec import Struct

from wildgate_service.model.labeled_texts import base_language
from wildgate_service.quality.verdicts import Answered

SIGNIFICANT = 0.05
Both = tuple[Answered, Answered]  # by the new models, by the old ones


class Paired(Struct, frozen=True):
    """How the new models do beside the old ones on n texts: answers that they lost, that they won, and the chance of that by luck."""

    name: str
    n: int
    lost: int
    won: int
    p: float

    @property
    def worse(self) -> bool:
        """Whether more was lost than chance explains."""
        return self.lost > self.won and self.p < SIGNIFICANT

    @property
    def points(self) -> float:
        """The loss in percentage points of right answers; negative for a gain."""
        return 100 * (self.lost - self.won) / self.n if self.n else 0.0

    def __str__(self) -> str:
        return f"{self.name}, by {self.points:.1f} points ({self.lost} lost, {self.won} won of {self.n}, p = {self.p:.3f})"


class Comparison(Struct, frozen=True):
    """Two sets of models by language, and over all languages by label; `least` texts a language are asked for."""

    new: str
    old: str
    least: int
    languages: tuple[Paired, ...]
    labels: tuple[Paired, ...]
    worse: tuple[str, ...]
    too_few: tuple[str, ...]
    promote: bool

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.worse:
            return "do not promote: worse in: " + "; ".join(str(each) for each in self.languages if each.name in self.worse)
        if not self.languages:
            return "do not promote: there are no texts to tell by"
        if self.too_few:
            few = ", ".join(f"{each.name} ({each.n})" for each in self.languages if each.name in self.too_few)
            return f"do not promote: fewer than {self.least} texts, too few to say, in: {few}; give more texts, or ask for a lower --least"
        return f"promote: worse in none of {len(self.languages)} languages beyond chance"


def compare(new: Iterable[Answered], old: Iterable[Answered], versions: tuple[str, str], least: int) -> Comparison:
    """Compare answers to the same texts in the same order; `versions` are of the new models and the old ones."""
    pairs = list(zip(new, old, strict=True))
    by_language: dict[str, list[Both]] = defaultdict(list)
    for pair in pairs:
        by_language[base_language(pair[0].text.language)].append(pair)
    languages = tuple(_paired(name, by_language[name]) for name in sorted(by_language))
    labels = tuple(_paired(name, [pair for pair in pairs if pair[0].text.expected == name]) for name in ("offer", "benign"))
    worse = tuple(each.name for each in languages if each.worse)
    too_few = tuple(each.name for each in languages if each.n < least)
    return Comparison(*versions, least, languages, labels, worse, too_few, promote=bool(languages) and not worse and not too_few)


def _paired(name: str, pairs: list[Both]) -> Paired:
    lost = sum(old.right and not new.right for new, old in pairs)
    won = sum(new.right and not old.right for new, old in pairs)
    return Paired(name, len(pairs), lost, won, round(exact_mcnemar(lost, won), 6))


def exact_mcnemar(lost: int, won: int) -> float:
    """The chance that an even coin falls as unevenly as this, two-sided.

    >>> exact_mcnemar(6, 0)
    0.03125
    """
    total, fewer = lost + won, min(lost, won)
    tail = sum(comb(total, count) for count in range(fewer + 1))
    return float(min(1.0, 2 * tail / (1 << total)))
