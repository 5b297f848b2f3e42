"""Whether corrected pass rates cover the truth: a judge of known errors, a grid of them, and many nights each."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.judges.correction import Estimate, Stratum, prediction_powered, rogan_gladen, stratified
from tasks.judges.intervals import wilson
from tests.study.tables import Table, percent

SENSITIVITIES = (0.7, 0.8, 0.9, 0.95)
SPECIFICITIES = (0.6, 0.7, 0.8, 0.9, 0.95)
BASE_RATES = (0.5, 0.7, 0.8, 0.9, 0.95)
ROWS = (100, 200, 400)
OUTPUTS = 1_000
MIN_YOUDEN = 0.4
"""The lower bound of J that is asked for by default; a judge below it is refused, and nothing is corrected for it."""

Counts = NDArray[np.float64]


class Truth(NamedTuple):
    """A judge, and how often tonight's outputs are right."""

    sensitivity: float
    specificity: float
    base_rate: float

    @property
    def passes(self) -> float:
        """How often the judge passes an output of tonight."""
        return self.base_rate * self.sensitivity + (1 - self.base_rate) * (1 - self.specificity)


class Coverage(NamedTuple):
    """How often an interval held the true rate, its mean width, and the bias of the estimate, all as shares."""

    covered: float
    width: float
    bias: float


def truths() -> Iterator[Truth]:
    """The whole grid."""
    return (Truth(*one) for one in product(SENSITIVITIES, SPECIFICITIES, BASE_RATES))


def coverage_of(found: Estimate, truth: float) -> Coverage:
    """Count over many nights."""
    low, high = found.ends
    held = np.mean((low <= truth) & (truth <= high))
    return Coverage(float(held), float(np.mean(high - low)), float(np.mean(found.value - truth)))


def labels_from_elsewhere(generator: np.random.Generator, nights: int) -> Table:
    """Rogan–Gladen on a calibration file of half failures, and on those whose base rate lies 10 pp from tonight's."""
    rows, kept = [], True
    for n_rows in ROWS:
        for name, moved in {"half are failures": None, "10 pp above": 0.1, "10 pp below": -0.1}.items():
            grid = [one for one in truths() if is_in_question(one, moved)]
            found = [calibrated(generator, one, n_rows, moved, nights) for one in grid]
            coverages = [one.covered for one in found]
            floor = 0.92 if n_rows == 100 else 0.93
            kept &= floor <= min(coverages) and max(coverages) <= 0.99
            ends = f"{percent(min(coverages))} to {percent(max(coverages))}"
            widths = f"{percent(min(one.width for one in found), 0)} to {percent(max(one.width for one in found), 0)}"
            bias = max((one.bias for one in found), key=abs)
            rows.append([str(n_rows), name, ends, percent(float(np.mean(coverages))), widths, pp(bias), raw_bias()])
    return Table(
        title="Labels from elsewhere: Rogan–Gladen with Lang–Reiczigel's interval",
        note=f"{grid_in_words()} Where the base rate moves, those with J ≥ .4: others are refused. Tonight {OUTPUTS} "
        f"outputs; {nights} nights a point. Target: every point 92 to 99 % (100 rows), 93 to 99 % (more).",
        header=["rows", "the file's base rate", "coverage", "mean", "width", "worst bias", "worst raw bias"],
        rows=rows,
        kept=kept,
    )


def is_in_question(truth: Truth, moved: float | None) -> bool:
    """Whether a file can have that base rate, and its judge may be trusted; where half are failures, all are asked."""
    trusted = truth.sensitivity + truth.specificity - 1 > MIN_YOUDEN - 1e-9
    return moved is None or (trusted and truth.base_rate + moved <= 0.95)


