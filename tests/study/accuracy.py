"""Whether intervals cover, and whether the detectable drop shown is the drop that is found."""

from collections.abc import Sequence

import numpy as np

from tasks.verdicts.detectable import detectable_pp
from tasks.verdicts.population import population_rate
from tasks.verdicts.statistics import wilson
from tests.study.nights import GATE, draw, play
from tests.study.suites import Rates, stopped
from tests.study.tables import Table, percent


def coverage() -> Table:
    """Exact coverage of the rate's interval over rates from .50 to .98."""
    floors, rows, kept = {50: 0.92, 100: 0.93, 400: 0.94}, [], True
    for n_cases, floor in floors.items():
        covered = coverage_at(n_cases, np.linspace(0.5, 0.98, 49))
        finer = coverage_at(n_cases, np.linspace(0.5, 0.98, 4801))
        kept &= abs(float(covered.mean()) - 0.95) <= 0.01 and bool(covered.min() >= floor)
        shares = [percent(float(share), 2) for share in (covered.mean(), covered.min(), finer.min())]
        rows.append([str(n_cases), *shares, percent(floor, 0)])
    return Table(
        title="Coverage of the rate's interval",
        note="Computed, not simulated, for rates .50 to .98 in steps of .01; the least also in steps of .0001. "
        "Target, on the steps of .01: mean 95 ± 1 %, and the least.",
        header=["cases", "mean", "least", "least, fine steps", "least asked"],
        rows=rows,
        kept=kept,
    )


def coverage_at(n_cases: int, rates: Rates) -> Rates:
    """The chance that the interval holds the rate, for each of some rates."""
    from scipy.stats import binom

    passed = np.arange(n_cases + 1)
    ends = np.array([wilson(count, n_cases) for count in passed.tolist()])
    holds = (ends[:, :1] <= rates) & (rates <= ends[:, 1:])
    return np.asarray((binom.pmf(passed[:, None], n_cases, rates) * holds).sum(axis=0))


def coverage_with_groups(generator: np.random.Generator, samples: int) -> Table:
    """Coverage where cases of a group share their chance to pass: Beta distributed, with a given correlation."""
    rows = []
    for n_groups, size in ((10, 5), (10, 10), (25, 4), (50, 2), (50, 8)):
        groups = [str(group) for group in range(n_groups) for _ in range(size)]
        ones = np.ones(n_groups * size, dtype=np.int64)
        cells = []
        for correlation in (0.1, 0.5):
            for rate in (0.8, 0.95):
                strength = 1 / correlation - 1
                chance = generator.beta(rate * strength, (1 - rate) * strength, (samples, n_groups))
                drawn = generator.random((samples, n_groups * size)) < np.repeat(chance, size, axis=1)
                found = [population_rate(row, ones, groups) for row in drawn.astype(np.int64)]
                covered = sum(one.interval.low <= rate <= one.interval.high for one in found if one)
                cells.append(percent(covered / samples))
        mark = "approximate" if n_groups < 30 else ""
        rows.append([str(n_groups), str(size), *cells, mark])
    return Table(
        title="Coverage with groups",
        note="Rates .80 and .95; correlation .1 and .5 within a group.",
        header=["groups", "cases each", ".80, .1", ".95, .1", ".80, .5", ".95, .5", "shown as"],
        rows=rows,
    )


def detectable(generator: np.random.Generator, nights: int, baselines: int = 400) -> Table:
    """The detectable drop of many baselines beside the drop that is found on 80 % of nights."""
    rows, kept = [], True
    for n_cases in (50, 100, 400):
        for share in (0.05, 0.15, 0.30):
            rates = np.ones(n_cases)
            rates[: round(share * n_cases)] = generator.beta(2, 2, round(share * n_cases))
            shown = [detectable_pp(*draw(generator, rates, 5), GATE) for _ in range(baselines)]
            true = drop_found_with_80(generator, rates, float(np.mean(shown)), nights)
            near = float(np.mean(np.abs(np.array(shown) - true) <= max(1.0, 100 / n_cases)))
            kept &= n_cases < 100 or near >= 0.85
            cells = [f"{true:.2f} pp", f"{np.mean(shown):.2f} ± {np.std(shown):.2f} pp", percent(near, 0)]
            rows.append([str(n_cases), percent(share, 0), *cells])
    return Table(
        title="The detectable drop",
        note="Shown: mean and spread over baselines. Target at n ≥ 100: within max(1 pp, one case) of the simulated "
        "drop that is found with 80 %, for ≥ 85 % of baselines.",
        header=["cases", "flaky", "found with 80 %", "shown", "near enough"],
        rows=rows,
        kept=kept,
    )


def drop_found_with_80(generator: np.random.Generator, rates: Rates, guess_pp: float, nights: int) -> float:
    """The drop in pp found with 80 %, between whole cases by interpolation."""
    n_cases, middle = len(rates), guess_pp * len(rates) / 100
    step = max(1, round(n_cases / 100))
    lost = list(range(max(1, int(middle) - 3 * step), int(middle) + 4 * step, step))
    found = [share_at(generator, rates, count, nights) for count in lost]
    return 100 / n_cases * crossing(lost, found, 0.8)


def share_at(generator: np.random.Generator, rates: Rates, lost: int, nights: int) -> float:
    """Nights on which that many lost cases are found."""
    return float(
        np.mean(
            [
                play(generator, draw(generator, rates, 5), stopped(generator, rates, lost)).decided.verdict
                == "regressed"
                for _ in range(nights)
            ]
        )
    )


def crossing(xs: Sequence[float], ys: Sequence[float], level: float) -> float:
    """Where a rising curve first reaches a level."""
    for (x0, y0), (x1, y1) in zip(zip(xs, ys, strict=True), zip(xs[1:], ys[1:], strict=True), strict=False):
        if y0 < level <= y1:
            return x0 + (x1 - x0) * (level - y0) / (y1 - y0)
    return xs[0] if ys[0] >= level else xs[-1]
