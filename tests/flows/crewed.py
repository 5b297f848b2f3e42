"""The part of a night that several processes do, without Prefect around it: asked, scored, journaled."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from flows.evaluating.probing import probe_judges
from flows.evaluating.rounds import open_round
from flows.planning.prepared import prepare_night
from flows.requests import NightRequest
from flows.run import now, open_run
from tasks.calls.journal import Trial, read_trials
from tasks.datasets.stored import store_cases
from tasks.plan import shards, stored_cases
from tests.flows.lab import Lab


class Night(NamedTuple):
    """What came of it; `lines` are those of each journal."""

    trials: list[Trial]
    notes: list[str]
    lines: dict[str, int]

    @property
    def outcomes(self) -> dict[tuple[str, str, int], tuple[str, str]]:
        """What each trial counts as; raises where one is there twice."""
        found = [(trial.key, trial.outcome) for trial in self.trials if trial.outcome]
        named = {(key.model, key.case_id, key.trial): (str(outcome.outcome), outcome.reason) for key, outcome in found}
        assert len(named) == len(found), "a trial is there twice"
        return named

    @property
    def cost_usd(self) -> float:
        """What the calls cost of which there is a record."""
        return sum(call.cost_usd or 0.0 for trial in self.trials for call in trial.calls)


def evaluated(lab: Lab, results: str = "results", *, meanwhile: Callable[[], None] = lambda: None) -> Night:
    """Evaluate a lab's night; `meanwhile` is called in a thread."""
    config = str(lab.root / "deployments" / "daybreak.yaml")
    return asyncio.run(night(NightRequest(config=config, results=str(lab.root / results)), meanwhile))


async def night(request: NightRequest, meanwhile: Callable[[], None]) -> Night:
    with open_run(prepare_night(request, now=now())) as run:
        for suite in run.plan.suites:
            store_cases(suite, stored_cases(run.results, suite))
        await probe_judges(run)
        cells = ((cell, run.plan.suite_named(cell.suite).n_cases) for cell in run.plan.cells)
        work = [shard for cell, n in cells for shard in shards(cell, n, workers=run.config.workers)]
        async with open_round(run, work) as evaluator:
            doing = asyncio.create_task(asyncio.to_thread(meanwhile))
            await asyncio.gather(*map(evaluator.shard, work))
            await doing
        lines = {path.name: path.read_bytes().count(b"\n") for path in run.folder.path.glob("journal-0*.jsonl")}
        trials = [trial for trial in read_trials(run.folder.journals(), torn=[]) if trial.key.phase != "probe"]
        return Night(trials, run.notes, lines)


def workers_of(process: int | str = "self") -> list[int]:
    """The worker processes of a process that runs a night."""
    nurseries = [child for child in children(process) if b"flows.workers.nursery" in command_line(child)]
    return [worker for nursery in nurseries for worker in children(nursery)]


def children(process: int | str) -> list[int]:
    """The children of a process, of all its threads; none where it is no more."""
    found = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for path in found for child in read(path).split()]


def command_line(process: int) -> bytes:
    """How a process was started; empty where it is no more."""
    return read(Path(f"/proc/{process}/cmdline"))


def read(path: Path) -> bytes:
    """What the system says of a process now."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
