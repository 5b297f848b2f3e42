"""Both sides of a cell paired by case, and what keeps them from being judged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from tasks.config import Gate
from tasks.records import Interval, Verdict
from tasks.verdicts.detectable import detectable_pp
from tasks.verdicts.permutation import Counts, permutation_test
from tasks.verdicts.statistics import ALPHA

MIN_PAIRED = 0.8
"""Below this share of common cases the two sides are different datasets."""


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """The cases that both sides have unchanged, measured or not: passes and measured trials of each, in one order.

    `trials` is what tonight planned for a case. `n_cases` and `n_base_cases` count all cases of tonight and of the
    baseline, also those that the other side does not have. `same_run`: the baseline is another model of tonight's run.
    """

    case_ids: Sequence[str]
    base_passed: Counts
    base_measured: Counts
    passed: Counts
    measured: Counts
    n_cases: int
    n_base_cases: int
    trials: int = 1
    same_run: bool = False

    @property
    def n_paired(self) -> int:
        """Cases that both sides have and measured."""
        return int(((self.base_measured > 0) & (self.measured > 0)).sum())

    def measured_on_both_sides(self) -> "Paired":
        """Leave out what either side did not measure."""
        kept = np.flatnonzero((self.base_measured > 0) & (self.measured > 0))
        return replace(
            self,
            case_ids=[self.case_ids[index] for index in kept.tolist()],
            base_passed=self.base_passed[kept],
            base_measured=self.base_measured[kept],
            passed=self.passed[kept],
            measured=self.measured[kept],
        )

    def with_unmeasured_as_failed(self) -> "Paired":
        """The worst that tonight's unmeasured trials can hide."""
        return replace(self, measured=np.maximum(self.measured, self.trials))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a comparison says. A positive drop is a loss; what could not be measured is None."""

    verdict: Verdict
    cause: str
    n_paired: int
    drop_pp: float | None = None
    interval: Interval | None = None
    p_value: float | None = None
    detectable_drop_pp: float | None = None
    baseline_pass_rate: float | None = None
    pass_rate: float | None = None


def why_unmeasured(paired: Paired, gate: Gate) -> str | None:
    """Say why there is too little to compare, if so."""
    common, of = len(paired.case_ids), max(paired.n_cases, paired.n_base_cases)
    if common == 0 or common < MIN_PAIRED * of:
        if paired.same_run:
            return f"only {common} of {of} cases were asked of both models"
        return f"the dataset changed: promote ({common} of {of} cases are the same)"
    n_measured = int((paired.measured > 0).sum())
    if reason := too_few(n_measured, common, gate):
        return reason
    if paired.n_paired == 0 or paired.n_paired < MIN_PAIRED * n_measured:
        advice = "" if paired.same_run else ": promote a complete run"
        return f"the baseline measured only {paired.n_paired} of these {n_measured} cases{advice}"
    return None


def why_undecided(paired: Paired, gate: Gate) -> str | None:
    """Say whether tonight's unmeasured trials, counted as failed, would reach the gate."""
    hidden = int(np.maximum(paired.trials - paired.measured, 0).sum())
    if hidden == 0:
        return None
    if not would_reach(paired.with_unmeasured_as_failed().measured_on_both_sides(), gate):
        return None
    trials = "the trial that was" if hidden == 1 else f"the {hidden} trials that were"
    return f"{trials} not measured would reach the gate if failed"


def would_reach(pairs: Paired, gate: Gate) -> bool:
    """Whether the drop exceeds the gate beyond noise; every case must be measured on both sides.

    Rates are exact: in floating point .80 − .77 exceeds .03.
    """
    drop = mean_rate(pairs.base_passed, pairs.base_measured) - mean_rate(pairs.passed, pairs.measured)
    tails = permutation_test(pairs.base_passed, pairs.base_measured, pairs.passed, pairs.measured)
    return 100 * drop > Fraction(str(gate.max_drop_pp)) and tails.lower < ALPHA / 2


def mean_rate(passed: Counts, measured: Counts) -> Fraction:
    """Mean over the cases of the share of trials that passed."""
    if (measured == measured[0]).all():
        return Fraction(int(passed.sum()), int(measured[0]) * len(passed))
    counts = np.unique(measured).tolist()
    total = sum((Fraction(int(passed[measured == count].sum()), count) for count in counts), Fraction(0))
    return total / len(passed)


class Judgement(NamedTuple):
    """A verdict with its reason."""

    verdict: Verdict
    cause: str


def judge_first_night(passed: Counts, measured: Counts, n_cases: int, gate: Gate) -> Judged:
    """Judge a cell without a baseline: it becomes one, if enough of it was measured."""
    n_measured = int((measured > 0).sum())
    if reason := too_few(n_measured, n_cases, gate):
        return Judged(verdict=Verdict.UNMEASURED, cause=reason, n_paired=0)
    rate = mean_rate(passed[measured > 0], measured[measured > 0])
    return Judged(
        verdict=Verdict.PINNED,
        cause="first measured night: this is the baseline now",
        n_paired=0,
        pass_rate=float(rate),
        detectable_drop_pp=detectable_pp(passed, measured, gate),
    )


def too_few(n_measured: int, of: int, gate: Gate) -> str | None:
    """Say whether too few cases were measured to judge by."""
    if n_measured == 0 or n_measured / of < gate.min_coverage:
        return f"{n_measured} of {of} cases were measured; the gate asks for {gate.min_coverage:.0%}"
    return None
