"""What is known of a cell at a moment of the night: the planned trials, the fresh trials asked since, the slices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.config import Gate
from tasks.verdicts.compare import Paired, mean_rate
from tasks.verdicts.permutation import Counts, Tails, permutation_test

DEFAULT_COVERAGE: float = Gate().min_coverage

MIN_SLICE = 10
"""A slice of fewer cases is not judged by itself: it would cost the others power and could show little."""

PASSED, FAILED, NOT_MEASURED = 1, 0, -1
Outcomes = NDArray[np.int8]
"""Cases × fresh trials, in the order in which they were asked: PASSED, FAILED or NOT_MEASURED."""

Members = NDArray[np.intp]
"""Positions of cases."""


class Slice(NamedTuple):
    """Cases of one kind or tag."""

    name: str
    members: Members


class FreshTrial(NamedTuple):
    """One trial asked after the planned ones, numbered from 1; `passed` is None where it could not be measured."""

    case_id: str
    trial: int
    passed: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A cell's trials so far. `asked` counts the fresh trials of each case, measured or not.

    A fresh trial of some cases says something once at least the share `min_coverage` of them was measured in it.
    """

    paired: Paired
    slices: tuple[Slice, ...]
    fresh: Outcomes
    asked: Counts
    min_coverage: float = DEFAULT_COVERAGE

    def had_by(self, members: Members | None) -> int:
        """The fresh trials that these cases have had: asked of every one, and measured of enough of them.

        Cases of which not even the planned trials could be measured do not count.
        """
        cases = np.arange(len(self.asked)) if members is None else members
        measurable = cases[self.paired.measured[cases] > 0]
        if not len(measurable):
            return 0
        asked = int(self.asked[cases].min())
        shares = (self.fresh[measurable, :asked] != NOT_MEASURED).mean(axis=0)
        too_few = np.flatnonzero(shares < self.min_coverage)
        return int(too_few[0]) if len(too_few) else asked

    def after(self, fresh: int) -> Paired:
        """The cell with the planned trials and the first `fresh` ones of each case, and no others."""
        if fresh == 0:
            return self.paired
        first = self.fresh[:, :fresh]
        return replace(
            self.paired,
            passed=self.paired.passed + (first == PASSED).sum(axis=1),
            measured=self.paired.measured + (first != NOT_MEASURED).sum(axis=1),
            trials=self.paired.trials + fresh,
        )

    def sides(self, members: Members | None, fresh: int) -> "Sides":
        """Both sides of the cell, or of some of its cases, after so many fresh trials."""
        now, base = self.after(fresh), self.paired
        both = (base.base_measured > 0) & (now.measured > 0)
        kept = np.flatnonzero(both) if members is None else members[both[members]]
        return Sides(base.base_passed[kept], base.base_measured[kept], now.passed[kept], now.measured[kept])


class Sides(NamedTuple):
    """Passes and measured trials per case of the baseline and of tonight; every case was measured on both sides."""

    base_passed: Counts
    base_measured: Counts
    passed: Counts
    measured: Counts

    @property
    def tails(self) -> Tails:
        """What the permutation test says."""
        return permutation_test(*self)

    @property
    def shows_no_loss(self) -> bool:
        """Whether tonight passed as often as expected had nothing changed, or more often.

        Then the mid-p of a loss is at least 1/4: a sum of hypergeometric numbers is one of independent trials (Vatutin
        & Mikhailov 1982), whose median is the mean, rounded up or down (Darroch 1964).
        """
        expected = (self.base_passed + self.passed) * self.measured / (self.base_measured + self.measured)
        return bool(self.passed.sum() >= expected.sum())

    @property
    def base_rate(self) -> Fraction:
        """Mean pass rate of the baseline, each case counted once; of at least one case."""
        return mean_rate(self.base_passed, self.base_measured)

    @property
    def rate(self) -> Fraction:
        """Mean pass rate of tonight, each case counted once; of at least one case."""
        return mean_rate(self.passed, self.measured)

    @property
    def drop_pp(self) -> Fraction:
        """The estimated drop, exact; 0 where nothing was measured."""
        return 100 * (self.base_rate - self.rate) if len(self.passed) else Fraction(0)


def open_case(
    paired: Paired,
    *,
    kinds: Sequence[str] = (),
    tags: Sequence[Sequence[str]] = (),
    min_coverage: float = DEFAULT_COVERAGE,
) -> Evidence:
    """Open the case of a cell on the planned trials of the night. `kinds` and `tags` are of `paired`'s cases."""
    n_cases = len(paired.case_ids)
    nothing = np.empty((n_cases, 0), dtype=np.int8)
    slices, asked = slices_of(kinds, tags, n_cases=n_cases), np.zeros(n_cases, dtype=np.int64)
    return Evidence(paired, slices, nothing, asked, min_coverage)


def with_fresh(evidence: Evidence, trials: Iterable[FreshTrial]) -> Evidence:
    """Put fresh trials in place of those that were known; trials of other cases are left out."""
    place = {case_id: index for index, case_id in enumerate(evidence.paired.case_ids)}
    known = [trial for trial in trials if trial.case_id in place]
    shape = len(place), max((trial.trial for trial in known), default=0)
    fresh, asked = np.full(shape, NOT_MEASURED, dtype=np.int8), np.zeros(len(place), dtype=np.int64)
    for case_id, trial, passed in known:
        index = place[case_id]
        fresh[index, trial - 1] = NOT_MEASURED if passed is None else PASSED if passed else FAILED
        asked[index] = max(asked[index], trial)
    return replace(evidence, fresh=fresh, asked=asked)


def slices_of(kinds: Sequence[str], tags: Sequence[Sequence[str]], *, n_cases: int) -> tuple[Slice, ...]:
    """The kinds and tags that hold enough cases and not all of them; two that hold the same cases are one."""
    of_kind: dict[str, list[int]] = {kind: [] for kind in kinds}
    of_tag: dict[str, list[int]] = {tag: [] for case in tags for tag in case}
    for index, kind in enumerate(kinds):
        of_kind[kind].append(index)
    for index, case in enumerate(tags):
        for tag in set(case):
            of_tag[tag].append(index)
    named = [*of_kind.items(), *((f"tag {tag}" if tag in of_kind else tag, cases) for tag, cases in of_tag.items())]
    distinct: dict[tuple[int, ...], str] = {}
    for name, cases in named:
        if MIN_SLICE <= len(cases) < n_cases:
            distinct.setdefault(tuple(cases), name)
    return tuple(Slice(name, np.array(cases, dtype=np.intp)) for cases, name in distinct.items())
