"""Intervals: held against published values and against scipy."""

from __future__ import annotations

import math

import pytest
from scipy.stats import gamma
from wildgate_service.intervals import gamma_quantile, of_ratio, of_sum, of_unseen, wilson


@pytest.mark.parametrize("shape", [0.3, 1, 1.7, 5, 30, 200, 1_500, 2_500, 1e5])
@pytest.mark.parametrize("share", [0.025, 0.975])
def test_quantiles_are_those_of_the_gamma_distribution(share, shape):
    """Over all sizes that occur."""
    assert gamma_quantile(share, shape) == pytest.approx(gamma.ppf(share, shape), rel=1e-6)


def test_the_score_interval():
    """Newcombe's first example, 81 of 263; nothing and all reach the ends, and no sample says nothing."""
    assert [round(end, 4) for end in wilson(81, 263)] == [0.2553, 0.3662]
    assert (wilson(0, 29)[0], wilson(29, 29)[1], wilson(0, 0)) == (0.0, 1.0, (0.0, 1.0))


def test_no_event_among_many_is_no_proof_of_none():
    """Of 99 unseen for each one seen, some 366 may be there: 3.7 times the weight."""
    lower, upper = of_unseen([(100, 0)], [100])
    assert (lower, round(upper)) == (0, 367)


def test_equal_weights_give_the_interval_of_a_poisson_count():
    """Fay and Feuer's interval is exact there, and large weights leave nothing of the finite population."""
    lower, upper = of_unseen([(1e6, 4)], [1e6])
    assert (lower / 1e6, upper / 1e6) == pytest.approx((gamma.ppf(0.025, 4), gamma.ppf(0.975, 5)), rel=1e-4)


def test_where_all_was_looked_at_nothing_is_unseen():
    """A census has no sampling error."""
    assert of_unseen([(1, 7)], [1]) == (0.0, 0.0)


def test_the_rarest_looks_rule_the_upper_end():
    """An event in a stratum of which little was seen would weigh most."""
    assert of_unseen([(10, 3), (1000, 0)], [10, 1000])[1] > of_unseen([(10, 3)], [10])[1] + 1000


def test_a_sum_adds_distances_as_sides_of_a_triangle():
    """MOVER."""
    assert of_sum([(10, (7, 14)), (20, (16, 23))]) == (25, 35)


def test_a_ratio_of_what_is_known_is_known():
    """Without any width."""
    assert of_ratio(3, (3, 3), 10, (10, 10)) == pytest.approx((0.3, 0.3))


def test_a_ratio_may_have_nothing_above_and_anything_below():
    """No event over many; and many over perhaps none."""
    lower, upper = of_ratio(0, (0, 366), 1000, (950, 1050))
    assert (lower, upper) == (0, pytest.approx(0.366, abs=0.001))
    assert of_ratio(5, (1, 9), 10, (0, 40))[1] == math.inf
