"""Gates on latency, cost and the population: order statistics, Student's t and clusters against known values."""

import numpy as np
import pytest

from tasks.config import Gate
from tasks.verdicts.detectable import detectable_before_baseline_pp, detectable_pp
from tasks.verdicts.gates import check_cost, check_p95, p95_ranks
from tasks.verdicts.population import flip_rate, population_rate, variance_between_groups
from tasks.verdicts.statistics import wilson

ONES = np.ones(100, dtype=np.int64)


def test_under_59_calls_a_95th_percentile_stays_undecided() -> None:
    assert check_p95([1.0] * 58, limit=100).state == "undecided"
    assert check_p95([1.0] * 59, limit=100).state == "ok"
    assert check_p95([], limit=100).reason == "nothing was measured"


@pytest.mark.parametrize("n", [59, 72, 100, 1000])
def test_each_end_bounds_the_percentile_with_95_percent_and_no_nearer_rank_does(n: int) -> None:
    from scipy.stats import binom

    lower, upper = p95_ranks(n)
    assert binom.cdf(upper - 1, n, 0.95) >= 0.95 > binom.cdf(upper - 2, n, 0.95)
    assert binom.sf(lower - 1, n, 0.95) >= 0.95 > binom.sf(lower, n, 0.95)


@pytest.mark.parametrize(("limit", "state"), [(101, "ok"), (95.5, "undecided"), (80, "failed")])
def test_the_whole_interval_decides_the_latency_gate(limit: float, state: str) -> None:
    check = check_p95([float(value) for value in range(1, 101)], limit=limit)
    assert (check.value, check.state) == (95.0, state)
    assert check.interval == (91.0, 99.0)


def test_cost_has_students_interval_and_needs_every_price() -> None:
    check = check_cost([1.0, 2.0, 3.0], limit=5)
    assert check.value == 2.0
    assert check.interval == pytest.approx((0.0, 2 + 4.302653 / 3**0.5))
    assert check.state == "ok"
    assert check_cost([1.0, None], limit=5).reason == "the price of a call is not known"
    assert check_cost([1.0], limit=5).state == "undecided"
    assert check_cost([2.0] * 9, limit=1).state == "failed"
    assert check_cost([], limit=1).reason == "nothing was measured"


def test_without_groups_the_rate_has_wilsons_interval() -> None:
    passed = np.repeat([1, 0], [81, 19])
    found = population_rate(passed, ONES)
    assert found is not None
    assert (found.value, found.interval, found.n_groups, found.approximate) == (0.81, wilson(81, 100), None, False)
    assert population_rate(passed, 0 * ONES) is None


def test_a_rate_counts_a_case_once_however_often_it_was_tried() -> None:
    once = population_rate(np.array([1, 1, 0, 1]), np.array([1, 1, 1, 1]))
    assert once == population_rate(np.array([5, 5, 0, 5]), np.array([5, 5, 5, 5]))
    assert once is not None
    assert once.interval == wilson(3, 4)


def test_variance_between_groups_by_hand() -> None:
    """Groups {1, 1}, {0, 1}, {0, 0}: residual sums 1, 0, −1, so V = 3/2 · 2/36."""
    rates = np.array([1.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    assert variance_between_groups(rates, np.array([0, 0, 1, 1, 2, 2])) == pytest.approx(3 / 2 * 2 / 36)


def test_cases_that_stand_together_widen_the_interval() -> None:
    passed = np.repeat([1, 0], [80, 20])
    together = population_rate(passed, ONES, [str(index // 10) for index in range(100)])
    apart = population_rate(passed, ONES, [str(index) for index in range(100)])
    assert together is not None
    assert apart is not None
    assert (together.n_groups, together.approximate, apart.approximate) == (10, True, False)
    assert together.interval.high - together.interval.low > 2.5 * (apart.interval.high - apart.interval.low)
    assert apart.interval == pytest.approx(wilson(80, 100), abs=0.005)


def test_one_group_tells_nothing_and_groups_that_agree_count_once_each() -> None:
    one = population_rate(ONES, ONES, ["a"] * 100)
    assert one is not None
    assert one.interval == (0, 1)
    agree = population_rate(ONES, ONES, [str(index // 2) for index in range(100)])
    assert agree is not None
    assert agree.interval.low == pytest.approx(50 / (50 + 2.0096**2), abs=1e-4)


def test_a_case_without_group_is_a_group_of_its_own() -> None:
    found = population_rate(ONES[:4], ONES[:4], ["a", "a", None, None])
    assert found is not None
    assert found.n_groups == 3


def test_the_flip_rate_is_the_share_of_pairs_of_trials_that_disagree() -> None:
    found = flip_rate(np.array([5, 0, 2, 1]), np.array([5, 5, 4, 1]))
    assert found is not None
    assert found.n_cases == 3
    assert found.value == pytest.approx((4 / 6) / 3)
    assert found.interval == wilson(4 / 6, 3)
    assert flip_rate(ONES, ONES) is None


def test_what_can_be_found_falls_with_cases_and_rises_with_noise() -> None:
    sure, some = np.full(100, 5), np.repeat([5, 3], [85, 15])
    fives = np.full(100, 5)
    assert detectable_pp(sure, fives, Gate()) == pytest.approx(3.5, abs=0.5)
    assert detectable_pp(some, fives, Gate()) > detectable_pp(sure, fives, Gate())
    assert detectable_pp(np.tile(some, 4), np.tile(fives, 4), Gate()) < detectable_pp(some, fives, Gate())
    low, high = detectable_before_baseline_pp(100, Gate())
    assert low < detectable_pp(some, fives, Gate()) < high


def test_a_baseline_of_single_trials_is_taken_to_be_noisy() -> None:
    once = detectable_pp(ONES, ONES, Gate())
    assert once > detectable_before_baseline_pp(100, Gate())[1]
