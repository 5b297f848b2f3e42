"""The budget of a run, and what each of its models and judges pays from."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext

from flows.payers import FREE, Payer, payer_name, payers_of
from flows.run import Run
from tasks.calls.budget import Budget, Purse
from tasks.calls.journal import read_lines
from tasks.calls.pace import CellNamed, own_cell
from tasks.config import JudgeScorer, ModelConfig
from tasks.plan import RunFolder, Shard


class RunBudget:
    """The budget of a run, with who pays from it."""

    def __init__(self, budget: Budget, payers: Mapping[str, Payer]) -> None:
        self._budget = budget
        self._payers = payers
        self._purses: dict[str, Purse] = {}

    def purse(self, model: ModelConfig) -> Purse:
        """What a model or judge pays from."""
        name = payer_name(model)
        if name not in self._purses:
            payer = self._payers[name]
            self._purses[name] = self._budget.purse(name, payer.price or FREE, payer.most_answer_tokens or 0)
        return self._purses[name]


def open_budget(
    run: Run,
    work: Iterable[Shard],
    *,
    cell: CellNamed = own_cell,
    lock: Callable[[], AbstractContextManager[object]] = nullcontext,
    shared: bool = False,
) -> RunBudget | None:
    """What is left of the run's budget, if it has one, for some work."""
    return budget_for(run, calls_to_do(run, work), cell=cell, lock=lock, shared=shared)


def budget_for(
    run: Run,
    calls: Mapping[str, int],
    *,
    cell: CellNamed = own_cell,
    lock: Callable[[], AbstractContextManager[object]] = nullcontext,
    shared: bool = False,
) -> RunBudget | None:
    """The same for so many calls of each payer."""
    usd = run.config.budget_usd
    if usd is None:
        return None
    payers = payers_of(run.config, run.plan.suites, {cell.model for cell in run.plan.cells})
    by_name = {payer_name(payer.model): payer for payer in payers}
    to_do = dict.fromkeys(by_name, 0) | dict(calls)
    budget = Budget(usd, to_do, spent_before=spent_before(run.folder), cell=cell, lock=lock, shared=shared)
    return RunBudget(budget, by_name)


def calls_to_do(run: Run, work: Iterable[Shard]) -> Counter[str]:
    """How many calls the work is for each payer, retries aside."""
    calls: Counter[str] = Counter()
    for shard in work:
        calls[payer_name(run.model_named(shard.model))] += shard.n_trials
        for scorer in run.plan.suite_named(shard.suite).config.scorers:
            for judge in scorer.judges if isinstance(scorer, JudgeScorer) else ():
                calls[payer_name(run.judge_named(judge))] += shard.n_trials
    return calls


def spent_before(folder: RunFolder) -> float:
    """USD that the journals of a run hold already."""
    lines = read_lines(folder.journals(), torn=[])
    return sum(call.cost_usd or 0.0 for line in lines for call in line.calls)
