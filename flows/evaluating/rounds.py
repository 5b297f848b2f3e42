"""Who evaluates the shards of a round: this process, or the run's workers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from flows.evaluating.budgeting import calls_to_do, open_budget
from flows.evaluating.evaluation import Evaluation, open_evaluation
from flows.run import Run
from flows.workers.crew import Crew, hired
from tasks.plan import Shard


@asynccontextmanager
async def open_round(run: Run, work: Sequence[Shard]) -> AsyncIterator[Evaluation | Crew]:
    """Open what evaluates some work, shard by shard."""
    if budget := open_budget(run, run.ledger):
        budget.expect(calls_to_do(run, work))
    run.crew = run.crew or run.at_end.enter_context(hired(run.config))
    async with run.crew.round(run) if run.crew else open_evaluation(run) as evaluator:
        yield evaluator
