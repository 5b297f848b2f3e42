"""What a run cost, summed up in tables that each add up to the whole, beside what the same usually cost."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from statistics import median
from typing import NamedTuple, TypeVar

from tasks.reports.cells import CellView, OfCell
from tasks.reports.page import CallCount, PastCell

PURPOSES = ("cells", "judges", "confirmation", "probes")
"""What calls are for, in the words in which every run tells its cost."""

Name = Callable[[OfCell], str]
T = TypeVar("T")


class Costs(NamedTuple):
    """USD by purpose, of those that there were calls for; None where the price of any answer is unknown."""

    by_purpose: Mapping[str, float | None]

    @property
    def in_all_usd(self) -> float | None:
        return total(list(self.by_purpose.values()))


class Sum(NamedTuple):
    """What one model or suite cost, and what its cells usually cost in USD; None where that is unknown."""

    name: str
    costs: Costs
    usual_usd: float | None


class Sums(NamedTuple):
    """Rows, the dearest first, and calls that belong to none of them; together they are the whole."""

    rows: Sequence[Sum]
    others: Costs


class CellCost(NamedTuple):
    """A cell beside the median of its cost per action in earlier nights; `change` is a share of that."""

    view: CellView
    costs: Costs
    usual_usd: float | None
    change: float | None


class CellCosts(NamedTuple):
    """Every cell, the one whose cost rose most first, and calls that belong to none of them."""

    rows: Sequence[CellCost]
    others: Costs


def costs(calls: Iterable[CallCount]) -> Costs:
    """Add calls up by what they were for."""
    found: defaultdict[str, list[float | None]] = defaultdict(list)
    for call in calls:
        found[purpose(call)].append(call.cost_usd)
    return Costs({one: total(found[one]) for one in PURPOSES if one in found})


def purpose(call: CallCount) -> str:
    """What a call was for, told apart as in `select_spent.sql`."""
    if "probe" in (call.role, call.phase):
        return "probes"
    if call.phase == "confirm":
        return "confirmation"
    return "judges" if call.role == "judge" else "cells"


def sums(views: Sequence[CellView], calls: Iterable[CallCount], past: Iterable[PastCell], name: Name) -> Sums:
    """Add calls up by name; `past` are earlier nights."""
    of, usual = grouped(calls, name), usual_costs(past, name)
    names = dict.fromkeys(map(name, views))
    rows = [Sum(one, costs(of.pop(one, ())), usual.get(one)) for one in names]
    return Sums(sorted(rows, key=lambda row: -(row.costs.in_all_usd or 0)), costs(chain.from_iterable(of.values())))


def usual_costs(past: Iterable[PastCell], name: Name) -> Mapping[str, float]:
    """The median over earlier nights of what all cells of one name cost, of the nights in which that is known."""
    nights: defaultdict[tuple[str, str], list[float | None]] = defaultdict(list)
    for cell in past:
        nights[name(cell), cell.run_id].append(cell.cost_usd)
    usual: defaultdict[str, list[float]] = defaultdict(list)
    for (of, _), known in nights.items():
        if (cost := total(known)) is not None:
            usual[of].append(cost)
    return {of: median(known) for of, known in usual.items()}


def cell_costs(views: Sequence[CellView], calls: Iterable[CallCount], past: Iterable[PastCell]) -> CellCosts:
    """Add calls up by cell."""
    of = grouped(calls, place)
    usual: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for cell in past:
        if cell.cost_per_action_usd is not None:
            usual[cell.suite, cell.model].append(cell.cost_per_action_usd)
    rows = [cell_cost(view, costs(of.pop(place(view), ())), usual[place(view)]) for view in views]
    rows.sort(key=lambda one: (-(one.change or 0), -(one.costs.in_all_usd or 0)))
    return CellCosts(rows, costs(chain.from_iterable(of.values())))


def cell_cost(view: CellView, now: Costs, usual: Sequence[float]) -> CellCost:
    """Compare a cell's cost per action with what it was before."""
    before, per_action = (median(usual) if usual else None), view.cell.cost_per_action_usd
    return CellCost(view, now, before, per_action / before - 1 if before and per_action is not None else None)


def place(of: OfCell) -> tuple[str, str]:
    """The suite and model of a record."""
    return of.suite, of.model


def grouped(calls: Iterable[CallCount], name: Callable[[OfCell], T]) -> dict[T, list[CallCount]]:
    """Sort calls by name."""
    found: dict[T, list[CallCount]] = {}
    for call in calls:
        found.setdefault(name(call), []).append(call)
    return found


def total(costs: Sequence[float | None]) -> float | None:
    """Add up what is known in whole."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
