"""Intervals and detectable drops against published values and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.verdicts.permutation import Counts
from tasks.verdicts.statistics import (
    drop_interval,
    newcombe_paired,
    wilson,
)


def counts(*values: int) -> Counts:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_matches_the_published_intervals(passed: int, n: int, low: float, high: float) -> None:
    assert wilson(passed, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_knows_nothing_without_cases_and_ends_at_the_ends() -> None:
    assert wilson(0, 0) == (0, 1)
    assert wilson(0, 7).low == 0
    assert wilson(7, 7).high == 1


def test_newcombe_matches_the_published_interval() -> None:
    assert newcombe_paired(36, 12, 2, 0) == pytest.approx((0.0569, 0.3404), abs=5e-5)


@given(*[st.integers(0, 60)] * 4)
def test_newcombe_mirrors_when_sides_are_swapped(both: int, lost: int, gained: int, neither: int) -> None:
    if both + lost + gained + neither == 0:
        return
    low, high = newcombe_paired(both, lost, gained, neither)
    assert newcombe_paired(both, gained, lost, neither) == pytest.approx((-high, -low), abs=1e-9)
    assert -1 <= low <= (lost - gained) / (both + lost + gained + neither) <= high <= 1


def test_one_trial_each_shows_newcombes_interval() -> None:
    before = counts(*[1] * 36, *[1] * 12, *[0] * 2)
    now = counts(*[1] * 36, *[0] * 12, *[1] * 2)
    ones = np.ones(50, dtype=np.int64)
    assert drop_interval(before, ones, now, ones) == pytest.approx((5.69, 34.04), abs=5e-3)


def test_trials_that_never_varied_still_leave_an_uncertain_drop() -> None:
    five, one = np.full(50, 5), np.ones(50, dtype=np.int64)
    low, high = drop_interval(five, five, one, one)
    assert low == -high
    assert 1 < high < 8


@pytest.mark.parametrize("trials", [1, 3])
@pytest.mark.parametrize("n", [50, 100, 400])
def test_the_drop_interval_covers_the_drop_on_these_cases(n: int, trials: int) -> None:
    generator = np.random.default_rng(n + trials)
    nights = 2000
    before = noisy_rates(generator, (nights, n))
    now = before.copy()
    now[:, : n // 25] = 0
    base_passed, passed = generator.binomial(5, before), generator.binomial(trials, now)
    base_measured, measured = np.full(n, 5), np.full(n, trials)
    covered = 0
    for night in range(nights):
        low, high = drop_interval(base_passed[night], base_measured, passed[night], measured)
        covered += low <= 100 * (before[night] - now[night]).mean() <= high
    assert 0.94 <= covered / nights <= 1


def noisy_rates(generator: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """80 % of cases sure to pass, 15 % flaky, the rest sure to fail."""
    kind = generator.random(shape)
    return np.where(kind < 0.8, 1.0, np.where(kind < 0.95, generator.beta(2, 2, shape), 0.0))
