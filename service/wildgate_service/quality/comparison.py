"""New models beside old ones on the same texts: whether they may replace them.

Per language, the texts that only one of the two answers rightly are held against an even coin: the exact test of McNemar (1947), two-sided,
at 5 %. Each language is tested by itself, so of twenty languages in which nothing changed but chance one may be called worse now and then:
the gate is meant to be strict. A language with too few texts is never called equal. Offers lost for false alarms won are no loss to a
language, but where they are many, over all languages, the verdict says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import comb
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from wildgate_service.model.labeled_texts import base_language
from wildgate_service.quality.negatives import Scored
from wildgate_service.quality.verdicts import Answered

SIGNIFICANT = 0.05


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
    """Two sets of models by language, over all languages by label, and on held-out negatives by language, if these were asked for.

    `least` texts a language are asked for; negatives are ordinary, so few of them count for nothing else.
    """

    new: str
    old: str
    least: int
    languages: tuple[Paired, ...]
    labels: tuple[Paired, ...]
    negatives: tuple[Paired, ...]
    promote: bool = False
    verdict: str = ""

    @property
    def worse(self) -> tuple[Paired, ...]:
        """Where the new models are worse."""
        return tuple(each for each in (*self.languages, *self.negatives) if each.worse)

    @property
    def too_few(self) -> tuple[Paired, ...]:
        """Languages of which nothing can be told."""
        return tuple(each for each in self.languages if each.n < self.least)

    def judged(self) -> Self:
        """The same with its verdict: promote or not, and a sentence that says why."""
        promote = bool(self.languages) and not self.worse and not self.too_few
        return replace(self, promote=promote, verdict=self._said())

    def _said(self) -> str:
        if self.worse:
            return f"do not promote: worse in: {_listed(self.worse)}"
        if self.too_few:
            few = ", ".join(f"{each.name} ({each.n})" for each in self.too_few)
            return f"do not promote: fewer than {self.least} texts, too few to say, in: {few}; give more texts, or ask for a lower --least"
        traded = [each for each in self.labels if each.worse]
        but = f"; but over all languages worse in: {_listed(traded)}" if traded else ""
        return f"promote: worse in none of {len(self.languages)} languages beyond chance{but}"


def compare(
    new: Sequence[Answered],
    old: Sequence[Answered],
    versions: tuple[str, str],
    least: int,
    negatives: Sequence[tuple[Scored, Scored]] = (),
) -> Comparison:
    """Compare answers to the same texts in the same order; `versions` are of the new models and the old ones, as are `negatives`."""
    rows = [(one.text, one.right, other.right) for one, other in zip(new, old, strict=True)]
    return Comparison(
        *versions,
        least,
        languages=_by_name((base_language(text.language), one, other) for text, one, other in rows),
        labels=_by_name((text.expected, one, other) for text, one, other in rows),
        negatives=_by_name((f"negatives {one.language}", not one.verdict.stopped, not other.verdict.stopped) for one, other in negatives),
    ).judged()


def _by_name(rows: Iterable[tuple[str, bool, bool]]) -> tuple[Paired, ...]:
    """Each name with whether the new models and the old ones are right."""
    counts: dict[str, Counter[tuple[bool, bool]]] = defaultdict(Counter)
    for name, new, old in rows:
        counts[name][new, old] += 1
    return tuple(_paired(name, counts[name].total(), counts[name][False, True], counts[name][True, False]) for name in sorted(counts))


def _paired(name: str, total: int, lost: int, won: int) -> Paired:
    return Paired(name, total, lost, won, round(exact_mcnemar(lost, won), 6))


def _listed(parts: Iterable[Paired]) -> str:
    return "; ".join(map(str, parts))


def exact_mcnemar(lost: int, won: int) -> float:
    """The chance that an even coin falls as unevenly as this, two-sided.

    >>> exact_mcnemar(6, 0)
    0.03125
    """
    total, fewer = lost + won, min(lost, won)
    tail = sum(comb(total, count) for count in range(fewer + 1))
    return float(min(1.0, 2 * tail / (1 << total)))
