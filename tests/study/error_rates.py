"""False alerts, calls and verdicts of unchanged nights, and the nights on which drops are found."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from math import ceil
from typing import NamedTuple

import numpy as np

from tasks.config import Gate
from tests.study.nights import draw, play
from tests.study.suites import NOISES, Rates, slices_of_suite, spread, stopped
from tests.study.tables import Table, clopper_pearson_upper, percent

SIZES = (50, 100, 400)
BASE_TRIALS = 5
RatesOf = Callable[[np.random.Generator, int], Rates]
Change = Callable[[np.random.Generator, Rates], Rates]


class Unchanged(NamedTuple):
    """Unchanged nights of one size and noise: verdicts, alerts of the cell as a whole, and calls per case."""

    n_cases: int
    noise: str
    nights: int
    verdicts: dict[str, int]
    mean_alerts: int
    calls_per_case: float

    @property
    def alerts(self) -> int:
        return self.verdicts.get("regressed", 0)

    @property
    def upper_end(self) -> float:
        return clopper_pearson_upper(self.alerts, self.nights)

    def share(self, verdict: str) -> float:
        return self.verdicts.get(verdict, 0) / self.nights


def unchanged_nights(generator: np.random.Generator, n_cases: int, noise: str, nights: int) -> Unchanged:
    """Play unchanged nights, each with a fresh baseline."""
    slices, seen, mean_alerts, calls = slices_of_suite(n_cases), Counter[str](), 0, 0.0
    for _ in range(nights):
        rates = NOISES[noise](generator, n_cases)
        night = play(generator, draw(generator, rates, BASE_TRIALS), rates, slices=slices)
        seen[night.decided.verdict] += 1
        mean_alerts += "mean" in night.decided.alarms
        calls += night.calls_per_case
    return Unchanged(n_cases, noise, nights, dict(seen), mean_alerts, calls / nights)


def alerts_table(rows: Sequence[Unchanged]) -> Table:
    """How often nothing had changed and somebody was alerted."""
    return Table(
        title="False alerts per cell-night",
        note="Unchanged nights, each with a fresh baseline of 5 trials; six slices. Target: the upper end of the "
        "95 % Clopper–Pearson interval ≤ 0.1 %, and ≤ 1.30 calls per case with slices.",
        header=["cases", "noise", "nights", "alerts", "of slices alone", "rate", "upper end", "calls per case"],
        rows=[
            [
                *(str(row.n_cases), row.noise, str(row.nights), str(row.alerts), str(row.alerts - row.mean_alerts)),
                *(percent(row.share("regressed"), 3), percent(row.upper_end, 3), f"{row.calls_per_case:.3f}"),
            ]
            for row in rows
        ],
        kept=all(row.upper_end <= 0.001 and row.calls_per_case <= 1.30 for row in rows),
    )


def verdicts_table(rows: Sequence[Unchanged]) -> Table:
    """What unchanged nights are called."""
    return Table(
        title="Verdicts of the same unchanged nights",
        note="Target: `unchanged` on ≥ 90 % at 15 % flaky.",
        header=["cases", "noise", "unchanged", "inconclusive", "improved"],
        rows=[
            [
                *(str(row.n_cases), row.noise, percent(row.share("unchanged")), percent(row.share("inconclusive"))),
                percent(row.share("improved"), 3),
            ]
            for row in rows
        ],
        kept=all(row.share("unchanged") >= 0.9 for row in rows if row.noise == "15 % flaky"),
    )


def calls_without_slices(generator: np.random.Generator, nights: int) -> Table:
    """What a suite without slices costs on unchanged nights."""
    rows, most = [], 0.0
    for n_cases in SIZES:
        for noise, rates_of in NOISES.items():
            calls = []
            for _ in range(nights):
                rates = rates_of(generator, n_cases)
                calls.append(play(generator, draw(generator, rates, BASE_TRIALS), rates).calls_per_case)
            most = max(most, float(np.mean(calls)))
            rows.append([str(n_cases), noise, str(nights), f"{np.mean(calls):.3f}"])
    return Table(
        title="Calls per case without slices",
        note="Unchanged nights, baselines excluded. Target: ≤ 1.25.",
        header=["cases", "noise", "nights", "calls per case"],
        rows=rows,
        kept=most <= 1.25,
    )


def share_found(
    generator: np.random.Generator,
    rates_of: RatesOf,
    n_cases: int,
    change: Change,
    nights: int,
) -> float:
    """Nights that end as a regression, the change being new and the baseline fresh."""
    found = 0
    for _ in range(nights):
        rates = rates_of(generator, n_cases)
        night = play(
            generator,
            draw(generator, rates, BASE_TRIALS),
            change(generator, rates),
            slices=slices_of_suite(n_cases),
        )
        found += night.decided.verdict == "regressed"
    return found / nights


def power(generator: np.random.Generator, nights: int) -> Table:
    """How often a new drop is found on its first night."""
    targets: dict[tuple[int, float], float] = {(100, 6): 0.90, (100, 8): 0.99, (50, 10): 0.95, (400, 4): 0.98}
    rows, kept = [], True
    for n_cases, drop_pp in [(50, 6), (50, 10), (100, 4), (100, 6), (100, 8), (400, 3.5), (400, 4)]:
        lost, cells = round(n_cases * drop_pp / 100), []
        for noise in ("15 % flaky", "30 % flaky"):
            target = targets.get((n_cases, drop_pp)) if noise == "15 % flaky" else None
            fewer = max(20, nights // 5)
            by_stop = share_found(
                generator, NOISES[noise], n_cases, partial(stopped, n_lost=lost), nights if target else fewer
            )
            by_spread = share_found(generator, NOISES[noise], n_cases, partial(spread, drop=drop_pp / 100), fewer)
            cells += [percent(by_stop), percent(by_spread)]
            if target:
                kept &= by_stop >= target
                cells[0] += f" (≥ {100 * target:.0f})"
        rows.append([str(n_cases), f"{drop_pp:g} pp", *cells])
    return Table(
        title="Drops found on their first night",
        note="Cases that always passed stop passing, or all cases pass less often; six slices. In brackets: targets.",
        header=["cases", "drop", "stop, 15 % flaky", "spread, 15 %", "stop, 30 % flaky", "spread, 30 %"],
        rows=rows,
        kept=kept,
    )


def power_of_slices(generator: np.random.Generator, nights: int) -> Table:
    """Drops in one slice of a quarter of the cases, and opposite movements that cancel in the mean."""
    rows = []
    for n_cases in (100, 400):
        members = slices_of_suite(n_cases)[2].members
        others = slices_of_suite(n_cases)[3].members
        for drop in (0.2, 0.4):
            lost = round(drop * len(members))

            def one_tag(generator: np.random.Generator, rates: Rates, lost: int = lost) -> Rates:
                changed = rates.copy()
                changed[generator.choice(members, lost, replace=False)] = 0.0  # noqa: B023
                return changed

            def both(generator: np.random.Generator, rates: Rates, lost: int = lost) -> Rates:
                changed = one_tag(generator, rates, lost)
                changed[generator.choice(others, lost, replace=False)] = 1.0  # noqa: B023
                return changed

            shares = [
                share_found(generator, NOISES["15 % flaky"], n_cases, change, nights) for change in (one_tag, both)
            ]
            rows.append([str(n_cases), str(len(members)), percent(drop, 0), *map(percent, shares)])
    return Table(
        title="Drops in one slice",
        note="That share of one tag's cases stops passing; in the last column as many cases of another tag pass from "
        "now on (few of them did not before).",
        header=["cases", "in the tag", "stop passing", "found", "found beside gains elsewhere"],
        rows=rows,
    )


def unchanged_at_detectable(generator: np.random.Generator, nights: int) -> Table:
    """Nights called `unchanged` although the drop is as large as what was said to be found."""
    rows, kept = [], True
    for n_cases in SIZES:
        for noise in ("15 % flaky", "30 % flaky"):
            wrong = found = 0
            for _ in range(nights):
                rates = NOISES[noise](generator, n_cases)
                baseline = draw(generator, rates, BASE_TRIALS)
                shown = play(generator, baseline, rates, gate=Gate(max_detectable_drop_pp=100)).decided
                lost = ceil(n_cases * max(3.0, shown.detectable_drop_pp or 0) / 100)
                night = play(
                    generator, baseline, stopped(generator, rates, lost), gate=Gate(max_detectable_drop_pp=100)
                )
                wrong += night.decided.verdict == "unchanged"
                found += night.decided.verdict == "regressed"
            kept &= noise != "15 % flaky" or wrong / nights <= 0.06
            rows.append([str(n_cases), noise, percent(wrong / nights), percent(found / nights)])
    return Table(
        title="A true drop of D, the detectable drop shown",
        note="D is rounded up to whole cases. Target: `unchanged` on ≤ 6 % of nights at 15 % flaky.",
        header=["cases", "noise", "unchanged", "regressed"],
        rows=rows,
        kept=kept,
    )


def common_rules(generator: np.random.Generator, nights: int, drops_pp: Sequence[int]) -> dict[str, list[float]]:
    """Share of alarms at n = 100, 15 % flaky, by drop: the naive rule and McNemar's on one trial each, and this one."""
    from scipy.stats import binom

    curves: dict[str, list[float]] = {"naive ≥ 3 pp": [], "naive > 3 pp": [], "plain McNemar": [], "this rule": []}
    for drop_pp in drops_pp:
        alarms = Counter[str]()
        for _ in range(nights):
            rates = NOISES["15 % flaky"](generator, 100)
            tonight = stopped(generator, rates, drop_pp)
            before, now = generator.random(100) < rates, generator.random(100) < tonight
            lost, gained = int((before & ~now).sum()), int((now & ~before).sum())
            p = min(1.0, 2 * float(binom.cdf(gained, lost + gained, 0.5))) if lost > gained else 1.0
            night = play(generator, draw(generator, rates, BASE_TRIALS), tonight)
            alarms["naive ≥ 3 pp"] += lost - gained >= 3
            alarms["naive > 3 pp"] += lost - gained > 3
            alarms["plain McNemar"] += p < 0.05
            alarms["this rule"] += night.decided.verdict == "regressed"
        for rule, shares in curves.items():
            shares.append(alarms[rule] / nights)
    return curves


def common_rules_table(curves: dict[str, list[float]], drops_pp: Sequence[int]) -> Table:
    """The curves as numbers."""
    return Table(
        title="Beside the common rules",
        note="Share of nights with an alarm, 100 cases, 15 % flaky; the common rules compare one trial with one.",
        header=["drop", *curves],
        rows=[
            [f"{drop} pp", *(percent(shares[index], 2) for shares in curves.values())]
            for index, drop in enumerate(drops_pp)
        ],
    )
