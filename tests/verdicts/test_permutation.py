"""The permutation test against enumeration, exact fractions and published counts."""

import time
from fractions import Fraction
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.verdicts.permutation import Counts, Tails, permutation_test

Row = tuple[int, int, int, int]
"""Passes and trials of the baseline, then of tonight, of one case."""


def columns(rows: list[Row]) -> tuple[Counts, Counts, Counts, Counts]:
    base_passed, base_measured, passed, measured = np.array(rows, dtype=np.int64).T
    return base_passed, base_measured, passed, measured


def tails_of(rows: list[Row]) -> Tails:
    return permutation_test(*columns(rows))


def row(max_trials: int) -> st.SearchStrategy[Row]:
    trials = st.integers(1, max_trials)
    sides = st.tuples(trials, trials)
    return sides.flatmap(
        lambda ns: st.tuples(st.integers(0, ns[0]), st.just(ns[0]), st.integers(0, ns[1]), st.just(ns[1]))
    )


def enumerated_lower_tail(rows: list[Row]) -> Fraction:
    """Deal the trials of each case to the two sides in every possible way and count."""
    deals = []
    for base_passed, base_trials, passed, trials in rows:
        results = [1] * (base_passed + passed) + [0] * (base_trials + trials - base_passed - passed)
        deals.append([sum(hand) for hand in combinations(results, trials)])
    observed = sum(passed for _, _, passed, _ in rows)
    totals = [sum(deal) for deal in product(*deals)]
    return Fraction(sum(total <= observed for total in totals), len(totals))


def exact_tails(rows: list[Row]) -> tuple[Fraction, Fraction]:
    """Convolve exact fractions, one case after the other."""
    total = {0: Fraction(1)}
    for base_passed, base_trials, passed, trials in rows:
        successes, longer = base_passed + passed, dict[int, Fraction]()
        for (value, p), b in product(total.items(), range(max(0, successes - base_trials), min(successes, trials) + 1)):
            ways = comb(trials, b) * comb(base_trials, successes - b)
            longer[value + b] = longer.get(value + b, Fraction(0)) + p * Fraction(
                ways, comb(base_trials + trials, successes)
            )
        total = longer
    observed = sum(passed for _, _, passed, _ in rows)
    lower = sum((p for value, p in total.items() if value <= observed), Fraction(0))
    upper = sum((p for value, p in total.items() if value >= observed), Fraction(0))
    return lower, upper


@settings(max_examples=60, deadline=None)
@given(st.lists(row(3), min_size=1, max_size=3))
def test_the_lower_tail_is_the_share_of_all_ways_to_deal_the_trials(rows: list[Row]) -> None:
    assert tails_of(rows).lower == pytest.approx(float(enumerated_lower_tail(rows)), rel=1e-12)


def test_five_of_five_against_none_of_nine_is_one_in_2002() -> None:
    assert tails_of([(5, 5, 0, 9)]).lower == pytest.approx(1 / 2002, rel=1e-14)


def test_three_cases_that_always_passed_and_fail_once_have_p_0046() -> None:
    assert tails_of([(5, 5, 0, 1)] * 3).lower == pytest.approx(1 / 216, rel=1e-14)


@pytest.mark.parametrize(("lost", "gained", "p"), [(150, 86, 3.72e-5), (12, 2, 0.0129)])
def test_one_trial_each_is_the_exact_mcnemar_test(lost: int, gained: int, p: float) -> None:
    rows: list[Row] = [(1, 1, 0, 1)] * lost + [(0, 1, 1, 1)] * gained + [(1, 1, 1, 1)] * 30
    assert tails_of(rows).two_sided == pytest.approx(p, rel=5e-3)


@pytest.mark.parametrize("lost", [30, 60, 120])
def test_far_tails_keep_their_precision(lost: int) -> None:
    """A Fourier transform would leave rounding noise of about 1e-16 here."""
    flaky: list[Row] = [(3, 5, 1, 2), (4, 5, 2, 3), (2, 5, 1, 1)]
    rows: list[Row] = [(5, 5, 0, 1)] * lost + flaky * 10
    lower, upper = exact_tails(rows)
    assert lower < Fraction(1, 10**6)
    assert tails_of(rows).lower == pytest.approx(float(lower), rel=1e-12)
    assert tails_of(rows).upper == pytest.approx(float(upper), rel=1e-12)
    mirrored = tails_of([(n - a, n, m - b, m) for a, n, b, m in rows])
    assert mirrored.upper == pytest.approx(float(lower), rel=1e-12)


@settings(deadline=None)
@given(st.lists(row(6), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_cases_is_irrelevant(rows: list[Row], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert tails_of(shuffled) == tails_of(rows)


@settings(deadline=None)
@given(st.lists(row(6), min_size=1, max_size=30))
def test_swapping_sides_swaps_the_tails(rows: list[Row]) -> None:
    tails, swapped = tails_of(rows), tails_of([(b, m, a, n) for a, n, b, m in rows])
    assert swapped.lower == pytest.approx(tails.upper, rel=1e-9)
    assert swapped.upper == pytest.approx(tails.lower, rel=1e-9)


@settings(deadline=None)
@given(st.lists(row(6), min_size=1, max_size=30), st.data())
def test_one_more_success_never_makes_a_loss_more_credible(rows: list[Row], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(rows) - 1))
    base_passed, base_trials, passed, trials = rows[index]
    better = list(rows)
    better[index] = (base_passed, base_trials, min(passed + 1, trials), trials)
    assert tails_of(better).lower >= tails_of(rows).lower * (1 - 1e-9)
    assert tails_of(better).lower_mid >= tails_of(rows).lower_mid * (1 - 1e-9)


def test_cases_not_measured_on_both_sides_say_nothing() -> None:
    rows: list[Row] = [(5, 5, 0, 1), (3, 5, 1, 1)]
    assert tails_of([*rows, (4, 5, 0, 0), (0, 0, 1, 1)]) == tails_of(rows)


def test_no_flip_leaves_nothing_to_tell() -> None:
    assert tails_of([(5, 5, 1, 1), (0, 5, 0, 1)]) == Tails(lower=1.0, upper=1.0, point=1.0)


def test_a_tail_beyond_all_floats_is_not_zero() -> None:
    assert 0 < tails_of([(5, 5, 0, 5)] * 2000).lower <= 1e-200


def test_ten_thousand_cases_of_five_trials_take_a_tenth_of_a_second() -> None:
    generator = np.random.default_rng(0)
    rate, five = generator.beta(2, 2, 10_000), np.full(10_000, 5)
    before, now = generator.binomial(5, rate), generator.binomial(5, rate)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        permutation_test(before, five, now, five)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1
