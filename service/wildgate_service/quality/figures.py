"""What was found and what was let through, of labeled texts and of their contrast pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from wildgate_service.model.labeled_texts import is_development
from wildgate_service.quality.rates import Rate, rate
from wildgate_service.quality.verdicts import Answered

Key = Callable[[Answered], str]


class Figures(Struct, frozen=True):
    """Shares of offers and of benign texts that are not ALLOW, and that are BLOCK, and of pairs both of which are answered rightly."""

    n: int
    offers_stopped: Rate
    offers_blocked: Rate
    benign_stopped: Rate
    benign_blocked: Rate
    pairs: Rate


def halves(answered: list[Answered]) -> dict[str, list[Answered]]:
    """The half that may not be tuned on, the half that may, and all."""
    return {
        "reported": [each for each in answered if not is_development(each.text)],
        "development": [each for each in answered if is_development(each.text)],
        "all": answered,
    }


def pairs_right(answered: Iterable[Answered]) -> dict[str, bool]:
    """Whether both texts of a pair are answered rightly, by the id of its offer."""
    right = {each.text.id: each.right for each in answered}
    return {
        each.text.id: each.right and right[each.text.pair]
        for each in answered
        if each.text.offer and each.text.pair and each.text.pair in right
    }


def figures(answered: list[Answered], pairs: Mapping[str, bool] | None = None) -> Figures:
    """Count; `pairs` are those of all texts where `answered` are a part, so that a pair counts where its offer stands."""
    known = pairs_right(answered) if pairs is None else pairs
    offers = [each.verdict for each in answered if each.text.offer]
    benign = [each.verdict for each in answered if not each.text.offer]
    found = [known[each.text.id] for each in answered if each.text.id in known]
    return Figures(
        n=len(answered),
        offers_stopped=rate(sum(each.stopped for each in offers), len(offers)),
        offers_blocked=rate(sum(each.blocked for each in offers), len(offers)),
        benign_stopped=rate(sum(each.stopped for each in benign), len(benign)),
        benign_blocked=rate(sum(each.blocked for each in benign), len(benign)),
        pairs=rate(sum(found), len(found)),
    )


def grouped(answered: list[Answered], key: Key) -> dict[str, Figures]:
    """Figures of each group, in the order of its name."""
    pairs = pairs_right(answered)
    groups: dict[str, list[Answered]] = defaultdict(list)
    for each in answered:
        groups[key(each)].append(each)
    return {name: figures(groups[name], pairs) for name in sorted(groups)}


def crossed_pairs(answered: list[Answered], down: Key, across: Key) -> dict[str, dict[str, Rate]]:
    """Pairs both right by two keys of the offer; what has no pair is left out."""
    pairs = pairs_right(answered)
    cells: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for each in answered:
        if each.text.id in pairs:
            cells[down(each)][across(each)].append(pairs[each.text.id])
    return {row: {column: rate(sum(cells[row][column]), len(cells[row][column])) for column in sorted(cells[row])} for row in sorted(cells)}
