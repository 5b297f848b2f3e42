"""Gates on a cell by itself, whatever its baseline: does it keep a limit, as far as its cases can tell?"""

from typing import NamedTuple

from tasks.records import GateState, Interval
from tasks.verdicts.permutation import Counts
from tasks.verdicts.statistics import rate_interval


class GateCheck(NamedTuple):
    """What was measured, and whether it holds; `reason` says it in words."""

    value: float | None
    interval: Interval | None
    state: GateState
    reason: str


def check_pass_rate(passed: Counts, measured: Counts, *, limit: float) -> GateCheck:
    """Hold the pass rate of measured trials (per case) against the smallest allowed share.

    The whole 95 % interval decides: at or above the limit it is ok, below it failed. An interval that contains the
    limit leaves it undecided, and the reason says on which side the estimate lies.
    """
    rate = rate_interval(passed, measured)
    if rate is None:
        return GateCheck(None, None, "undecided", "nothing was measured")
    if rate.interval.low >= limit:
        return GateCheck(*rate, "ok", f"at least {limit:.1%}")
    if rate.interval.high < limit:
        return GateCheck(*rate, "failed", f"below {limit:.1%}")
    side = "below" if rate.value < limit else "not below"
    return GateCheck(
        *rate, "undecided", f"{side} {limit:.1%}, but {int((measured > 0).sum())} cases cannot tell for sure"
    )
