"""Did behaviour on these cases change: the exact permutation test within cases.

Where nothing changed, the trials of a case are exchangeable between the baseline and tonight: given how many of them
passed in total, tonight's share of the passes follows a hypergeometric distribution. The statistic is tonight's passes
over all cases. Cases that always passed or never did say nothing. With one trial on each side this is McNemar's exact
test.

Distributions are added by convolution and not by Fourier transform: sums of positive terms keep their relative
precision in the far tails, where a transform leaves only its rounding noise.
"""

from functools import lru_cache
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
"""One whole number per case."""

NEGLIGIBLE = 1e-200
"""Probabilities below this are dropped: they cost time and would end as denormal numbers."""

FEW_CASES = 64
"""Distributions of this many cases of one kind are small enough to be kept in memory."""

Kind = tuple[int, int, int]
"""Successes on both sides, trials of the baseline, trials of tonight."""


class Tails(NamedTuple):
    """The probability of a total as extreme as observed, had nothing changed; `point` is of the very total observed."""

    lower: float
    upper: float
    point: float

    @property
    def two_sided(self) -> float:
        """Twice the smaller tail."""
        return min(1.0, 2 * min(self.lower, self.upper))

    @property
    def lower_mid(self) -> float:
        """The lower tail with half of the observed total (mid-p): not conservative, so a screen and no alarm."""
        return self.lower - self.point / 2


class Distribution(NamedTuple):
    """Probabilities of the whole numbers from `start` on."""

    start: int
    probabilities: NDArray[np.float64]

    def plus(self, other: "Distribution") -> "Distribution":
        """The distribution of the sum of two independent numbers."""
        probabilities = np.convolve(self.probabilities, other.probabilities)
        kept = np.flatnonzero(probabilities > NEGLIGIBLE)
        return Distribution(self.start + other.start + int(kept[0]), probabilities[kept[0] : kept[-1] + 1])

    def times(self, count: int) -> "Distribution":
        """The distribution of the sum of `count` ≥ 1 independent numbers of this distribution."""
        if count == 1:
            return self
        half = self.times(count // 2)
        return half.plus(half).plus(self) if count % 2 else half.plus(half)


def permutation_test(base_passed: Counts, base_measured: Counts, passed: Counts, measured: Counts) -> Tails:
    """Test the passes of tonight's trials against the baseline's.

    Takes passes and measured trials per case of either side. Numbers of trials may differ between cases; one that was
    not measured on both sides says nothing. A small lower tail speaks for a loss, a small upper tail for a gain.
    """
    successes = base_passed + passed
    varied = (successes > 0) & (successes < base_measured + measured) & (base_measured > 0) & (measured > 0)
    total = Distribution(0, np.ones(1))
    for kind, count in kinds_of_cases(successes[varied], base_measured[varied], measured[varied]):
        total = total.plus(passes_of_cases(*kind, count))
    return tails_at(total, int(passed[varied].sum()))


def kinds_of_cases(successes: Counts, base_measured: Counts, measured: Counts) -> list[tuple[Kind, int]]:
    """How many cases share their successes and their trials on both sides. One number per kind is sorted fastest."""
    if not len(successes):
        return []
    bases, trials = int(base_measured.max()) + 1, int(measured.max()) + 1
    codes, repeats = np.unique((successes * bases + base_measured) * trials + measured, return_counts=True)
    return [
        ((code // trials // bases, code // trials % bases, code % trials), count)
        for code, count in zip(codes.tolist(), repeats.tolist(), strict=True)
    ]


def passes_of_cases(successes: int, base_trials: int, trials: int, count: int) -> Distribution:
    """Tonight's passes of `count` cases of one kind; those of few cases come again night after night."""
    if count <= FEW_CASES:
        return passes_of_few_cases(successes, base_trials, trials, count)
    return passes_of_case(successes, base_trials, trials).times(count)


@lru_cache(maxsize=8192)
def passes_of_few_cases(successes: int, base_trials: int, trials: int, count: int) -> Distribution:
    """As `passes_of_cases`, remembered."""
    return passes_of_case(successes, base_trials, trials).times(count)


@lru_cache(maxsize=4096)
def passes_of_case(successes: int, base_trials: int, trials: int) -> Distribution:
    """Tonight's passes of a case whose trials passed `successes` times on both sides together (hypergeometric)."""
    fewest, most = max(0, successes - base_trials), min(successes, trials)
    ways = [comb(trials, passes) * comb(base_trials, successes - passes) for passes in range(fewest, most + 1)]
    all_ways = comb(base_trials + trials, successes)
    return Distribution(fewest, np.array([way / all_ways for way in ways]))


def tails_at(total: Distribution, observed: int) -> Tails:
    """Sum a distribution up to and from the observed total."""
    index = observed - total.start
    at_most, at_least = total.probabilities[: max(0, index + 1)], total.probabilities[max(0, index) :]
    point = float(total.probabilities[index]) if 0 <= index < len(total.probabilities) else 0.0
    return Tails(lower=as_probability(at_most), upper=as_probability(at_least), point=point)


def as_probability(terms: NDArray[np.float64]) -> float:
    """Sum a tail: never zero, since the observed total is possible, and never above one by rounding."""
    return min(1.0, max(NEGLIGIBLE, float(terms.sum())))
