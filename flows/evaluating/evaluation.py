"""Evaluate shards: the stages put together for one process of a run."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.evaluating.budgeting import open_budget
from flows.evaluating.judging import Judges, Panel, score_answer
from flows.news import news_of
from flows.run import Run
from flows.signals import until_stopped
from tasks.calls.budget import Purse
from tasks.calls.client import ModelClient
from tasks.calls.connections import connections
from tasks.calls.engine import MEASURED, Judgment, Planned, evaluate
from tasks.calls.journal import Journal, Trial
from tasks.calls.lanes import Gates, ModelGate
from tasks.calls.lateness import Lateness
from tasks.calls.pledges import BYTES_PER_TOKEN, PLEDGE, Pledge, drawing
from tasks.calls.prices import max_output_tokens
from tasks.calls.provider import warm_up
from tasks.calls.rehearsal import Crib
from tasks.calls.verdict_cache import VERDICTS, VerdictCache
from tasks.config import ModelConfig
from tasks.datasets.stored import read_stored
from tasks.datasets.templates import Renderer
from tasks.plan import PlannedCell, Shard, stored_cases
from tasks.records import Answer, Call, CallStatus, Case, Suite, TrialKey
from tasks.scoring.build import build_scorers, outcome_of

if TYPE_CHECKING:
    import aiohttp

SYNC_EVERY_S = 1.0
OTHER_ANSWERS = 64


class Process(NamedTuple):
    """One of the processes that evaluate: the number of its journal, and its part of the config's concurrency."""

    number: int
    concurrency: int


@asynccontextmanager
async def open_evaluation(run: Run, process: Process | None = None) -> AsyncIterator["Evaluation"]:
    """Open what evaluating needs in this process: a journal, which reaches the disk each second, and connections."""
    number, concurrency = process or Process(0, run.config.concurrency)
    await warm_up()
    journal, lateness = Journal(run.folder.journal(number)), Lateness()
    beside = [asyncio.create_task(sync_now_and_then(journal)), asyncio.create_task(lateness.watch())]
    try:
        with VerdictCache(run.results / VERDICTS) as cache:
            async with connections(concurrency) as session:
                gates = Gates(
                    run.config.concurrency,
                    own_concurrency=concurrency,
                    ledger=run.ledger,
                    keeps_up=lambda: not lateness.disturbs,
                )
                yield Evaluation(run, journal, session, cache, lateness, gates)
            run.notes += [cache.fault] if cache.fault else []
    finally:
        for task in beside:
            task.cancel()
        journal.close()


async def sync_now_and_then(journal: Journal) -> None:
    """Bring the journal to the disk each second, beside the calls."""
    while True:
        await asyncio.sleep(SYNC_EVERY_S)
        await asyncio.to_thread(journal.sync)


class Evaluation:
    """Evaluates shards of one run in this process: a client per cell, a gate per model, one journal."""

    def __init__(
        self,
        run: Run,
        journal: Journal,
        session: "aiohttp.ClientSession",
        cache: VerdictCache,
        lateness: Lateness,
        gates: Gates,
    ) -> None:
        self._run = run
        self._journal = journal
        self._session = session
        self._lateness = lateness
        self._gates = gates
        self._budget = open_budget(run, run.ledger)
        self._judges = Judges(run, session, gates, cache, self._budget, journal)
        self._lanes: dict[str, Lane] = {}
        self._cells: dict[tuple[str, str], CellWork] = {}

    async def shard(self, shard: Shard) -> None:
        """Ask, score and journal the trials of one shard."""
        cell, stop = self._cell(shard.suite, shard.model), self._run.stop
        left = shard.n_trials

        def tell(trial: Trial) -> None:
            nonlocal left
            self._run.tell(news_of(trial))
            if trial.outcome:
                left -= 1
                cell.did(1)

        work = evaluate(cell.trials(shard), cell, journal=self._journal, room=cell.lane.room, stop=stop, tell=tell)
        try:
            await until_stopped(asyncio.ensure_future(work), stop)
        finally:
            cell.did(left)

    def _cell(self, suite: str, model: str) -> "CellWork":
        if (suite, model) not in self._cells:
            planned = next(cell for cell in self._run.plan.cells if (cell.suite, cell.model) == (suite, model))
            panels = self._judges.panels(self._run.plan.suite_named(suite))
            lane = self._lane(planned.model)
            purses = [self._purse(lane.model), *(judge.purse for panel in panels for judge in panel.judges)]
            paying = [purse for purse in purses if purse]
            self._cells[suite, model] = CellWork(self._run, planned, lane, panels, paying, self._lateness)
        return self._cells[suite, model]

    def _purse(self, payer: ModelConfig) -> Purse | None:
        return self._budget.purse(payer) if self._budget else None

    def _lane(self, name: str) -> "Lane":
        if name not in self._lanes:
            model = self._run.model_named(name)
            room = asyncio.Semaphore(self._gates.room_of(model))
            self._lanes[name] = Lane(model, self._gates.of(model, self._purse(model)), room, self._session)
        return self._lanes[name]


