"""Corrected rates: known cases, and coverage on a few points of the grid that `make study` plays whole."""

import numpy as np
import pytest

from tasks.judges.correction import Estimate, Stratum, combined, prediction_powered, rogan_gladen, stratified
from tasks.judges.intervals import Ends, wilson
from tests.study.judges import Truth, audited, calibrated, labelled

NIGHTS = 4_000


def test_rogan_gladen_undoes_known_errors() -> None:
    found = rogan_gladen(0.80 * 0.9 + 0.20 * 0.3, 1e6, se=0.9, n_se=1e6, sp=0.7, n_sp=1e6)
    assert found.value == pytest.approx(0.8)
    assert found.ends == pytest.approx((0.8, 0.8), abs=0.003)


def test_a_perfect_judge_needs_next_to_no_correction() -> None:
    found = rogan_gladen(0.8, 200, se=1.0, n_se=1e6, sp=1.0, n_sp=1e6)
    assert found.value == 0.8
    assert found.ends == pytest.approx(wilson(0.8, 200), abs=0.002)


def test_a_judge_at_chance_says_nothing() -> None:
    found = rogan_gladen(0.8, 1000, se=0.8, n_se=50, sp=0.2, n_sp=50)
    assert found.ends == (0, 1)


def test_labels_of_all_outputs_need_no_judge() -> None:
    found = prediction_powered(60, 20, 10, 10, 0.7, 0)
    assert found.value == pytest.approx(0.8)
    assert found.ends == pytest.approx(wilson(0.8, 100))


def test_a_judge_at_random_is_not_listened_to() -> None:
    found = prediction_powered(40, 40, 10, 10, 0.9, 1000)
    assert found.value == pytest.approx(0.8)


def test_a_judge_that_agrees_lends_its_word_on_the_others() -> None:
    found = prediction_powered(80, 0, 0, 20, 0.9, 10_000)
    assert found.value == pytest.approx(0.9, abs=0.002)
    alone = wilson(0.8, 100)
    assert found.ends.high - found.ends.low < (alone.high - alone.low) / 2


def test_a_verdict_without_labels_may_hide_anything() -> None:
    found = stratified(Stratum(0.9, 40, 40), Stratum(0.1, 0, 0), 1000)
    assert found.value == pytest.approx(0.95)
    assert found.ends.low < 0.9
    assert found.ends.high > 0.98


def test_what_no_judge_decided_counts_as_it_stands() -> None:
    judged, known = Estimate(0.5, Ends(0.4, 0.6)), Estimate(1.0, Ends(1.0, 1.0))
    found = combined([(0.25, judged), (0.75, known)])
    assert found.value == 0.875
    assert found.ends == pytest.approx((0.85, 0.9))


@pytest.mark.parametrize("truth", [Truth(0.7, 0.6, 0.9), Truth(0.95, 0.9, 0.8), Truth(0.8, 0.95, 0.5)])
def test_intervals_cover_wherever_the_labels_come_from(truth: Truth) -> None:
    generator = np.random.default_rng(7)
    elsewhere = calibrated(generator, truth, 100, None, NIGHTS)
    tonight, alone = labelled(generator, truth, 100, NIGHTS)
    by_verdict, _ = audited(generator, truth, 100, NIGHTS)
    assert 0.92 <= elsewhere.covered <= 0.99
    assert tonight.covered == pytest.approx(0.95, abs=0.02)
    assert tonight.width <= 1.05 * alone.width
    assert 0.93 <= by_verdict.covered <= 0.98
    raw = truth.passes - truth.base_rate
    assert abs(tonight.bias) < 0.005
    assert abs(by_verdict.bias) < 0.005
    assert abs(elsewhere.bias) < max(0.01, abs(raw) / 3)
