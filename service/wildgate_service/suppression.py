"""Suppression: which cells of published tables are hidden, so that nobody can be found by a small count.

A count from 1 up to the smallest cell that may be shown is hidden (primary suppression). Sums would give it away: whoever sees a total and
all parts but one has that one. So more cells are hidden (complementary suppression), the smallest first, until

- no sum has one hidden cell alone;
- where all but parts of a sum are shown, those hidden could each be as large as what may be shown (with m of them, which are at least 1,
  the largest is their sum less m - 1);
- no hidden cell follows from all sums together: its column in the null space of the hidden cells' equations is not zero.

The last is exact for whoever subtracts and adds published figures; it does not bound what could be guessed by inequalities over several
sums. Zeros are shown: they name nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
from msgspec import Struct

TINY = 1e-9  # beside the largest singular value
NOTHING = 1e-6  # of a direction of length 1

Key = tuple[str, ...]


class Sum(Struct, frozen=True):
    """Cells that add up to others. Where a listing counts under several parts they nearly do, and are protected as if they did."""

    parts: tuple[Key, ...]
    whole: tuple[Key, ...]


def suppress(cells: Mapping[Key, int], sums: Sequence[Sum], smallest: int, unpublished: frozenset[Key] = frozenset()) -> frozenset[Key]:
    """The cells to hide, so that no count of less than `smallest` is shown or follows.

    `unpublished` are cells that no table shows, and that stand between others: nobody sees them, and they are not in the answer.
    """
    hidden = {key for key, count in cells.items() if 0 < count < smallest} - unpublished
    while extra := _extra(cells, sums, hidden, unpublished, smallest) or _extra_of_determined(cells, sums, hidden, unpublished):
        hidden |= extra
    return frozenset(hidden)


def _extra(cells: Mapping[Key, int], sums: Iterable[Sum], hidden: set[Key], unpublished: frozenset[Key], smallest: int) -> set[Key]:
    """One more cell of each sum that gives a hidden one away."""
    found: set[Key] = set()
    for each in sums:
        if not _is_protected(cells, each, hidden | found, unpublished, smallest):
            found |= _next(cells, each, hidden | found | unpublished)
    return found


def _is_protected(cells: Mapping[Key, int], each: Sum, hidden: AbstractSet[Key], unpublished: frozenset[Key], smallest: int) -> bool:
    if hidden.isdisjoint(each.parts) and hidden.isdisjoint(each.whole):
        return True
    parts = [key for key in each.parts if key in hidden or key in unpublished]
    whole = [key for key in each.whole if key in hidden or key in unpublished]
    if whole:
        return len(parts) + len(whole) > 1
    return len(parts) > 1 and sum(cells[key] for key in parts) - (len(parts) - 1) >= smallest


def _next(cells: Mapping[Key, int], each: Sum, hidden: AbstractSet[Key]) -> set[Key]:
    """The smallest cell that is still shown, of the parts before the whole; none where all that is not zero is hidden."""
    for keys in (each.parts, each.whole):
        if shown := [key for key in keys if key not in hidden and cells[key]]:
            return {min(shown, key=lambda key: (cells[key], key))}
    return set()


def _extra_of_determined(cells: Mapping[Key, int], sums: Sequence[Sum], hidden: set[Key], unpublished: frozenset[Key]) -> set[Key]:
    """Another cell of every sum that holds a hidden cell which follows from all sums together."""
    found: set[Key] = set()
    for key in hidden.intersection(determined(sums, hidden | unpublished)):
        for each in sums:
            if key in each.parts or key in each.whole:
                found |= _next(cells, each, hidden | unpublished)
    return found


def determined(sums: Sequence[Sum], hidden: AbstractSet[Key]) -> Iterator[Key]:
    """The hidden cells that follow from the shown ones by adding and subtracting."""
    places = {key: place for place, key in enumerate(sorted(hidden))}
    rows = [row for each in sums if (row := _row(each, places)).any()]
    if not rows:
        return
    _, values, space = np.linalg.svd(np.array(rows), full_matrices=True)
    rank = int((values > TINY * max(values[0], 1)).sum())
    free = np.linalg.norm(space[rank:], axis=0) if rank < len(places) else np.zeros(len(places))
    yield from (key for key, place in places.items() if free[place] < NOTHING)


def _row(each: Sum, places: Mapping[Key, int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    row = np.zeros(len(places))
    for keys, sign in ((each.parts, 1), (each.whole, -1)):
        for key in keys:
            if key in places:
                row[places[key]] += sign
    return row
