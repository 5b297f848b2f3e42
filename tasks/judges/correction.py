"""Pass rates corrected for the errors of the judge that found them; which way depends on where the labels come from."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tasks.judges.intervals import Ends, Figure, Z, scaled, sum_of, wilson


class Estimate(NamedTuple):
    """A corrected rate with its interval."""

    value: Figure
    ends: Ends


def rogan_gladen(rate: Figure, n: Figure, *, se: Figure, n_se: Figure, sp: Figure, n_sp: Figure) -> Estimate:
    """Labels from elsewhere: the rate (q + Sp − 1)/J (Rogan & Gladen 1978, Am J Epidemiol 107:71), which needs J > 0.

    `rate` is what the judge passed of `n` cases, `se` and `sp` were estimated on `n_se` right and `n_sp` wrong rows.
    The interval is that of Lang & Reiczigel 2014, Prev Vet Med 113:13: it is widened by what is not known of both, and
    assumes that both hold for tonight's outputs.
    """
    value = np.clip((rate + sp - 1) / np.maximum(se + sp - 1, 1e-9), 0, 1)
    n_rate, rate = n + Z**2, (n * rate + Z**2 / 2) / (n + Z**2)
    n_se, se = n_se + 2, (n_se * se + 1) / (n_se + 2)
    n_sp, sp = n_sp + 2, (n_sp * sp + 1) / (n_sp + 2)
    youden = np.maximum(se + sp - 1, 1e-9)
    adjusted = np.clip((rate + sp - 1) / youden, 0, 1)
    of_se, of_sp = se * (1 - se) / n_se, sp * (1 - sp) / n_sp
    shift = 2 * Z**2 * (adjusted * of_se - (1 - adjusted) * of_sp)
    spread = rate * (1 - rate) / n_rate + adjusted**2 * of_se + (1 - adjusted) ** 2 * of_sp
    half = Z * np.sqrt(spread) / youden
    low, high = np.clip(adjusted + shift - half, 0, value), np.clip(adjusted + shift + half, value, 1)
    return Estimate(value, Ends(low, high))


def prediction_powered(both: Figure, right: Figure, passed: Figure, neither: Figure, rate: Figure, n: int) -> Estimate:
    """Labels of a random sample of tonight's own outputs: PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv 2311.01453).

    Labelled rows are counted as right and passed (`both`), right alone, passed alone, and neither; `rate` is what the
    judge passed of the `n` outputs that nobody labelled. The interval is Wilson's on the number of labels that would
    vary as much, at least those that there are; half a row is added to each count so that no variance is thought 0.
    """
    labels = both + right + passed + neither
    y, j = (both + right) / labels, (both + passed) / labels
    weight = weight_of_judge(both / labels, y, j, labels / n if n else np.inf)
    value = np.clip(y + weight * (rate - j), 0, 1)
    more = labels + 2
    y, j, yj = (both + right + 1) / more, (both + passed + 1) / more, (both + 0.5) / more
    of_judge = weight**2 * j * (1 - j) * (1 + (labels / n if n else 0))
    ratio = 1 + (of_judge - 2 * weight * (yj - y * j)) / (y * (1 - y))
    return Estimate(value, wilson(value, labels / np.minimum(1, ratio)))


def weight_of_judge(yj: Figure, y: Figure, j: Figure, labels_per_other: Figure) -> Figure:
    """λ: how far the judge's word on the other outputs counts, 0 to 1: Cov(Y, J)/[Var(J)(1 + n/N)]."""
    variance = j * (1 - j) * (1 + labels_per_other)
    return np.clip(np.where(variance > 0, (yj - y * j) / np.where(variance > 0, variance, 1), 0), 0, 1)


class Stratum(NamedTuple):
    """The outputs on which the judge said the same: their share of all, how many were labelled, how many are right."""

    share: Figure
    labels: Figure
    right: Figure

    @property
    def rate(self) -> Estimate:
        """The share of right ones; a verdict that has no label may hide anything."""
        labels = np.maximum(self.labels, 1)
        rate, known = self.right / labels, np.asarray(self.labels) > 0
        low, high = wilson(rate, labels)
        return Estimate(np.where(known, rate, 0.5), Ends(np.where(known, low, 0.0), np.where(known, high, 1.0)))


def stratified(passed: Stratum, failed: Stratum, n: int) -> Estimate:
    """Labels of a sample of tonight's own `n` outputs that took more of some verdicts: one rate for each verdict.

    They are weighted by what the judge said of all outputs (Cochran 1977, Sampling Techniques, ch. 5); the interval
    squares and adds Wilson's of each and what the shares of the verdicts vary.
    """
    strata = [(one.share, one.rate) for one in (passed, failed)]
    whole = combined(strata)
    between = sum(share * (rate.value - whole.value) ** 2 for share, rate in strata)
    half = Z * np.sqrt(between / n)
    return Estimate(whole.value, sum_of(whole.value, whole.ends, 0.0, Ends(-half, half)))


def combined(parts: Sequence[tuple[Figure, Estimate]]) -> Estimate:
    """The rate of a whole from those of its parts and their shares of it, which are taken as given."""
    value: Figure = 0.0
    ends = Ends(0.0, 0.0)
    for share, part in parts:
        ends = sum_of(value, ends, share * part.value, scaled(part.ends, share))
        value = value + share * part.value
    return Estimate(value, ends)
