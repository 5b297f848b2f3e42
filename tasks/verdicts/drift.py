"""How much nights differ where nothing changed: a day shift that all cases of a night share.

The model: on each night the log-odds of every case move by one common amount of mean 0 and variance σ². A case that
always or never passes does not move; the mean of a cell moves by σ·mean p(1 − p). No statistic tells one night's shift
from a regression, but earlier nights tell how large such shifts are.
"""

from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PRIOR = 0.05
"""The standard deviation of what σ² is believed to be before any night was seen: the fewer nights, the nearer to 0."""

NORMAL = NormalDist()


class NightShift(NamedTuple):
    """σ² in squared log-odds: as estimated, its standard error had nights not differed, and as used (shrunk to 0)."""

    estimate: float
    standard_error: float
    used: float


class Drift(NamedTuple):
    """What enters a threshold: σ², and how concentrated the baseline is (1 for one night, 1/k for k equal ones)."""

    variance: float = 0.0
    concentration: float = 1.0

    def inflation(self, noise: float, base_trials: float, trials: float) -> float:
        """The variance of a drop with day shifts over that without, for a sum of p(1 − p) over the cases of `noise`."""
        return 1 + self.variance * noise * (1 + self.concentration) / (1 / base_trials + 1 / trials)

    def sd_pp(self, noise: float, n_cases: int) -> float:
        """The standard deviation in pp that a night's shift gives the pass rate of a cell: what to show of it."""
        return 100 * sqrt(self.variance) * noise / n_cases


NO_DRIFT = Drift()


def inflated(p: float, inflation: float) -> float:
    """The p-value of a result whose standard deviation is √`inflation` times what the test assumed."""
    if inflation <= 1 or p >= 0.5:
        return p
    return NORMAL.cdf(NORMAL.inv_cdf(p) / sqrt(inflation))


def night_shift(cells: Iterable[NDArray[np.int8]]) -> NightShift:
    """Estimate σ² from earlier nights of cells that are believed to shift alike, such as all suites of a model.

    Each matrix is nights × cases of outcomes (1 passed, 0 failed, −1 not measured); cases that a night did not measure
    are left out, and nights of an open incident should be. The passes of a night vary by V + σ²V², where V, the sum of
    p(1 − p), is estimated from the same nights: the comparison of Cochran's Q (1950), Biometrika 37:256, pooled over
    cells with the weights that are best where σ² is small.
    """
    excess = weight = 0.0
    for outcomes in cells:
        complete = outcomes[:, (outcomes >= 0).all(axis=0)].astype(np.int64)
        nights = len(complete)
        if nights < 2:
            continue
        share = complete.mean(axis=0)
        noise = float((share * (1 - share)).sum()) * nights / (nights - 1)
        totals = complete.sum(axis=1)
        excess += float(((totals - totals.mean()) ** 2).sum()) - (nights - 1) * noise
        weight += (nights - 1) * noise**2
    if weight == 0:
        return NightShift(0.0, float("inf"), 0.0)
    estimate, error = max(0.0, excess / weight), sqrt(2 / weight)
    return NightShift(estimate, error, estimate * PRIOR**2 / (PRIOR**2 + error**2))


def concentration(trials_per_night: Sequence[int]) -> float:
    """How much of a baseline's own day shifts is left when it is spread over nights: the sum of squared shares."""
    total = sum(trials_per_night)
    return sum((trials / total) ** 2 for trials in trials_per_night)
