"""How often both sides of a comparison can be asked for the money there is."""

from dataclasses import replace

from flows.planning.estimate import estimate
from tasks.documents import ConfigFile
from tasks.plan import Plan


def within_budget(file: ConfigFile, plan: Plan) -> Plan:
    """The plan with as many trials as the budget is sure to pay for, one of each case at least."""
    budget, costs = file.config.budget_usd, [one.cost_usd for one in estimate(file, plan)]
    known = [cost for cost in costs if cost is not None]
    if budget is None or len(known) < len(costs) or sum(known) <= budget:
        return plan
    share = budget / sum(known)
    return replace(plan, cells=tuple(replace(cell, trials=max(1, int(cell.trials * share))) for cell in plan.cells))


def told_trials(plan: Plan) -> str:
    """How often its cells ask each case."""
    trials = sorted({cell.trials for cell in plan.cells})
    return f"{trials[0]}×" if len(trials) == 1 else f"{trials[0]} to {trials[-1]}×"
