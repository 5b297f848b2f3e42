"""The rate of tonight's outputs that one judge scorer decided, by the method that the labels' origin allows."""

from collections.abc import Sequence
from typing import NamedTuple

from tasks.judges.correction import Estimate, Stratum, prediction_powered, rogan_gladen, stratified
from tasks.judges.intervals import wilson
from tasks.records import Calibration, CorrectionMethod

MIN_LABELS = 20
"""Of tonight's outputs, or all that there are; with fewer the calibration file says more."""


class Decided(NamedTuple):
    """What a judge decided tonight: the share that it passed, of so many cases."""

    rate: float
    n_cases: int


class LabelOfTonight(NamedTuple):
    """One of tonight's outputs: whether people pass it, whether the judge did, and for how many it stands."""

    right: bool
    passed: bool
    weight: float


class Corrected(NamedTuple):
    """A corrected rate, and by which method."""

    method: CorrectionMethod
    estimate: Estimate


def by_labels(found: Decided, labels: Sequence[LabelOfTonight]) -> Corrected | None:
    """The rate by labels of tonight's own outputs; None where there are too few.

    A sample in which all stand for as many is a random one; others were drawn by the judge's verdict.
    """
    if len(labels) < min(MIN_LABELS, found.n_cases):
        return None
    both, right = (sum(one.right and one.passed is passed for one in labels) for passed in (True, False))
    n_passed = sum(one.passed for one in labels)
    if len({round(one.weight, 6) for one in labels}) == 1:
        n = max(0, found.n_cases - len(labels))
        rest = min(1.0, max(0.0, (found.rate * found.n_cases - n_passed) / n)) if n else found.rate
        neither = len(labels) - n_passed - right
        return Corrected("ppi++", prediction_powered(both, right, n_passed - both, neither, rest, n))
    passed = Stratum(found.rate, n_passed, both)
    failed = Stratum(1 - found.rate, len(labels) - n_passed, right)
    return Corrected("stratified", stratified(passed, failed, found.n_cases))


def by_calibration(found: Decided, known: Calibration) -> Corrected | None:
    """The rate by what the judge got wrong on other outputs; None where that says nothing."""
    if known.sensitivity is None or known.specificity is None or not known.youden or known.youden <= 0:
        return None
    estimate = rogan_gladen(
        found.rate,
        found.n_cases,
        se=known.sensitivity,
        n_se=known.n_right,
        sp=known.specificity,
        n_sp=known.n_wrong,
    )
    return Corrected("rogan-gladen", estimate)


def as_it_stands(found: Decided) -> Estimate:
    """The rate of what no judge decided."""
    return Estimate(found.rate, wilson(found.rate, found.n_cases))
