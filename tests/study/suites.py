"""Imagined suites: how likely each case is to pass, how it changes, and which slices there are."""

from collections.abc import Callable
from math import exp

import numpy as np
from numpy.typing import NDArray

from tasks.verdicts.evidence import Slice

Rates = NDArray[np.float64]
"""The chance of each case to pass."""


def flaky(share: float) -> Callable[[np.random.Generator, int], Rates]:
    """Suites where this share of cases is flaky, Beta(2, 2), one in twenty never passes and the rest always do."""

    def rates(generator: np.random.Generator, n_cases: int) -> Rates:
        kind = generator.random(n_cases)
        some = generator.beta(2, 2, n_cases)
        return np.where(kind < share, some, np.where(kind < share + 0.05, 0.0, 1.0))

    return rates


def rarely_failing(generator: np.random.Generator, n_cases: int) -> Rates:
    """Suites where half of the cases fail about once in twenty trials, Beta(20, 1), and the rest never."""
    return np.where(generator.random(n_cases) < 0.5, 1.0, generator.beta(20, 1, n_cases))


NOISES = {"15 % flaky": flaky(0.15), "rarely failing": rarely_failing, "30 % flaky": flaky(0.30)}


def slices_of_suite(n_cases: int) -> tuple[Slice, ...]:
    """Two kinds (60 and 40 % of the cases) and four tags of a quarter each: every case is in two slices."""
    cases = np.arange(n_cases)
    first = n_cases * 3 // 5
    tags = [Slice(f"tag {number}", cases[number::4]) for number in range(4)]
    return (Slice("kind 1", cases[:first]), Slice("kind 2", cases[first:]), *tags)


def stopped(generator: np.random.Generator, rates: Rates, n_lost: int) -> Rates:
    """Some cases that always passed never pass any more."""
    sure = np.flatnonzero(rates == 1)
    changed = rates.copy()
    changed[generator.choice(sure, min(n_lost, len(sure)), replace=False)] = 0.0
    return changed


def spread(generator: np.random.Generator, rates: Rates, drop: float) -> Rates:
    """All cases pass less often by the same factor, so that the mean falls by `drop`."""
    return rates * (1 - drop / float(rates.mean()))


def shifted(rates: Rates, log_odds: float) -> Rates:
    """All cases move by the same log-odds; those that always or never pass stay."""
    odds = exp(log_odds)
    moved: Rates = rates * odds / (1 - rates + rates * odds)
    return moved