class Lane(NamedTuple):
    """What the cells of one model share: its gate, and room for so many trials under way."""

    model: ModelConfig
    gate: ModelGate
    room: asyncio.Semaphore
    session: "aiohttp.ClientSession"


class CellWork:
    """One cell: how its trials are asked and scored."""

    def __init__(
        self,
        run: Run,
        planned: PlannedCell,
        lane: Lane,
        panels: Sequence[Panel],
        purses: Sequence[Purse],
        lateness: Lateness,
    ) -> None:
        self.lane = lane
        self._purses = purses
        self._panels = panels
        self._lateness = lateness
        self._run = run
        self._name = (planned.suite, planned.model)
        self._suite: Suite = run.plan.suite_named(planned.suite)
        self._renderer = Renderer(run.plan.suite_as_asked(planned))
        self._scorers = build_scorers(self._suite)
        self._client = ModelClient(
            lane.model,
            params=planned.params,
            timeout_s=run.config.timeout_s,
            gate=lane.gate,
            session=lane.session,
            redact=run.redact,
            environ=run.file.env,
        )

    @property
    def stopped(self) -> str | None:
        return self.lane.gate.stopped

    def did(self, trials: int) -> None:
        """Let those who share a budget know that so many trials need no more of it."""
        for purse in self._purses:
            purse.did(trials)

    @property
    def judged(self) -> bool:
        return bool(self._panels)

    @property
    def _cases(self) -> Path:
        return stored_cases(self._run.results, self._suite)

    def trials(self, shard: Shard) -> Iterator[Planned]:
        """The trials of a shard that an earlier attempt has not finished, case by case."""
        for case in read_stored(self._cases, shard.start, shard.stop):
            if shard.case_ids is not None and case.id not in shard.case_ids:
                continue
            for trial in range(shard.first_trial, shard.last_trial + 1):
                key = TrialKey(self._run.id, shard.suite, shard.model, case.id, trial, shard.phase)
                if key not in self._run.done.finished:
                    yield Planned(key, case, self._run.done.answered.get(key))

    async def ask(self, planned: Planned) -> Call:
        """Ask the model; a simulated one is told what it should know."""
        crib = self._crib(planned) if self.lane.model.is_rehearsal else None
        PLEDGE.set(pledge := self._pledge(planned.case))
        call = await self._client.ask(self._renderer.messages(planned.case), key=planned.key, crib=crib)
        if call.status not in MEASURED:
            pledge.give_back()
        if call.latency_ms is not None:
            self._run.answered[self._name] += 1
            self._run.disturbed[self._name] += self._lateness.disturbs
        return call

    async def score(self, planned: Planned, call: Call) -> Judgment:
        """Score an answer by every scorer that applies."""
        refused = call.status is CallStatus.REFUSED_BY_PROVIDER
        answer = Answer(call.output or "", call.finish_reason, refused)
        with drawing():
            findings, _ = await score_answer(self._scorers, self._panels, answer, planned, self._suite)
        return Judgment(findings, *outcome_of(findings))

    def _pledge(self, case: Case) -> Pledge:
        """What the judges of an answer to a case may need, if each is asked once."""
        return Pledge(
            [
                (judge.purse, judge.most_usd(panel.scorer, case, self._answer_bytes))
                for panel in self._panels
                for judge in panel.judges
                if judge.purse and panel.scorer.applies_to(case)
            ]
        )

    @cached_property
    def _answer_bytes(self) -> int:
        """About the longest answer that a judge will have to read."""
        return BYTES_PER_TOKEN * (self._client.longest_answer or max_output_tokens(self.lane.model) or 0)

    def _crib(self, planned: Planned) -> Crib:
        return Crib(
            case=planned.case,
            scorers=self._suite.config.scorers,
            others=self._other_answers,
            salt=self._run.plan.night,
        )

    @cached_property
    def _other_answers(self) -> tuple[Any, ...]:
        """What other cases expect, for simulated wrong answers."""
        return tuple(case.expected for case in islice(read_stored(self._cases, 0, self._suite.n_cases), OTHER_ANSWERS))
