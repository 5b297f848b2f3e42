"""Intervals of shares, for single figures and for arrays of them alike; shares are 0 to 1, intervals hold 95 %."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Z = NormalDist().inv_cdf(0.975)
Figure = float | NDArray[np.float64]
"""One figure, or one for each of many samples."""


class Ends(NamedTuple):
    """Both ends of an interval."""

    low: Figure
    high: Figure


def wilson(rate: Figure, n: Figure) -> Ends:
    """Interval of a binomial rate (Wilson 1927, JASA 22:209); `n` may be an effective number of rows, and above 0."""
    spread = Z**2 / n
    centre = (rate + spread / 2) / (1 + spread)
    half = np.sqrt(spread * (rate * (1 - rate) + spread / 4)) / (1 + spread)
    return Ends(np.clip(centre - half, 0, rate), np.clip(centre + half, rate, 1))


def sum_of(first: Figure, of_first: Ends, second: Figure, of_second: Ends) -> Ends:
    """Interval of the sum of two independent estimates from theirs: square and add (Newcombe 1998, Stat Med 17:873)."""
    below = np.hypot(first - of_first.low, second - of_second.low)
    above = np.hypot(of_first.high - first, of_second.high - second)
    return Ends(first + second - below, first + second + above)


def scaled(ends: Ends, factor: Figure) -> Ends:
    """An interval of a multiple of what it bounds; the factor is not negative."""
    return Ends(ends.low * factor, ends.high * factor)
