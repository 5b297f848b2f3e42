"""How well a judge agrees with people: both kinds of its errors, each on the rows that can show it.

A right output is one that people pass. Marginal rates play no part: a judge that passes the right share of outputs at
random has J = 0.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.judges.intervals import Ends, sum_of, wilson
from tasks.records import Interval

Flags = NDArray[np.bool_]
Weights = NDArray[np.float64]


class Confusion(NamedTuple):
    """People's verdicts against the judge's: sums of weights, and how many equally weighted rows say as much."""

    right_passed: float
    right_failed: float
    wrong_passed: float
    wrong_failed: float
    n_right: float
    n_wrong: float


class Share(NamedTuple):
    """A share, with its interval and the (effective) number of rows that it rests on; nan where that is 0."""

    value: float
    interval: Interval
    n: float


class Agreement(NamedTuple):
    """What a confusion table says of a judge.

    `youden` is J = sensitivity + specificity − 1. κ depends on `prevalence`, the share of right rows among these.
    """

    sensitivity: Share
    specificity: Share
    youden: float
    youden_interval: Interval
    kappa: float
    prevalence: float


UNKNOWN = Share(float("nan"), Interval(0.0, 1.0), 0.0)


def confusion(right: Flags, passed: Flags, weights: Weights | None = None) -> Confusion:
    """Count rows; `weights` undo a sampling that did not take every row with the same chance."""
    weights = np.ones(len(right)) if weights is None else weights
    return Confusion(
        right_passed=float(weights[right & passed].sum()),
        right_failed=float(weights[right & ~passed].sum()),
        wrong_passed=float(weights[~right & passed].sum()),
        wrong_failed=float(weights[~right & ~passed].sum()),
        n_right=effective_rows(weights[right]),
        n_wrong=effective_rows(weights[~right]),
    )


def effective_rows(weights: Weights) -> float:
    """The rows of equal weight that would vary as much: (Σw)²/Σw² (Kish 1965, Survey Sampling)."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0


def agreement_of(table: Confusion) -> Agreement:
    """The figures of a table. J's interval squares and adds Wilson's of both shares."""
    sensitivity = share(table.right_passed, table.right_failed, table.n_right)
    specificity = share(table.wrong_failed, table.wrong_passed, table.n_wrong)
    youden = sensitivity.value + specificity.value - 1
    return Agreement(
        sensitivity, specificity, youden, youden_interval(sensitivity, specificity), kappa(table), prevalence(table)
    )


def share(yes: float, no: float, n: float) -> Share:
    """A share of weights."""
    if n == 0:
        return UNKNOWN
    value = yes / (yes + no)
    return Share(value, interval(wilson(value, n)), n)


def youden_interval(sensitivity: Share, specificity: Share) -> Interval:
    """Interval of J; without rows of one kind it may be anything."""
    if not sensitivity.n or not specificity.n:
        return Interval(-1.0, 1.0)
    ends = sum_of(sensitivity.value, Ends(*sensitivity.interval), specificity.value, Ends(*specificity.interval))
    return Interval(float(ends.low) - 1, float(ends.high) - 1)


def kappa(table: Confusion) -> float:
    """Agreement beyond chance (Cohen 1960, Educ Psychol Meas 20:37); nan where one side never varies."""
    a, b, c, d = table[:4]
    total = a + b + c + d
    if total == 0:
        return float("nan")
    observed = (a + d) / total
    by_chance = ((a + b) * (a + c) + (c + d) * (b + d)) / total**2
    return (observed - by_chance) / (1 - by_chance) if by_chance < 1 else float("nan")


def prevalence(table: Confusion) -> float:
    """Share of right rows."""
    right, wrong = table.right_passed + table.right_failed, table.wrong_passed + table.wrong_failed
    return right / (right + wrong) if right + wrong else float("nan")


def interval(ends: Ends) -> Interval:
    """Both ends of a single figure."""
    return Interval(float(ends.low), float(ends.high))
