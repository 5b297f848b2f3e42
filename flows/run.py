"""A run under way: its plan, its folder, and what every step of it needs."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from flows.evaluating.budgeting import ledger_of, new_ledger
from flows.judges.trust import Standing, standings
from flows.news import CellName, News
from flows.planning.prepared import Prepared
from flows.run_folder import held, keep_plan
from flows.signals import stop_event
from flows.workers.crew import Crew, crew_size
from tasks.alerts.message import Message
from tasks.calls.journal import Done, take_stock
from tasks.calls.ledger import Ledger
from tasks.config import Config, ModelConfig
from tasks.documents import ConfigFile
from tasks.errors import RunBroken
from tasks.lifecycle.claims import Listing
from tasks.lifecycle.model_list import Source
from tasks.plan import Plan, RunFolder
from tasks.records import Event, Phase, RunStatus, Suite
from tasks.records import Run as RunRecord
from tasks.storage.counts import CellTotals, Side, cell_totals
from tasks.verdicts.drift import Drift
from tasks.verdicts.evidence import Evidence

DISTURBED_SHARE = 0.03
"""Of more answers than this a 95th percentile may be made."""


class Rejudged(NamedTuple):
    """An answer of a baseline, by suite, model, run and trial."""

    suite: str
    model: str
    run_id: str
    case_id: str
    trial: int
    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """What a cell is judged by, so far: both sides, and what is known of the nights between them.

    `forced` asks for fresh trials although nothing is suspected, since another version answered.
    """

    base: Side
    evidence: Evidence
    drift: Drift
    forced: bool


@dataclass(kw_only=True)
class Run:
    """What the steps of one run share; `tell`, `expect` and `say` show how it goes, `stop` ends it early.

    `answered` counts the answers of each cell, and `disturbed` those that came while the process was too busy.
    `speechless` are the answers of baselines of which tonight's judges were asked, and could not say anything.
    `scoring_drops_pp` is what a change of judges, scorers or labels did to a baseline, by suite and side.
    """

    plan: Plan
    folder: RunFolder
    file: ConfigFile
    tell: Callable[[News], None] = lambda _: None
    expect: Callable[[int], None] = lambda _: None
    say: Callable[[str], None] = lambda _: None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    broken_cells: dict[CellName, str] = field(default_factory=dict)
    answered: Counter[CellName] = field(default_factory=Counter)
    disturbed: Counter[CellName] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    events: tuple[Event, ...] = ()
    messages: tuple[Message, ...] = ()
    listings: Mapping[Source, Listing] = field(default_factory=dict)
    opened: dict[CellName, OpenCase | str] = field(default_factory=dict)
    speechless: set[Rejudged] = field(default_factory=set)
    scoring_drops_pp: dict[tuple[str, Side], float] = field(default_factory=dict)
    totals: dict[tuple[str, str], CellTotals] = field(default_factory=dict)
    standings: dict[str, list[Standing]] = field(default_factory=dict)
    done: Done = field(default_factory=lambda: Done(set(), {}, []))
    ledger: Ledger = field(default_factory=Ledger)
    crew: Crew | None = None
    at_end: ExitStack = field(default_factory=ExitStack)

    @property
    def env(self) -> Mapping[str, str]:
        return self.file.env

    @property
    def results(self) -> Path:
        return self.folder.results

    @property
    def unreliable_latency(self) -> set[CellName]:
        """The cells whose latencies are partly our own."""
        return {cell for cell, n in self.answered.items() if self.disturbed[cell] > DISTURBED_SHARE * n}

    @property
    def id(self) -> str:
        return self.plan.run_id

    def served_models(self, suite: str, model: str) -> tuple[str, ...]:
        """The versions that answered the planned trials of a cell; known once those are stored."""
        if not self.totals:
            self.totals = {(total.suite, total.model): total for total in cell_totals(self.results, self.id)}
        total = self.totals.get((suite, model))
        return tuple(total.served_models) if total else ()

    def record(self, status: RunStatus, *, calls: int, cost_usd: float | None) -> RunRecord:
        """The run's line in the warehouse."""
        moment = now()
        return RunRecord(
            run_id=self.id,
            flow=self.plan.flow,
            started_at=self.plan.created_at,
            finished_at=moment,
            recorded_at=moment,
            status=status,
            calls=calls,
            cost_usd=cost_usd,
        )

    @property
    def config(self) -> Config:
        return self.file.config

    def model_named(self, name: str) -> ModelConfig:
        """A model of the plan."""
        model = self.config.model_named(name)
        if model is None:
            raise RunBroken(f"the plan of {self.id} names the model {name!r}, which its config does not have")
        return model

    def judge_named(self, name: str) -> ModelConfig:
        """A judge of the plan."""
        judge = next((judge for judge in self.config.judges if judge.name == name), None)
        if judge is None:
            raise RunBroken(f"the plan of {self.id} names the judge {name!r}, which its config does not have")
        return judge

    def standings_of(self, suite: Suite) -> list[Standing]:
        """What is known of the judges of a suite; asked for once their probes are stored."""
        if suite.name not in self.standings:
            self.standings[suite.name] = standings(self.results, self.id, suite)
        return self.standings[suite.name]

    def redact(self, text: str) -> str:
        """Take every secret we know out of a text that will be kept."""
        for secret in sorted(self.file.secrets, key=len, reverse=True):
            text = text.replace(secret, "***").replace(json.dumps(secret)[1:-1], "***")
        return text


@contextmanager
def open_run(prepared: Prepared) -> Iterator[Run]:
    """Hold a run's folder for as long as the run lives; a new run keeps its plan and config there first."""
    folder, plan = prepared.folder, prepared.plan
    with held(folder):
        if folder.attempt == 0:
            keep_plan(folder, plan)
        run = Run(plan=plan, folder=folder, file=prepared.file, stop=stop_event(), crew=prepared.crew)
        run.tell, run.expect, run.say = prepared.tell, prepared.expect, prepared.say
        run.notes += prepared.notes
        if folder.attempt:
            run.done = take_stock(folder.path)
            run.expect(-len(run.done.finished))  # they are not told of again
            run.notes.append(f"{run.done.kept} of its answers were kept from before, and are not asked for again")
            run.notes += [f"{place}: a line that was cut off is left out" for place in run.done.torn]
        run.ledger = new_ledger(run, seats=1 + crew_size(run.config))
        run.say(f"{run.id}: {plan.flow} begins{f', {len(plan.cells)} cell(s)' if plan.cells else ''}")
        try:
            yield run
        except BaseException as error:
            run.say(f"{run.id}: {plan.flow} broke: {error!r}")
            raise
        finally:
            run.at_end.close()
        if not run.stop.is_set():
            ledger_of(folder).unlink()


def now() -> datetime:
    """The time, to the microsecond, in UTC."""
    return datetime.now(UTC)