def calibrated(generator: np.random.Generator, truth: Truth, n_rows: int, moved: float | None, nights: int) -> Coverage:
    """Many nights, each with a calibration file and outputs of its own."""
    n_right = np.full(nights, n_rows // 2)
    if moved is not None:
        n_right = np.clip(generator.binomial(n_rows, truth.base_rate + moved, nights), 1, n_rows - 1)
    n_wrong = n_rows - n_right
    se = generator.binomial(n_right, truth.sensitivity) / n_right
    sp = generator.binomial(n_wrong, truth.specificity) / n_wrong
    rate = generator.binomial(OUTPUTS, truth.passes, nights) / OUTPUTS
    found = rogan_gladen(rate, OUTPUTS, se=se, n_se=n_right, sp=sp, n_sp=n_wrong)
    return coverage_of(found, truth.base_rate)


def labels_of_tonight(generator: np.random.Generator, nights: int) -> Table:
    """PPI++ on a random sample of tonight's outputs, beside the labels alone and the raw rate."""
    rows, kept = [], True
    for n_rows in ROWS:
        found = [labelled(generator, one, n_rows, nights) for one in truths()]
        powered, relative = [one for one, _ in found], [one.width / alone.width for one, alone in found]
        coverages = [one.covered for one in powered]
        kept &= min(coverages) >= 0.93 and max(coverages) <= 0.97 and float(np.mean(relative)) <= 1.05
        ends = f"{percent(min(coverages))} to {percent(max(coverages))}"
        widths = f"{percent(min(relative), 0)} to {percent(max(relative), 0)}"
        bias = max((one.bias for one in powered), key=abs)
        rows.append([str(n_rows), ends, widths, percent(float(np.mean(relative)), 0), pp(bias), raw_bias()])
    return Table(
        title="Labels of tonight's outputs: PPI++",
        note=f"{grid_in_words()} A random sample of {OUTPUTS} outputs is labelled; {nights} nights a point. Target: "
        "every point 95 ± 2 %, mean width at most 105 % of that of the labels alone.",
        header=["labels", "coverage", "width / labels alone", "mean", "worst bias", "worst raw bias"],
        rows=rows,
        kept=kept,
    )


def labelled(generator: np.random.Generator, truth: Truth, n_rows: int, nights: int) -> tuple[Coverage, Coverage]:
    """Many nights with labels: PPI++, and the labels alone."""
    both, right, passed, neither = drawn(generator, truth, n_rows, nights)
    rest = OUTPUTS - n_rows
    rate = generator.binomial(rest, truth.passes, nights) / rest
    found = prediction_powered(both, right, passed, neither, rate, rest)
    alone = (both + right) / n_rows
    return coverage_of(found, truth.base_rate), coverage_of(Estimate(alone, wilson(alone, n_rows)), truth.base_rate)


def drawn(generator: np.random.Generator, truth: Truth, n: int, nights: int) -> tuple[Counts, Counts, Counts, Counts]:
    """Rows that are right and passed, right alone, passed alone, and neither."""
    n_right = generator.binomial(n, truth.base_rate, nights)
    both = generator.binomial(n_right, truth.sensitivity).astype(float)
    neither = generator.binomial(n - n_right, truth.specificity).astype(float)
    return both, n_right - both, n - n_right - neither, neither


def labels_by_verdict(generator: np.random.Generator, nights: int) -> Table:
    """The audit queue's sample: half of it outputs that the judge failed, however few those are."""
    rows, kept = [], True
    for n_rows in (40, *ROWS):
        found = [audited(generator, one, n_rows, nights) for one in truths()]
        coverages = [one.covered for one, _ in found]
        relative = [one.width / alone.width for one, alone in found]
        ends = f"{percent(min(coverages))} to {percent(max(coverages))}"
        widths = f"{percent(min(relative), 0)} to {percent(max(relative), 0)}"
        bias = max((one.bias for one, _ in found), key=abs)
        kept &= n_rows < 100 or (min(coverages) >= 0.93 and max(coverages) <= 0.98)
        rows.append([str(n_rows), ends, percent(float(np.mean(coverages))), widths, pp(bias)])
    return Table(
        title="Labels of a sample by the judge's verdict",
        note=f"{grid_in_words()} Half of the labels are of outputs that the judge failed, as the audit queue draws "
        f"them, of {OUTPUTS}; {nights} nights a point. Labels alone: as many of a random sample. Target from 100 on: "
        "93 to 98 %.",
        header=["labels", "coverage", "mean", "width / labels alone", "worst bias"],
        rows=rows,
        kept=kept,
    )


def audited(generator: np.random.Generator, truth: Truth, n_rows: int, nights: int) -> tuple[Coverage, Coverage]:
    """Many nights with a sample by verdict, and a random one of the same size."""
    n_passed = np.clip(generator.binomial(OUTPUTS, truth.passes, nights), 1, OUTPUTS - 1)
    n_failed = OUTPUTS - n_passed
    of_failed = np.minimum(n_failed, n_rows // 2)
    of_passed = np.minimum(n_passed, n_rows - of_failed)
    good_if_passed = truth.base_rate * truth.sensitivity / truth.passes
    good_if_failed = truth.base_rate * (1 - truth.sensitivity) / (1 - truth.passes)
    passed, failed = (
        Stratum(of_all / OUTPUTS, labels.astype(float), generator.binomial(labels, good).astype(float))
        for of_all, labels, good in ((n_passed, of_passed, good_if_passed), (n_failed, of_failed, good_if_failed))
    )
    alone = generator.binomial(n_rows, truth.base_rate, nights) / n_rows
    return (
        coverage_of(stratified(passed, failed, OUTPUTS), truth.base_rate),
        coverage_of(Estimate(alone, wilson(alone, n_rows)), truth.base_rate),
    )


def raw_bias() -> str:
    """The bias of the judge's own rate that is largest on the grid."""
    return pp(max((one.passes - one.base_rate for one in truths()), key=abs))


def grid_in_words() -> str:
    """What is simulated."""
    return "Sensitivity .7 to .95, specificity .6 to .95, base rate .5 to .95: 100 points."


def pp(share: float) -> str:
    """A difference of shares."""
    return f"{100 * share:+.1f} pp"
