"""What a run is going to do, decided before the first call and stored with the run."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import TypeAdapter

from tasks.config import Message
from tasks.records import Phase, Setting, Suite

TRIALS_PER_SHARD = 256
FEWEST_PER_SHARD = 32
SHARDS_PER_WORKER = 2
TRIALS_PER_TURN = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a cell is compared with: a model's trials in a stored run, or in this one where `run_id` is None.

    `nights` are the stored runs whose trials count, all of one `setting`. `known_models` are the
    served versions that are no news. `concentration` and `variance` say what day shifts leave in the comparison, as
    `tasks.verdicts.drift.Drift` takes them. A `provisional` baseline is replaced by what tonight asks.
    """

    run_id: str | None
    model: str
    nights: tuple[str, ...] = ()
    setting: Setting | None = None
    known_models: tuple[str, ...] = ()
    concentration: float = 1.0
    variance: float = 0.0
    provisional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a cell is asked with instead of its suite's templates; `files` hold them, by the names they have there."""

    prompt: str | None
    user: str
    messages: tuple[Message, ...]
    files: Mapping[str, str]
    prompt_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCell:
    """One suite on one model.

    Without a baseline, a cell of phase `baseline` pins itself, and any other is only there to be compared with.
    `overrides` are parameters over the model's and the suite's, None for one that is not to be sent; `withheld` names
    what was asked for too and is secret: parameters, or `api_base`. A plan that is stored lacks it.
    """

    suite: str
    model: str
    phase: Phase
    trials: int
    params_hash: str
    baseline: Baseline | None
    params: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    wording: Wording | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole run.

    `config` is the file as written, before `${VAR}`: a stored plan holds no secret. `night` counts the runs before it
    and seeds what simulated models vary from night to night. `whole`: no suite or model was left out on request.
    `candidate` are the options that ask for the candidate of a comparison.
    """

    run_id: str
    flow: Literal["nightly", "compare", "calibrate", "watch"]
    created_at: datetime
    root: Path
    night: int
    config: Mapping[str, Any]
    suites: tuple[Suite, ...]
    cells: tuple[PlannedCell, ...]
    whole: bool = False
    candidate: tuple[str, ...] = ()

    def suite_named(self, name: str) -> Suite:
        """The suite of a cell."""
        return next(suite for suite in self.suites if suite.name == name)

    def suite_as_asked(self, cell: PlannedCell) -> Suite:
        """The suite of a cell with the templates that the cell is asked with."""
        suite, wording = self.suite_named(cell.suite), cell.wording
        if wording is None:
            return suite
        templates = {"prompt": wording.prompt, "user": wording.user, "messages": list(wording.messages)}
        config = suite.config.model_copy(update=templates)
        files = {**suite.files, **wording.files}
        return replace(suite, config=config, files=files, prompt_hash=wording.prompt_hash)

    def to_json(self) -> bytes:
        """For plan.json, without the params of cells: they hold what `${VAR}` stood for."""
        return TypeAdapter(Plan).dump_json(self, indent=1, by_alias=True, exclude={"cells": {"__all__": {"params"}}})

    @classmethod
    def from_json(cls, text: bytes) -> "Plan":
        """From plan.json."""
        return TypeAdapter(Plan).validate_json(text)


class Shard(NamedTuple):
    """A piece of a cell that one task evaluates: some rows of its stored cases, with the numbers of their trials.

    `case_ids` leaves out the other cases of these rows; None means all.
    """

    suite: str
    model: str
    phase: Phase
    start: int
    stop: int
    first_trial: int
    last_trial: int
    case_ids: frozenset[str] | None = None

    @property
    def n_trials(self) -> int:
        """How many trials it holds."""
        n_cases = self.stop - self.start if self.case_ids is None else len(self.case_ids)
        return n_cases * (self.last_trial - self.first_trial + 1)

    def __str__(self) -> str:
        cases = f"cases {self.start + 1}–{self.stop}" if self.case_ids is None else f"{len(self.case_ids)} cases"
        return f"{self.suite} on {self.model}, {self.phase}, {cases}"


class RunFolder(NamedTuple):
    """Where a run keeps what is not yet in the warehouse; `attempt` counts how often it was resumed."""

    results: Path
    run_id: str
    attempt: int = 0

    @property
    def path(self) -> Path:
        return self.results / "runs" / self.run_id

    @property
    def plan(self) -> Path:
        return self.path / "plan.json"

    @property
    def config(self) -> Path:
        """The config as it was written when the run started."""
        return self.path / "config.yaml"

    def journal(self, worker: int) -> Path:
        """The journal of one process: a new one with each attempt, since the last line of an old one may be torn."""
        return self.path / f"journal-{self.attempt:03}-{worker}.jsonl"

    def journals(self) -> list[Path]:
        """Every journal of this run, those of what was never asked last."""
        return sorted(self.path.glob("journal-*.jsonl")) + sorted(self.path.glob("not-asked-*.jsonl"))

    def next_attempt(self) -> "RunFolder":
        """The folder for a process that goes on with the run."""
        attempts = [int(path.name.split("-")[1]) for path in self.path.glob("journal-[0-9]*-*.jsonl")]
        return self._replace(attempt=max(attempts, default=-1) + 1)


def stored_cases(results: Path, suite: Suite) -> Path:
    """The Parquet part that holds the cases of a suite: named by content, so written once."""
    return results / "parts" / "cases" / f"{suite.name}-{suite.dataset_hash[:16]}.parquet"


def shards(cell: PlannedCell, n_cases: int, *, workers: int = 1) -> Iterator[Shard]:
    """Cut a cell into pieces of some hundred trials, smaller where several workers would have none."""
    yield from cut(whole_of(cell, n_cases), workers=workers)


def in_turns(plan: Plan) -> list[Shard]:
    """The shards of all cells, small and in turns: what a provider does at one time, it does to both sides."""
    cells = [cut(whole_of(cell, plan.suite_named(cell.suite).n_cases), most=TRIALS_PER_TURN) for cell in plan.cells]
    return [shard for turn in zip_longest(*cells) for shard in turn if shard]


def whole_of(cell: PlannedCell, n_cases: int) -> Shard:
    """All planned trials of a cell."""
    return Shard(cell.suite, cell.model, cell.phase, 0, n_cases, 1, cell.trials)


def cut(whole: Shard, *, workers: int = 1, most: int = TRIALS_PER_SHARD) -> Iterator[Shard]:
    """Cut a shard into pieces of some hundred trials; one of chosen cases stays whole."""
    if whole.case_ids is not None:
        yield whole
        return
    if workers > 1:
        most = min(most, max(FEWEST_PER_SHARD, math.ceil(whole.n_trials / (SHARDS_PER_WORKER * workers))))
    rows = max(1, most // (whole.last_trial - whole.first_trial + 1))
    for start in range(whole.start, whole.stop, rows):
        yield whole._replace(start=start, stop=min(start + rows, whole.stop))


def most_at_once(work: Sequence[Shard], *, concurrency: int, workers: int) -> Mapping[str, int]:
    """How many shards of each model to have under way: enough for every place, few enough for memory to stay flat."""
    trials: dict[str, list[int]] = {}
    for shard in work:
        trials.setdefault(shard.model, []).append(shard.n_trials)
    in_flight = 2 * concurrency / workers
    return {
        model: workers * (1 + math.ceil(in_flight * len(each) / max(1, sum(each)))) for model, each in trials.items()
    }
