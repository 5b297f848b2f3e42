"""Gates on a cell by itself, whatever its baseline: does it keep a limit, as far as its cases can tell?"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from tasks.records import GateState, Interval
from tasks.verdicts.permutation import Counts
from tasks.verdicts.population import population_rate, t_quantile

P95 = 0.95
ONE_SIDED = 0.05
FEWEST_FOR_P95 = 59
"""1 − .95⁵⁹ is the first to exceed 95 %: with fewer calls even the slowest need not lie above the percentile."""


class GateCheck(NamedTuple):
    """What was measured, and whether it holds; `reason` says it in words."""

    value: float | None
    interval: Interval | None
    state: GateState
    reason: str


def check_pass_rate(
    passed: Counts, measured: Counts, groups: Sequence[str | None] | None = None, *, limit: float
) -> GateCheck:
    """Hold the pass rate of the cases (trials per case, and who belongs together) against the smallest allowed share.

    The whole 95 % interval decides: at or above the limit it is ok, below it failed. An interval that contains the
    limit leaves it undecided, and the reason says on which side the estimate lies.
    """
    rate = population_rate(passed, measured, groups)
    if rate is None:
        return GateCheck(None, None, "undecided", "nothing was measured")
    if rate.interval.low >= limit:
        return GateCheck(rate.value, rate.interval, "ok", f"at least {limit:.1%}")
    if rate.interval.high < limit:
        return GateCheck(rate.value, rate.interval, "failed", f"below {limit:.1%}")
    side = "below" if rate.value < limit else "not below"
    reason = f"{side} {limit:.1%}, but {int((measured > 0).sum())} cases cannot tell for sure"
    return GateCheck(rate.value, rate.interval, "undecided", reason)


def check_p95(latencies_ms: Sequence[float], *, limit: float) -> GateCheck:
    """Hold the 95th percentile of latencies against the largest allowed one.

    Each end of the interval is an order statistic that bounds the percentile with 95 % (Hahn & Meeker 1991), whatever
    the distribution. Under 59 calls no upper end exists.
    """
    n = len(latencies_ms)
    if n == 0:
        return GateCheck(None, None, "undecided", "nothing was measured")
    ordered = np.sort(np.asarray(latencies_ms, dtype=float))
    value = float(np.quantile(ordered, P95, method="inverted_cdf"))
    if n < FEWEST_FOR_P95:
        return GateCheck(value, None, "undecided", f"{n} calls cannot bound a 95th percentile; {FEWEST_FOR_P95} can")
    lower, upper = p95_ranks(n)
    interval = Interval(float(ordered[lower - 1]), float(ordered[upper - 1]))
    return GateCheck(value, interval, *state_below(value, interval, limit, f"{limit:g} ms"))


def p95_ranks(n: int) -> tuple[int, int]:
    """Ranks from 1 of the calls that lie below and above the 95th percentile with 95 % each; n is at least 59.

    The number of calls below the percentile is binomial (n, .95).
    """
    from scipy.special import bdtr

    at_most = bdtr(np.arange(n + 1), n, P95)
    lower, below = np.searchsorted(at_most, (ONE_SIDED, 1 - ONE_SIDED)).tolist()
    return lower, below + 1


def check_cost(costs_usd: Sequence[float | None], *, limit: float) -> GateCheck:
    """Hold the mean cost of an action (one trial, judges not included) against the largest allowed one.

    The interval is Student's. A call without a known price leaves the gate undecided: a mean of the others would lie.
    """
    known = [cost for cost in costs_usd if cost is not None]
    if not known or len(known) < len(costs_usd):
        return GateCheck(
            None, None, "undecided", "the price of a call is not known" if costs_usd else "nothing was measured"
        )
    values = np.asarray(known)
    value = float(values.mean())
    if len(values) < 2:
        return GateCheck(value, None, "undecided", "one call shows no spread")
    half = t_quantile(len(values) - 1) * float(values.std(ddof=1)) / sqrt(len(values))
    interval = Interval(max(0.0, value - half), value + half)
    return GateCheck(value, interval, *state_below(value, interval, limit, f"{limit:g} USD"))


def state_below(value: float, interval: Interval, limit: float, limit_text: str) -> tuple[GateState, str]:
    """Decide by the whole interval where less is better."""
    if interval.high <= limit:
        return "ok", f"at most {limit_text}"
    if interval.low > limit:
        return "failed", f"above {limit_text}"
    side = "above" if value > limit else "not above"
    return "undecided", f"{side} {limit_text}, but these calls cannot tell for sure"
