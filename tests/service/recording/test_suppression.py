"""Small cells are hidden, and do not follow from what is shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from wildgate_service.suppression import Sum, determined, suppress

SMALLEST = 5


def one_way(**counts):
    """Parts and their total."""
    cells = {(name,): count for name, count in counts.items()} | {("total",): sum(counts.values())}
    return cells, [Sum(tuple((name,) for name in counts), (("total",),))]


def hidden(cells, sums):
    return {key[-1] for key in suppress(cells, sums, SMALLEST)}


def test_small_cells_are_hidden_and_zeros_are_not():
    """Zero names nobody."""
    assert hidden({("a",): 0, ("b",): 1, ("c",): 4, ("d",): 5}, []) == {"b", "c"}


def test_a_small_cell_takes_another_with_it():
    """The smallest that is shown: or the total less the others would be the small one."""
    assert hidden(*one_way(a=3, b=10, c=20)) == {"a", "b"}


def test_small_cells_that_a_total_bounds_take_another_with_them():
    """Two cells that are 4 together are small, whatever they are."""
    assert hidden(*one_way(a=2, b=2, c=30, d=40)) == {"a", "b", "c"}


def test_two_small_cells_may_be_enough():
    """Together 8: each could be 7."""
    assert hidden(*one_way(a=4, b=4, c=30)) == {"a", "b"}


def test_a_small_total_is_hidden_with_its_parts():
    """There is nothing else to hide it in."""
    assert hidden(*one_way(a=3, b=0)) == {"a", "total"}


def test_what_no_table_shows_hides_others():
    """Nobody knows how many were allowed, so the refused do not follow from those checked."""
    cells = {("allowed",): 90, ("refused",): 3, ("checked",): 93}
    sums = [Sum((("allowed",), ("refused",)), (("checked",),))]
    assert suppress(cells, sums, SMALLEST, frozenset({("allowed",)})) == {("refused",)}


def test_what_no_table_shows_hides_nothing_where_it_is_nothing():
    """None was allowed, so those refused would follow: those held are hidden too."""
    cells = {("allowed",): 0, ("refused",): 3, ("held",): 20, ("checked",): 23}
    sums = [Sum((("allowed",), ("refused",), ("held",)), (("checked",),))]
    assert suppress(cells, sums, SMALLEST, frozenset({("allowed",)})) == {("refused",), ("held",)}


def two_way(counts):
    """A table with sums of rows and columns, and the sum of all."""
    rows, columns = len(counts), len(counts[0])
    cells = {("cell", str(row), str(column)): counts[row][column] for row in range(rows) for column in range(columns)}
    cells |= {("row", str(row)): sum(counts[row]) for row in range(rows)}
    cells |= {("column", str(column)): sum(row[column] for row in counts) for column in range(columns)}
    cells |= {("total",): sum(map(sum, counts))}
    sums = [Sum(tuple(("cell", str(row), str(column)) for column in range(columns)), (("row", str(row)),)) for row in range(rows)]
    sums += [Sum(tuple(("cell", str(row), str(column)) for row in range(rows)), (("column", str(column)),)) for column in range(columns)]
    sums += [
        Sum(tuple(("row", str(row)) for row in range(rows)), (("total",),)),
        Sum(tuple(("column", str(column)) for column in range(columns)), (("total",),)),
    ]
    return cells, sums


tables = some.integers(1, 6).flatmap(
    lambda columns: some.lists(
        some.lists(some.sampled_from([0, 1, 2, 3, 5, 9, 40]), min_size=columns, max_size=columns), min_size=1, max_size=6
    )
)


@given(tables)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_no_small_cell_is_shown_or_follows_by_subtraction(counts):
    """An attacker who knows all shown cells and all sums solves for the rest: no hidden cell has one value alone."""
    cells, sums = two_way(counts)
    found = suppress(cells, sums, SMALLEST)
    assert [key for key, count in cells.items() if 0 < count < SMALLEST and key not in found] == []
    unknown = sorted(found)
    equations = np.array([[(key in each.parts) - (key in each.whole) for key in unknown] for each in sums], dtype=float)
    rank = np.linalg.matrix_rank(equations) if unknown else 0
    following = [
        key for place, key in enumerate(unknown) if np.linalg.matrix_rank(np.vstack([equations, np.eye(len(unknown))[place]])) == rank
    ]
    assert following == []


def test_a_cell_between_two_rings_of_hidden_ones_is_found():
    """In each row and column at least two are hidden, and still the bridge between the rings follows."""
    ring_of = {1: [(0, 0), (0, 1), (1, 0), (1, 1)], 2: [(2, 2), (2, 3), (3, 2), (3, 3)]}
    places = [*ring_of[1], *ring_of[2], (1, 2)]
    sums = two_way([[9] * 4] * 4)[1][:-2]
    keys = {("cell", str(row), str(column)) for row, column in places}
    assert list(determined(sums, keys)) == [("cell", "1", "2")]


@pytest.mark.parametrize("smallest", [1, 2])
def test_one_hides_nothing(smallest):
    """Which is what `--exact` asks for."""
    assert (suppress(*one_way(a=1, b=2, c=3), smallest) == frozenset()) is (smallest == 1)
