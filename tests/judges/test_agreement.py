"""Figures of agreement against published values, and what must never pass for agreement."""

import math

import numpy as np
import pytest

from tasks.judges.agreement import Confusion, agreement_of, confusion
from tasks.judges.annotators import annotator_agreement, consensus
from tasks.judges.homogeneity import homogeneity_p
from tasks.judges.intervals import Ends, sum_of, wilson


def flags(*runs: tuple[bool, int]) -> np.ndarray:
    return np.array([value for value, count in runs for _ in range(count)])


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_matches_the_published_intervals(passed: int, n: int, low: float, high: float) -> None:
    assert wilson(passed / n, n) == pytest.approx((low, high), abs=5e-5)


def test_square_and_add_matches_newcombes_difference_of_independent_shares() -> None:
    first, second = wilson(56 / 70, 70), wilson(48 / 80, 80)
    found = sum_of(56 / 70, first, -48 / 80, Ends(-second.high, -second.low))
    assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_kappa_matches_the_published_table() -> None:
    found = agreement_of(Confusion(20, 5, 10, 15, n_right=25, n_wrong=25))
    assert found.kappa == pytest.approx(0.40)
    assert (found.sensitivity.value, found.specificity.value, found.youden) == pytest.approx((0.8, 0.6, 0.4))
    assert found.prevalence == 0.5


def test_a_good_judge_has_a_poor_kappa_where_nearly_all_is_right() -> None:
    """κ alone would refuse a judge with a sensitivity and specificity of .95; J knows better."""
    found = agreement_of(Confusion(912.0, 48.0, 2.0, 38.0, n_right=960, n_wrong=40))
    assert found.kappa < 0.6
    assert found.youden == pytest.approx(0.9)
    assert found.youden_interval.low > 0.7


def test_the_right_share_of_passes_at_random_is_no_agreement() -> None:
    generator = np.random.default_rng(5)
    right, passed = generator.random(400) < 0.8, generator.random(400) < 0.8
    found = agreement_of(confusion(right, passed))
    assert abs(right.mean() - passed.mean()) < 0.03, "their rates agree"
    assert found.youden_interval.low < 0.1 < 0.4
    assert found.youden_interval.high < 0.4


def test_without_rows_of_one_kind_nothing_is_known_of_j() -> None:
    found = agreement_of(confusion(flags((True, 30)), flags((True, 30))))
    assert found.youden_interval == (-1, 1)
    assert math.isnan(found.specificity.value)
    assert math.isnan(found.kappa)


def test_weights_undo_a_sample_by_the_judges_verdict() -> None:
    """Of 800 passed outputs 40 were labelled, of 200 failed ones 40: unweighted, sensitivity would look like .53."""
    passed = flags((True, 40), (False, 40))
    right = flags((True, 36), (False, 4), (True, 32), (False, 8))
    weights = np.where(passed, 20.0, 5.0)
    found = agreement_of(confusion(right, passed, weights))
    assert found.sensitivity.value == pytest.approx(720 / 880)
    assert found.specificity.value == pytest.approx(40 / 120)
    assert found.sensitivity.n < 68, "rows that count unequally say less"


def test_the_majority_of_annotators_is_the_label_and_a_tie_is_none() -> None:
    assert consensus({"ann": True, "ben": True, "eve": False}) is True
    assert consensus({"ann": False}) is False
    assert consensus({"ann": True, "ben": False}) is None


def test_krippendorffs_alpha_matches_his_example_of_binary_data() -> None:
    first, second = (0, 1, 0, 0, 0, 0, 0, 0, 1, 0), (1, 1, 1, 0, 0, 1, 0, 0, 0, 0)
    rows = [{"meg": bool(a), "owen": bool(b)} for a, b in zip(first, second, strict=True)]
    found = annotator_agreement([*rows, {"meg": True}])
    assert found is not None
    assert (found.n_rows, found.agreement) == (10, 0.6)
    assert found.alpha == pytest.approx(0.095, abs=5e-4)
    assert annotator_agreement([{"meg": True}]) is None


def test_a_judge_that_fails_one_models_good_answers_is_not_the_same_for_all_models() -> None:
    models = ["a"] * 50 + ["b"] * 50
    right = np.tile(flags((True, 40), (False, 10)), 2)
    fair = np.tile(flags((True, 36), (False, 14)), 2)
    partial = np.concatenate([flags((True, 40), (False, 10)), flags((True, 24), (False, 26))])
    generator = np.random.default_rng(1)
    fair_p = homogeneity_p(right, fair, models, generator)
    partial_p = homogeneity_p(right, partial, models, generator)
    assert fair_p is not None
    assert fair_p > 0.5
    assert partial_p is not None
    assert partial_p < 0.001
    assert homogeneity_p(right, fair, ["a"] * 100, generator) is None


def test_equal_judges_are_rarely_called_unequal() -> None:
    """The p-value is valid with few rows per model, where the χ² approximation is not."""
    generator = np.random.default_rng(2)
    low = 0
    for _ in range(200):
        right, errs = generator.random(60) < 0.8, generator.random(60) < 0.1
        p = homogeneity_p(right, right ^ errs, [f"m{i % 6}" for i in range(60)], generator)
        low += p is not None and p <= 0.05
    assert low <= 20
