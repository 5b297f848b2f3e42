"""What is read and planned before a flow starts, so that a mistake costs no server and no call."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from flows.models.retirements_file import announced_problems
from flows.news import News
from flows.planning.affordable import told_trials, within_budget
from flows.planning.candidates import Candidate, with_candidate
from flows.planning.cells import comparison_cells, make_plan, night_cells, notes_on_references, plan_without_cells
from flows.planning.history import read_history, with_day_shifts
from flows.planning.payers import budget_problems, budget_warnings
from flows.planning.resuming import changes_since, folder_to_resume, stored_plan
from flows.requests import CompareRequest, NightRequest, Request, WatchRequest
from flows.workers.crew import Crew
from tasks.calls.rehearsal import problems_of_params
from tasks.datasets.suites import CheckAll, load_suites
from tasks.documents import ConfigFile, open_config
from tasks.errors import Problem, UsageError
from tasks.plan import Plan, RunFolder
from tasks.records import Suite
from tasks.scoring.requirements import problem_of_case, problems_of_scorer

_handed_over: dict[Request, "Prepared"] = {}


def say_with_time(line: str) -> None:
    """Tell whoever watches a served flow how it goes."""
    sys.stderr.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC  {line}\n")
    sys.stderr.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A checked config with the plan made from it, where that is kept, where progress is shown, and who is at it.

    `say` tells of the run's beginning and end, which the command line does by itself.
    """

    file: ConfigFile
    plan: Plan
    folder: RunFolder
    notes: tuple[str, ...] = ()
    tell: Callable[[News], None] = lambda _: None
    expect: Callable[[int], None] = lambda _: None
    say: Callable[[str], None] = say_with_time
    crew: Crew | None = None


def hand_over(request: Request, prepared: Prepared) -> None:
    """Keep what the command line has prepared for the flow that it is about to start in this process."""
    _handed_over[request] = prepared


def prepared_night(request: NightRequest, *, now: datetime) -> Prepared:
    """Read, check and plan a night, unless that was done already."""
    return _handed_over.pop(request, None) or prepare_night(request, now=now)


def prepared_comparison(request: CompareRequest, *, now: datetime) -> Prepared:
    """Read, check and plan a comparison, unless that was done already."""
    return _handed_over.pop(request, None) or prepare_comparison(request, now=now)


def prepared_watch(request: WatchRequest, *, now: datetime) -> Prepared:
    """Read and check what a watch looks at, unless that was done already."""
    return _handed_over.pop(request, None) or prepare_watch(request, now=now)


def prepare_watch(request: WatchRequest, *, now: datetime) -> Prepared:
    """Read and check what a watch looks at."""
    file = read_config(request)
    plan = plan_without_cells(file, "watch", read_suites(file, request.suites), now=now)
    return Prepared(file=file, plan=plan, folder=RunFolder(file.results, plan.run_id))


def prepare_night(request: NightRequest, *, now: datetime) -> Prepared:
    """Read, check and plan a night, or take up the plan of the one to go on with."""
    file = read_config(request)
    if request.resume:
        return prepare_resumed(request.resume, file)
    suites = read_suites(file, request.suites)
    plan = night_plan(file, suites, request.models, now=now)
    plan = replace(plan, whole=not (request.suites or request.models))
    return prepared(file, plan, notes_on_references(suites, file.config.models, request.models))


def night_plan(file: ConfigFile, suites: Sequence[Suite], models: Sequence[str] = (), *, now: datetime) -> Plan:
    """Plan a night of some suites, on all models or the named ones."""
    history = read_history(file.results)
    cells = night_cells(suites, file.config.models, models, history, today=now.date())
    cells = with_day_shifts(file.results, cells, history)
    return make_plan(file, "nightly", suites, cells, now=now, night=history.runs)


def prepare_comparison(request: CompareRequest, *, now: datetime) -> Prepared:
    """Read, check and plan a comparison."""
    file = read_config(request)
    suites = read_suites(file, request.suites)
    file, candidate = with_candidate(file, suites, request)
    plan = comparison_plan(file, suites, candidate, now=now)
    cheaper = within_budget(file, plan)
    notes = [f"each case is asked {told_trials(cheaper)} instead of {told_trials(plan)}: budget_usd pays for no more"]
    return prepared(file, cheaper, notes if cheaper != plan else ())


def comparison_plan(file: ConfigFile, suites: Sequence[Suite], candidate: Candidate, *, now: datetime) -> Plan:
    """Plan a comparison."""
    history = read_history(file.results)
    cells = comparison_cells(suites, file.config.models, candidate, history, today=now.date())
    cells = with_day_shifts(file.results, cells, history)
    plan = make_plan(file, "compare", suites, cells, now=now, night=history.runs)
    return replace(plan, candidate=candidate.options)


def prepared(file: ConfigFile, plan: Plan, notes: Iterable[str] = ()) -> Prepared:
    """A plan with the folder that it will be kept in; raises UsageError where its budget could not be kept."""
    models = {cell.model for cell in plan.cells}
    if problems := list(budget_problems(file, plan.suites, models)):
        raise UsageError(problems)
    notes = (*notes, *budget_warnings(file, plan.suites, models))
    return Prepared(file=file, plan=plan, folder=RunFolder(file.results, plan.run_id), notes=notes)


def prepare_resumed(run_id: str, file: ConfigFile) -> Prepared:
    """Go on with a run by its stored plan; what was edited since is told."""
    folder = folder_to_resume(file.results, run_id)
    stored, plan = stored_plan(folder, file)
    try:
        edits = tuple(changes_since(plan, file, read_suites(file)))
    except UsageError as error:
        edits = (f"the config or the suites have mistakes by now ({error.problems[0]}); the run goes on without them",)
    return Prepared(file=stored, plan=plan, folder=folder, notes=edits)


def read_config(request: Request) -> ConfigFile:
    """Read and check the config that a request names."""
    results = Path(request.results) if request.results else None
    file = open_config(Path(request.config), env=os.environ, results=results)
    for name, value in file.env.items():
        os.environ.setdefault(name, value)  # litellm looks for keys there, and .env may hold them
    return file


def read_suites(file: ConfigFile, only: tuple[str, ...] = (), check_all: CheckAll = lambda _: ()) -> tuple[Suite, ...]:
    """Read and check the suites of a config, or only the named ones; every mistake comes in one answer."""
    return load_suites(
        file,
        check_scorer=problems_of_scorer,
        check_case=problem_of_case,
        only=only,
        check_all=lambda suites: (
            *rehearsal_problems(file),
            *announced_problems(file),
            *check_all(suites),
        ),
    )


def rehearsal_problems(file: ConfigFile) -> Iterator[Problem]:
    """What a simulated model cannot make sense of in its params."""
    for model in (*file.config.models, *file.config.judges):
        for problem in problems_of_params(model.params) if model.is_rehearsal else ():
            yield Problem(file.place_of(model), f"{model.name!r} is simulated; params.{problem}")
