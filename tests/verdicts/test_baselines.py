"""Which nights make up a baseline, and what day shifts they leave."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tasks.records import Setting
from tasks.verdicts.baselines import NightOfCell, baseline_nights, reference_nights
from tasks.verdicts.drift import Drift, concentration, inflated, night_shift

TWO = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
MONDAY = TWO.date()
SAME = Setting(("m-2026-10-01",), (), "params", "prompt", "dataset", "scorers")


def night(day: int, *, trials: int = 1, changed: str | None = None) -> NightOfCell:
    setting = Setting(**{**SAME._asdict(), changed: ("new",)}) if changed else SAME
    return NightOfCell(run_id=f"run-{day}", started_at=TWO + timedelta(days=day), trials=trials, setting=setting)


PINNED = night(0, trials=5)


def test_a_baseline_takes_in_its_first_week_and_no_more() -> None:
    found = baseline_nights(PINNED, [night(day) for day in range(1, 30)], tonight=MONDAY + timedelta(days=30))
    assert found.run_ids == tuple(f"run-{day}" for day in range(7))
    assert found.concentration == pytest.approx((25 + 6) / 121)


def test_tonight_is_not_compared_with_itself() -> None:
    found = baseline_nights(PINNED, [night(1), night(2)], tonight=MONDAY + timedelta(days=2))
    assert found.run_ids == ("run-0", "run-1")


@pytest.mark.parametrize("what", Setting._fields)
def test_nothing_joins_after_a_known_change_even_when_it_was_taken_back(what: str) -> None:
    later = [night(1), night(2, changed=what), night(3)]
    assert baseline_nights(PINNED, later, tonight=MONDAY + timedelta(days=9)).run_ids == ("run-0", "run-1")


def test_a_second_run_of_a_day_does_not_join() -> None:
    again = replace(night(1), run_id="again", started_at=TWO + timedelta(days=1, hours=1))
    found = baseline_nights(PINNED, [night(1), again], tonight=MONDAY + timedelta(days=9))
    assert found.run_ids == ("run-0", "run-1")


def test_a_promotion_discards_the_trials_that_prompted_it() -> None:
    promoted = TWO + timedelta(hours=7)
    stands_in = baseline_nights(PINNED, [], tonight=MONDAY + timedelta(days=1), promoted_at=promoted)
    assert (stands_in.run_ids, stands_in.provisional) == (("run-0",), True)
    later = [night(1, trials=5), night(2)]
    found = baseline_nights(PINNED, later, tonight=MONDAY + timedelta(days=3), promoted_at=promoted)
    assert (found.run_ids, found.provisional) == (("run-1", "run-2"), False)


def test_the_first_night_after_a_promotion_counts_at_once_and_others_of_its_day_never() -> None:
    """Nights of one day once went on being compared with the trials that stood in."""
    promoted = TWO + timedelta(hours=7)
    later = [
        replace(night(0, trials=5), run_id=f"run-at-{hour}", started_at=TWO + timedelta(hours=hour))
        for hour in (6, 9, 8)
    ]
    for tonight in (MONDAY, MONDAY + timedelta(days=1)):
        found = baseline_nights(PINNED, later, tonight=tonight, promoted_at=promoted)
        assert (found.run_ids, found.provisional) == (("run-at-8",), False)


def test_nights_between_a_run_and_its_promotion_are_discarded_too() -> None:
    later = [night(1), night(2), night(4, trials=5)]
    promoted = TWO + timedelta(days=2, hours=7)
    found = baseline_nights(PINNED, later, tonight=MONDAY + timedelta(days=9), promoted_at=promoted)
    assert found.run_ids == ("run-4",)


def test_nothing_more_is_asked_for_when_a_night_after_the_promotion_came_under_other_conditions() -> None:
    moved = [night(1, changed="served_models")]
    found = baseline_nights(PINNED, moved, tonight=MONDAY + timedelta(days=2), promoted_at=TWO)
    assert (found.run_ids, found.provisional) == (("run-0",), False)


def test_a_reference_is_its_first_week_since_its_last_change() -> None:
    before = [night(day) for day in range(3)]
    since = [night(day, changed="served_models") for day in range(3, 15)]
    assert [one.run_id for one in reference_nights([*before, *since[:2]])] == ["run-3", "run-4"]
    assert [one.run_id for one in reference_nights([*since])] == [f"run-{day}" for day in range(3, 10)]
    assert reference_nights([]) == []


def nights_of(generator: np.random.Generator, *, nights: int, cases: int, sd: float) -> np.ndarray:
    log_odds = generator.normal(0, 1.5, cases) + generator.normal(0, sd, (nights, 1))
    return (generator.random((nights, cases)) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)


@pytest.mark.parametrize("sd", [0.0, 0.25, 0.5])
def test_the_night_shift_is_found_again(sd: float) -> None:
    generator = np.random.default_rng(3)
    found = night_shift(nights_of(generator, nights=15, cases=100, sd=sd) for _ in range(60))
    assert found.estimate == pytest.approx(sd**2, abs=0.015 + 0.15 * sd**2)
    assert found.used <= found.estimate


def test_few_nights_move_the_threshold_little() -> None:
    generator = np.random.default_rng(4)
    used = [night_shift([nights_of(generator, nights=3, cases=20, sd=0.0)]).used for _ in range(200)]
    assert max(used) < 0.05


def test_nights_that_say_nothing_leave_the_shift_unknown() -> None:
    sure, one = np.ones((5, 20), dtype=np.int8), np.ones((1, 20), dtype=np.int8)
    assert night_shift([sure, one]) == (0.0, float("inf"), 0.0)


def test_a_case_that_a_night_missed_is_left_out() -> None:
    generator = np.random.default_rng(5)
    outcomes = nights_of(generator, nights=10, cases=50, sd=0.0)
    missed = outcomes.copy()
    missed[3, 7] = -1
    assert night_shift([missed]) == night_shift([np.delete(outcomes, 7, axis=1)])


def test_day_shifts_make_a_result_less_surprising() -> None:
    assert inflated(0.001349898, 1.0) == 0.001349898
    assert inflated(0.001349898, 9.0) == pytest.approx(0.158655254)
    assert inflated(0.7, 9.0) == 0.7
    assert Drift(0.0625, 1.0).inflation(3.0, 5, 9) == pytest.approx(1 + 0.0625 * 3 * 2 / (1 / 5 + 1 / 9))
    assert Drift(0.0625).sd_pp(noise=3.0, n_cases=100) == 0.75
    assert concentration([1, 1, 1, 1]) == 0.25
