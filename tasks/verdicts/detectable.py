"""The smallest drop that a night would find with 80 %, known before the night from the baseline alone."""

from math import floor, sqrt
from statistics import NormalDist

from tasks.config import Gate
from tasks.verdicts.drift import NO_DRIFT, Drift
from tasks.verdicts.looks import SUSPICION
from tasks.verdicts.permutation import Counts
from tasks.verdicts.statistics import FLAKY_CASE_NOISE, FLAKY_RANGE, case_noise, variance_of_lost_case

Z_SUSPICION = NormalDist().inv_cdf(1 - SUSPICION)
Z_POWER = NormalDist().inv_cdf(0.85)
"""More than 80 %, for what is lost at the looks in between; `make study` shows how near it comes."""


def noise_of(base_passed: Counts, base_measured: Counts) -> float:
    """The sum of p(1 − p) over a baseline's cases; assumed high where no case has two trials."""
    n_cases = int((base_measured > 0).sum())
    if not (base_measured > 1).any():
        return n_cases * FLAKY_RANGE[1] * FLAKY_CASE_NOISE
    return n_cases * case_noise(base_passed, base_measured)


def detectable_pp(
    base_passed: Counts, base_measured: Counts, gate: Gate, *, trials: int = 1, drift: Drift = NO_DRIFT
) -> float:
    """The drop in pp, by cases that stop passing, that a night of `trials` planned trials finds with 80 %."""
    known = base_measured[base_measured > 0]
    if not len(known):
        return 100.0
    noise = noise_of(base_passed, base_measured)
    return found_with_80_pp(noise, len(known), gate, base_trials=float(known.mean()), trials=trials, drift=drift)


def detectable_before_baseline_pp(n_cases: int, gate: Gate, *, trials: int = 1) -> tuple[float, float]:
    """The detectable drop in pp if 5 % or 30 % of the cases are flaky: an assumption."""
    low, high = (
        found_with_80_pp(
            n_cases * share * FLAKY_CASE_NOISE, n_cases, gate, base_trials=gate.baseline_trials, trials=trials
        )
        for share in FLAKY_RANGE
    )
    return low, high


def found_with_80_pp(
    noise: float, n_cases: int, gate: Gate, *, base_trials: float, trials: int, drift: Drift = NO_DRIFT
) -> float:
    """Solve for the drop at which the screen and the gate are passed with 80 %.

    In cases: the planned trials must lose more than the screen lets pass, and all trials together more than
    `max_drop_pp`. Every lost case widens what the test takes for noise.
    """
    day_shift = drift.variance * noise**2 * (1 + drift.concentration)
    night = noise * (1 / base_trials + 1 / trials) + day_shift
    last = noise * (1 / base_trials + 1 / (trials + gate.max_confirm_trials)) + day_shift
    beyond_gate = floor(n_cases * gate.max_drop_pp / 100) + 0.5 + Z_POWER * sqrt(last)
    certain = 0.5 + Z_POWER * sqrt(night)
    lost_case = Z_SUSPICION**2 * variance_of_lost_case(round(base_trials), trials)
    beyond_noise = certain + (lost_case + sqrt(lost_case**2 + 4 * (Z_SUSPICION**2 * night + lost_case * certain))) / 2
    return 100 * min(1.0, max(beyond_gate, beyond_noise) / n_cases)
