"""What the cases say of the population that they stand for: its pass rate, and how often a repeated trial disagrees."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from tasks.records import Interval
from tasks.verdicts.permutation import Counts
from tasks.verdicts.statistics import ALPHA, wilson

FEW_GROUPS = 30
"""With fewer groups an interval is only approximate."""


class PopulationRate(NamedTuple):
    """A rate with its 95 % interval; `n_groups` is None where no cases belong together."""

    value: float
    interval: Interval
    n_groups: int | None
    approximate: bool


def population_rate(
    passed: Counts, measured: Counts, groups: Sequence[str | None] | None = None
) -> PopulationRate | None:
    """Mean pass rate of the measured cases, each counted once; None when there are none.

    Cases of one group (turns of a conversation, questions on one document) are no independent sample. Their rate varies
    by V, the variance between groups, as a simple sample of n_eff = p(1 − p)/V cases would: Wilson's interval on n_eff
    with the quantile of t for G − 1 degrees (the effective sample size of Kish 1965, as Korn & Graubard 1998 use it).
    """
    kept = np.flatnonzero(measured > 0)
    if not len(kept):
        return None
    rates = passed[kept] / measured[kept]
    rate, n = float(rates.mean()), len(kept)
    if groups is None or all(group is None for group in groups):
        return PopulationRate(rate, wilson(rate * n, n), None, approximate=False)
    labels = [groups[index] for index in kept.tolist()]
    codes = np.unique(
        [f"g{label}" if label is not None else f"c{index}" for index, label in enumerate(labels)], return_inverse=True
    )[1]
    n_groups = int(codes.max()) + 1
    if n_groups < 2:
        return PopulationRate(rate, Interval(0.0, 1.0), n_groups, approximate=True)
    n_eff = effective_n(rate, n, variance_between_groups(rates, codes), n_groups)
    return PopulationRate(rate, wilson_t(rate, n_eff, n_groups - 1), n_groups, approximate=n_groups < FEW_GROUPS)


def variance_between_groups(rates: np.ndarray, codes: np.ndarray) -> float:
    """Variance of the mean: V = G/(G − 1)·Σ_g(Σ_i r_i)²/n², of the cases' residuals r summed by group."""
    residuals = np.bincount(codes, weights=rates - rates.mean())
    n_groups = len(residuals)
    return float(n_groups / (n_groups - 1) * (residuals**2).sum() / len(rates) ** 2)


def effective_n(rate: float, n: int, variance: float, n_groups: int) -> float:
    """The independent cases that would vary as much: at most n, and the number of groups where none varied."""
    if variance == 0:
        return float(n_groups)
    return min(float(n), rate * (1 - rate) / variance)


def wilson_t(rate: float, n_eff: float, degrees: int) -> Interval:
    """Wilson's interval with t's quantile: widening z is the same as having fewer cases."""
    spread = t_quantile(degrees) ** 2 / n_eff
    centre = (rate + spread / 2) / (1 + spread)
    half = sqrt(spread * (rate * (1 - rate) + spread / 4)) / (1 + spread)
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def t_quantile(degrees: int) -> float:
    """Student's, of a two-sided 95 % interval. scipy.special loads in a third of the time that scipy.stats takes."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 1 - ALPHA / 2))


class FlipRate(NamedTuple):
    """The chance that two trials of one case disagree, of `n_cases` that had two trials or more."""

    value: float
    interval: Interval
    n_cases: int


def flip_rate(passed: Counts, measured: Counts) -> FlipRate | None:
    """Non-determinism at one served version, from all trials of it; None where no case was tried twice.

    Per case it is the share of its pairs of trials that disagree, 2·k(m − k)/(m(m − 1)), which is unbiased for
    2p(1 − p). The interval is Wilson's on the mean: no quantity between 0 and 1 varies more than one of 0 or 1, so it
    is at least as wide as it must be.
    """
    twice = measured > 1
    k, m = passed[twice], measured[twice]
    if not len(k):
        return None
    value = float((2 * k * (m - k) / (m * (m - 1))).mean())
    return FlipRate(value, wilson(value * len(k), len(k)), len(k))
