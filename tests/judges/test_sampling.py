"""What the audit queue draws."""

import numpy as np
import pytest

from tasks.judges.sampling import draw_sample


@pytest.mark.parametrize(
    ("n_passed", "n_failed", "n", "failed_drawn", "drawn"),
    [(90, 10, 40, 10, 40), (500, 500, 40, 20, 40), (3, 500, 40, 37, 40), (100, 0, 40, 0, 40), (5, 5, 40, 5, 10)],
)
def test_half_of_a_sample_are_failures_as_far_as_there_are(
    n_passed: int, n_failed: int, n: int, failed_drawn: int, drawn: int
) -> None:
    passed = np.arange(n_passed + n_failed) < n_passed
    found = draw_sample(passed, n, np.random.default_rng(1))
    assert len({one.position for one in found}) == len(found) == drawn
    assert sum(not passed[one.position] for one in found) == failed_drawn
    assert sum(one.weight for one in found) == pytest.approx(n_passed + n_failed), "the weights undo it"


def test_every_output_has_its_chance() -> None:
    passed = np.arange(20) < 15
    seen = {one.position for seed in range(60) for one in draw_sample(passed, 6, np.random.default_rng(seed))}
    assert seen == set(range(20))
