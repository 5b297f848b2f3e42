"""What a run cost, summed up by model and by suite, beside what the same usually cost."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import NamedTuple

from tasks.reports.cells import CellView
from tasks.reports.page import PastCell


class Sum(NamedTuple):
    """USD for one model or suite; None where the price of any answer is unknown."""

    name: str
    cost_usd: float | None
    judge_cost_usd: float | None
    usual_usd: float | None


class CellCost(NamedTuple):
    """A cell beside the median of its cost per action in earlier nights; `change` is a share of that."""

    view: CellView
    usual_usd: float | None
    change: float | None


def sums(views: Sequence[CellView], past: Iterable[PastCell], name: Callable[[CellView | PastCell], str]) -> list[Sum]:
    """Add cells up by name, the dearest first; `past` are earlier nights."""
    nights: defaultdict[tuple[str, str], list[float | None]] = defaultdict(list)
    for cell in past:
        nights[name(cell), cell.run_id].append(cell.cost_usd)
    usual: defaultdict[str, list[float]] = defaultdict(list)
    for (of, _), costs in nights.items():
        if (cost := total(costs)) is not None:
            usual[of].append(cost)
    names = dict.fromkeys(map(name, views))
    found = [
        Sum(
            of,
            total([view.cell.cost_usd for view in views if name(view) == of]),
            total([view.cell.judge_cost_usd for view in views if name(view) == of]),
            median(usual[of]) if usual[of] else None,
        )
        for of in names
    ]
    return sorted(found, key=lambda one: -(one.cost_usd or 0))


def cell_costs(views: Sequence[CellView], past: Iterable[PastCell]) -> list[CellCost]:
    """Every cell, the one whose cost rose most first."""
    usual: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for cell in past:
        if cell.cost_per_action_usd is not None:
            usual[cell.suite, cell.model].append(cell.cost_per_action_usd)
    found = [cell_cost(view, usual[view.suite, view.model]) for view in views]
    return sorted(found, key=lambda one: (-(one.change or 0), -(one.view.cell.cost_usd or 0)))


def cell_cost(view: CellView, usual: Sequence[float]) -> CellCost:
    """Compare a cell's cost per action with what it was before."""
    before, now = (median(usual) if usual else None), view.cell.cost_per_action_usd
    return CellCost(view, before, now / before - 1 if before and now is not None else None)


def total(costs: Sequence[float | None]) -> float | None:
    """Add up what is known in whole."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
