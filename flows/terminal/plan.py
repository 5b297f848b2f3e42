"""What a run is going to take, as a person reads it."""

from collections.abc import Iterable, Sequence

from flows.planning.estimate import Estimate, estimate
from flows.planning.prepared import Prepared
from flows.terminal.figures import usd
from flows.terminal.tables import table


def shown_start(prepared: Prepared) -> str:
    """One line before the first call."""
    estimates = estimate(prepared.file, prepared.plan)
    return f"{prepared.plan.run_id}: {counted(len(estimates), 'cell')}, {sum_line(estimates)}"


def shown_plan(estimates: Sequence[Estimate]) -> str:
    """A line per cell and the sum."""
    columns = ["suite", "model", "phase", "cases", "calls", "cost at most", "minutes", "detectable drop"]
    rows = [
        [
            one.suite,
            f"{one.model} (simulated)" if one.simulated else one.model,
            one.phase,
            one.cases,
            one.calls,
            usd(one.cost_usd),
            "< 1" if one.minutes < 1 else f"{one.minutes:.0f}",
            detectable(one),
        ]
        for one in estimates
    ]
    numbers = {"cases", "calls", "cost at most", "minutes"}
    body = table(columns, rows, right=numbers, optional=["phase", "minutes"])
    return f"{body}\n{sum_line(estimates).capitalize()} No model was called."


def sum_line(estimates: Sequence[Estimate]) -> str:
    """All cells together."""
    calls, more = sum(one.calls for one in estimates), sum(one.confirm_calls for one in estimates)
    minutes = max((one.minutes for one in estimates), default=0)
    confirming = total(one.confirm_cost_usd for one in estimates)
    suspected = f", and up to {more} more ({usd(confirming)}) where a drop is suspected" if more else ""
    cost = usd(total(one.cost_usd for one in estimates))
    return f"{counted(calls, 'call')}, at most {cost}, {duration(minutes)}{suspected}."


def counted(number: int, what: str) -> str:
    """`1 cell`, `2 cells`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def duration(minutes: float) -> str:
    """About how long, in words."""
    return "less than a minute" if minutes < 1 else f"about {counted(round(minutes), 'minute')}"


def total(costs: Iterable[float | None]) -> float | None:
    """USD of all cells, None where a price is unknown."""
    costs = list(costs)
    return None if None in costs else sum(cost or 0 for cost in costs)


def detectable(one: Estimate) -> str:
    """The drop that would be found with 80 %."""
    low, high = one.detectable_drop_pp
    return f"{low:.1f}–{high:.1f} pp (assumed)" if one.detectable_is_assumed else f"{low:.1f} pp"
