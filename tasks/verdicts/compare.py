"""Judge a cell against its baseline, paired by case."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from tasks.config import Gate
from tasks.records import Interval, Verdict
from tasks.verdicts.detectable import detectable_pp
from tasks.verdicts.permutation import Counts, Tails, permutation_test
from tasks.verdicts.statistics import ALPHA, case_noise, detectable_at_noise_pp, detectable_drop_pp, drop_interval

MIN_PAIRED = 0.8
"""Below this share of common cases the two sides are different datasets."""


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """The cases that both sides have unchanged, measured or not: passes and measured trials of each, in one order.

    `trials` is what tonight planned for a case. `n_cases` and `n_base_cases` count all cases of tonight and of the
    baseline, also those that the other side does not have.
    """

    case_ids: Sequence[str]
    base_passed: Counts
    base_measured: Counts
    passed: Counts
    measured: Counts
    n_cases: int
    n_base_cases: int
    trials: int = 1

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


class Difference(NamedTuple):
    """Mean pass rates of the paired cases, each case counted once, and what the permutation test says of them.

    Rates are exact: in floating point .80 − .77 exceeds .03.
    """

    base_rate: Fraction
    rate: Fraction
    tails: Tails

    @property
    def drop_pp(self) -> Fraction:
        return 100 * (self.base_rate - self.rate)


def compare(paired: Paired, gate: Gate) -> Judged:
    """Judge tonight's trials against the baseline's."""
    if reason := why_unmeasured(paired, gate):
        return Judged(verdict=Verdict.UNMEASURED, cause=reason, n_paired=paired.n_paired)
    pairs = paired.measured_on_both_sides()
    difference = difference_of(pairs)
    verdict, cause = judge(difference, gate)
    if verdict is not Verdict.REGRESSED and (reason := why_undecided(paired, gate)):
        verdict, cause = Verdict.INCONCLUSIVE, reason
    return Judged(
        verdict=verdict,
        cause=cause,
        n_paired=paired.n_paired,
        drop_pp=float(difference.drop_pp),
        interval=drop_interval(pairs.base_passed, pairs.base_measured, pairs.passed, pairs.measured),
        p_value=difference.tails.two_sided,
        detectable_drop_pp=detectable_drop_of(pairs, gate),
        baseline_pass_rate=float(difference.base_rate),
        pass_rate=float(difference.rate),
    )


def why_unmeasured(paired: Paired, gate: Gate) -> str | None:
    """Say why there is too little to compare, if so."""
    common, of = len(paired.case_ids), max(paired.n_cases, paired.n_base_cases)
    if common == 0 or common < MIN_PAIRED * of:
        return f"the dataset changed: promote ({common} of {of} cases are the same)"
    n_measured = int((paired.measured > 0).sum())
    if reason := too_few(n_measured, common, gate):
        return reason
    if paired.n_paired == 0 or paired.n_paired < MIN_PAIRED * n_measured:
        return f"the baseline measured only {paired.n_paired} of these {n_measured} cases: promote a complete run"
    return None


def why_undecided(paired: Paired, gate: Gate) -> str | None:
    """Say whether tonight's unmeasured trials, counted as failed, would reach the gate."""
    hidden = int(np.maximum(paired.trials - paired.measured, 0).sum())
    if hidden == 0:
        return None
    worst = difference_of(paired.with_unmeasured_as_failed().measured_on_both_sides())
    if judge(worst, gate).verdict is not Verdict.REGRESSED:
        return None
    trials = "the trial that was" if hidden == 1 else f"the {hidden} trials that were"
    return f"{trials} not measured would reach the gate if failed"


def difference_of(pairs: Paired) -> Difference:
    """Compare two sides that measured every case."""
    return Difference(
        mean_rate(pairs.base_passed, pairs.base_measured),
        mean_rate(pairs.passed, pairs.measured),
        permutation_test(pairs.base_passed, pairs.base_measured, pairs.passed, pairs.measured),
    )


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


def judge(difference: Difference, gate: Gate) -> Judgement:
    """Decide by the estimate and the test: both must speak for a change, and in the same direction."""
    limit, limit_text = Fraction(str(gate.max_drop_pp)), f"{gate.max_drop_pp:g} pp"
    tails, drop = difference.tails, difference.drop_pp
    lower, higher = tails.lower < ALPHA / 2, tails.upper < ALPHA / 2
    if drop > limit and lower:
        return Judgement(Verdict.REGRESSED, f"more than {limit_text} worse, beyond run-to-run noise")
    if -drop > limit and higher:
        return Judgement(Verdict.IMPROVED, f"more than {limit_text} better, beyond run-to-run noise")
    if lower or higher:
        return Judgement(Verdict.UNCHANGED, f"a real difference, but not above {limit_text}")
    return Judgement(Verdict.UNCHANGED, "no difference beyond run-to-run noise")


def detectable_drop_of(pairs: Paired, gate: Gate) -> float:
    """The detectable drop in pp, from the baseline's repeated trials.

    A baseline of single trials does not tell how much they vary. Both sides together do, which overstates the noise,
    and with it the detectable drop, where behaviour did change.
    """
    trials = round(pairs.measured.mean())
    known = detectable_drop_pp(pairs.base_passed, pairs.base_measured, trials=trials, max_drop_pp=gate.max_drop_pp)
    if known is not None:
        return known
    noise = case_noise(pairs.base_passed + pairs.passed, pairs.base_measured + pairs.measured)
    return detectable_at_noise_pp(
        noise, len(pairs.case_ids), base_trials=1, trials=trials, max_drop_pp=gate.max_drop_pp
    )


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
