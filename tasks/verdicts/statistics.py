"""Intervals, and how much the trials of a case vary. Shares are 0 to 1, names in _pp are percentage points.

Two questions are kept apart. Did behaviour on these very cases change: only the trials of a case vary, which
`drop_interval` and `tasks.verdicts.permutation` answer. What is the rate on the population that the cases stand for:
the cases are a sample too, which `tasks.verdicts.population` answers.
"""

from math import sqrt
from statistics import NormalDist

from tasks.records import Interval
from tasks.verdicts.permutation import Counts

ALPHA = 0.05
"""Two-sided: intervals hold 95 %, and a difference below this p is called real."""

Z = NormalDist().inv_cdf(1 - ALPHA / 2)
FLAKY_RANGE = (0.05, 0.30)
FLAKY_CASE_NOISE = 0.2
"""p(1 − p) expected of a flaky case whose chance to pass is Beta(2, 2): assumed before a baseline has shown it."""


def wilson(passed: float, n: int) -> Interval:
    """Interval of a binomial rate (Wilson 1927); `passed` may be a fraction where trials of a case are averaged."""
    if n == 0:
        return Interval(0.0, 1.0)
    rate, spread = passed / n, Z**2 / n
    centre = (rate + spread / 2) / (1 + spread)
    half = sqrt(spread * (rate * (1 - rate) + spread / 4)) / (1 + spread)
    return Interval(0.0 if passed <= 0 else centre - half, 1.0 if passed >= n else centre + half)


def drop_interval(base_passed: Counts, base_measured: Counts, passed: Counts, measured: Counts) -> Interval:
    """Interval in pp of the mean drop on these cases; every case must be measured on both sides.

    With one trial on each side everywhere it is Newcombe's, which stays sound where few cases or none flipped. With
    more trials the variance within cases can be estimated, and differences between cases do not count as noise.
    """
    if (base_measured == 1).all() and (measured == 1).all():
        both = int((base_passed & passed).sum())
        lost, gained = int(base_passed.sum()) - both, int(passed.sum()) - both
        low, high = newcombe_paired(both, lost, gained, len(passed) - both - lost - gained)
        return Interval(100 * low, 100 * high)
    drop = float((base_passed / base_measured - passed / measured).mean())
    half = Z * sqrt(variance_of_losses(base_passed, base_measured, passed, measured)) / len(passed)
    return Interval(100 * max(-1.0, drop - half), 100 * min(1.0, drop + half))


def newcombe_paired(both: int, lost: int, gained: int, neither: int) -> Interval:
    """Interval of a difference of paired shares, (lost − gained)/n: method 10 of Newcombe (1998), Stat Med 17:2635."""
    n = both + lost + gained + neither
    first, second, drop = both + lost, both + gained, (lost - gained) / n
    (first_low, first_high), (second_low, second_high) = wilson(first, n), wilson(second, n)
    below, above = (first / n - first_low, first_high - first / n), (second / n - second_low, second_high - second / n)
    phi = newcombe_correlation(both, lost, gained, neither)
    low = drop - sqrt(max(0.0, below[0] ** 2 - 2 * phi * below[0] * above[1] + above[1] ** 2))
    high = drop + sqrt(max(0.0, above[0] ** 2 - 2 * phi * above[0] * below[1] + below[1] ** 2))
    return Interval(low, high)


def newcombe_correlation(both: int, lost: int, gained: int, neither: int) -> float:
    """The correlation of both sides, a positive one reduced for continuity; 0 where a margin is empty."""
    n = both + lost + gained + neither
    margins = (both + lost) * (gained + neither) * (both + gained) * (lost + neither)
    excess = both * neither - lost * gained
    if margins == 0:
        return 0.0
    return (max(excess - n / 2, 0) if excess > 0 else excess) / sqrt(margins)


def variance_of_losses(base_passed: Counts, base_measured: Counts, passed: Counts, measured: Counts) -> float:
    """Variance in cases² of the sum of the cases' drops, from how the trials of each case varied.

    Two imagined cases, one lost and one gained throughout, are added: trials that never varied do not show that they
    cannot (the remedy of Bonett & Price 2012 for paired shares).
    """
    successes, trials = base_passed + passed, base_measured + measured
    per_trial = successes * (trials - successes) / (trials * (trials - 1))
    observed = float((per_trial * (1 / base_measured + 1 / measured)).sum())
    return observed + 2 * variance_of_lost_case(round(base_measured.mean()), round(measured.mean()))


def variance_of_lost_case(base_trials: int, trials: int) -> float:
    """What a case that always passed and now never does adds to the variance that the permutation test assumes."""
    return 1 / (base_trials + trials - 1)


def case_noise(passed: Counts, measured: Counts) -> float:
    """Mean p(1 − p) of the cases, unbiased, from those with two trials or more, of which there must be one."""
    repeated = measured > 1
    p, m = passed[repeated], measured[repeated]
    return float((p * (m - p) / (m * (m - 1))).mean())
