"""The budget of a run, and what each of its models and judges pays from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flows.planning.payers import FREE, Payer, payer_name, payers_of
from tasks.calls.budget import Budget, Purse
from tasks.calls.journal import read_lines
from tasks.calls.ledger import Ledger
from tasks.config import JudgeScorer, ModelConfig
from tasks.errors import RunBroken
from tasks.plan import RunFolder, Shard

if TYPE_CHECKING:
    from flows.run import Run


class RunBudget:
    """The budget of a run, with who pays from it."""

    def __init__(self, budget: Budget, payers: Mapping[str, Payer]) -> None:
        self.budget = budget
        self._payers = payers
        self._purses: dict[str, Purse] = {}

    def expect(self, calls: Mapping[str, int]) -> None:
        """Set how many calls each payer has to do; of several processes one does so."""
        self.budget.expect(calls)

    def purse(self, model: ModelConfig) -> Purse:
        """What a model or judge pays from."""
        name = payer_name(model)
        if name not in self._purses:
            payer = self._payers[name]
            self._purses[name] = self.budget.purse(name, payer.price or FREE, payer.most_answer_tokens or 0)
        return self._purses[name]


def open_budget(run: "Run", ledger: Ledger) -> RunBudget | None:
    """The budget of a run, if it has one, as that ledger has it."""
    if run.config.budget_usd is None:
        return None
    payers = payers_of(run.config, run.plan.suites, {cell.model for cell in run.plan.cells})
    by_name = {payer_name(payer.model): payer for payer in payers}
    judges = by_name.keys() & {payer_name(judge) for judge in run.config.judges}
    return RunBudget(Budget(run.config.budget_usd, by_name, ledger, judges=judges), by_name)


def new_ledger(run: "Run", seats: int) -> Ledger:
    """The ledger of an attempt, which knows what earlier ones have spent of the budget."""
    spent_usd = spent_before(run) if run.folder.attempt else 0.0
    try:
        ledger = Ledger.new(ledger_of(run.folder), seats)
    except OSError as error:
        raise RunBroken(f"{run.folder.path}: cannot be written: {error.strerror}") from error
    if opened := open_budget(run, ledger):
        opened.budget.begin(spent_before_usd=spent_usd)
    return ledger


def ledger_of(folder: RunFolder) -> Path:
    """Where the ledger of a run is, as long as it has not come to its end."""
    return folder.path / "ledger"


def spent_before(run: "Run") -> float:
    """USD that earlier attempts have spent: by their journals, and more where calls were under way when they ended."""
    lines = read_lines(run.folder.journals(), torn=[])
    journaled_usd = sum(call.cost_usd or 0.0 for line in lines for call in line.calls)
    path = ledger_of(run.folder)
    opened = open_budget(run, Ledger.at(path, seat=0)) if path.exists() else None
    return max(journaled_usd, opened.budget.spent_usd) if opened else journaled_usd


def calls_to_do(run: "Run", work: Iterable[Shard]) -> Counter[str]:
    """How many calls the work is for each payer, retries aside."""
    calls: Counter[str] = Counter()
    for shard in work:
        calls[payer_name(run.model_named(shard.model))] += shard.n_trials
        for scorer in run.plan.suite_named(shard.suite).config.scorers:
            for judge in scorer.judges if isinstance(scorer, JudgeScorer) else ():
                calls[payer_name(run.judge_named(judge))] += shard.n_trials
    return calls
