"""From a request to a plan: which cells run, how often each case is asked, and what each cell is compared with."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal

from flows.planning.candidates import Candidate, unknown_model
from flows.planning.history import History, baseline_of_run, pinned_baseline, reference_beside
from tasks.config import RUN_ID, ModelConfig
from tasks.documents import ConfigFile
from tasks.documents.wording import shown
from tasks.errors import UsageError
from tasks.plan import Baseline, Plan, PlannedCell
from tasks.records import Phase, Suite

BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
Cells = tuple[PlannedCell, ...]


def night_cells(
    suites: Sequence[Suite], models: Sequence[ModelConfig], only: Sequence[str], history: History, *, today: date
) -> Cells:
    """Every suite on each of its models, against the model's `compare_to` or its pin; `only` names models to ask."""
    chosen = with_references(choose_models(models, only), models)
    return tuple(
        night_cell(suite, model, {other.name: other for other in runs_on(suite, chosen)}, history, today=today)
        for suite in suites
        for model in runs_on(suite, chosen)
    )


def with_references(chosen: Sequence[ModelConfig], models: Sequence[ModelConfig]) -> list[ModelConfig]:
    """The chosen models with those that they are compared to, and so on, in the config's order."""
    wanted = {model.name for model in chosen}
    while more := {str(model.compare_to) for model in models if model.name in wanted and model.compare_to} - wanted:
        wanted |= more
    return [model for model in models if model.name in wanted]


def notes_on_references(suites: Sequence[Suite], models: Sequence[ModelConfig], only: Sequence[str]) -> Iterator[str]:
    """Which models are asked only to be compared to, and which suites lack the one that a model is compared to."""
    chosen = choose_models(models, only)
    asked = with_references(chosen, models)
    for model in asked:
        compared = [other.name for other in asked if other.compare_to == model.name]
        if model not in chosen:
            yield f"{model.name} is asked too: {', '.join(compared)} {verb(compared)} compared to it"
    for suite in suites:
        on = runs_on(suite, asked)
        for model in on:
            if model.compare_to and model.compare_to not in {other.name for other in on}:
                yield f"{suite.name} does not run on {model.compare_to}: {model.name} has a baseline of its own there"


def verb(names: Sequence[str]) -> str:
    """`is` or `are`."""
    return "is" if len(names) == 1 else "are"


def night_cell(
    suite: Suite, model: ModelConfig, beside: Mapping[str, ModelConfig], history: History, *, today: date
) -> PlannedCell:
    """One cell of a night; it asks enough trials to become the baseline where none is pinned, or one only stands in."""
    reference = beside.get(model.compare_to or "")
    if reference:
        return new_cell(suite, model, baseline_beside(suite, reference, history))
    pinned = pinned_baseline(history, (suite.name, model.name), today)
    trials = most_trials(suite)
    if pinned:
        return new_cell(suite, model, pinned, trials=trials if pinned.provisional else None)
    return new_cell(suite, model, None, phase="baseline", trials=trials)


def baseline_beside(suite: Suite, other: ModelConfig, history: History) -> Baseline:
    """Another model of the same run as the baseline."""
    return reference_beside(history, suite, other.name, new_cell(suite, other, None).params_hash)


def comparison_cells(
    suites: Sequence[Suite], models: Sequence[ModelConfig], candidate: Candidate, history: History, *, today: date
) -> Cells:
    """The candidate on every suite, with its baseline beside it where that is a model.

    Both sides of such a pair are asked equally often: as often as a baseline, which is what the rule of a night needs.
    Stored nights do not count there: what has happened to the provider since would pass for the candidate's doing.
    """
    against = candidate.against
    if against is None or RUN_ID.fullmatch(against):
        return tuple(
            candidate_cell(suite, candidate, stored_baseline(suite, candidate, against, history, today=today))
            for suite in suites
        )
    [other] = choose_models(models, [against])
    if other.name == candidate.model.name:
        raise UsageError.single(f"expected a baseline other than the candidate, got {against!r} for both")
    pairs = (
        (
            new_cell(suite, other, None, trials=most_trials(suite)),
            candidate_cell(suite, candidate, Baseline(run_id=None, model=other.name), trials=most_trials(suite)),
        )
        for suite in suites
    )
    return tuple(cell for pair in pairs for cell in pair)


def most_trials(suite: Suite) -> int:
    """How often a case is asked where much shall be known of it."""
    return max(suite.config.trials, suite.config.gate.baseline_trials)


def candidate_cell(suite: Suite, candidate: Candidate, baseline: Baseline, *, trials: int | None = None) -> PlannedCell:
    """The candidate on one suite, with the parameters and the prompt that are asked for."""
    cell = new_cell(suite, candidate.model, baseline, trials=trials, overrides=candidate.overrides)
    stored = {name: value for name, value in candidate.overrides.items() if name not in candidate.withheld}
    wording = candidate.wordings.get(suite.name)
    return replace(cell, overrides=stored, withheld=candidate.withheld, wording=wording)


def stored_baseline(
    suite: Suite, candidate: Candidate, run_id: str | None, history: History, *, today: date
) -> Baseline:
    """The stored trials to compare with: the named run's, else those of the pin."""
    name = candidate.model.name
    if run_id is None:
        pinned = pinned_baseline(history, (suite.name, name), today)
        if pinned is None:
            message = f"nothing is pinned for {name} on {suite.name} to compare with"
            raise UsageError.single(message, hint="run `daybreak nightly` first, or name a --baseline")
        known = pinned.setting.served_models if pinned.setting else ()
        return replace(pinned, known_models=known)
    stored = history.models_of_run.get((run_id, suite.name), ())
    same = [one for one in (name, candidate.made_from or name) if one in stored]
    if same or len(stored) == 1:
        return baseline_of_run(history, suite.name, [*same, *stored][0], run_id)
    found = f"it holds {', '.join(stored)}" if stored else "it holds no trials of that suite"
    raise UsageError.single(
        f"expected a run with trials of {name} on {suite.name}, got {run_id}: {found}",
        hint="`daybreak runs` lists the runs",
    )


def new_cell(
    suite: Suite,
    model: ModelConfig,
    baseline: Baseline | None,
    *,
    phase: Phase = "planned",
    trials: int | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> PlannedCell:
    """A cell with the parameters that will be sent."""
    params = effective(model, suite, overrides or {})
    return PlannedCell(
        suite=suite.name,
        model=model.name,
        phase=phase,
        trials=trials or suite.config.trials,
        params=params,
        params_hash=content_hash({"model": model.model, "params": params}),
        baseline=baseline,
        overrides=overrides or {},
    )


def effective(model: ModelConfig, suite: Suite, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a cell: the suite's over the model's, and over both what a comparison asks for."""
    params = {**model.params, **suite.config.params, **overrides}
    return {name: value for name, value in params.items() if name not in overrides or value is not None}


def make_plan(
    file: ConfigFile,
    flow: Literal["nightly", "compare"],
    suites: Sequence[Suite],
    cells: Cells,
    *,
    now: datetime,
    night: int,
) -> Plan:
    """Put a plan together; raises UsageError when nothing would run."""
    if not cells:
        raise UsageError.single("no suite runs on any of the chosen models", where=shown(file.path))
    used = {cell.suite for cell in cells}
    return Plan(
        run_id=new_run_id(now),
        flow=flow,
        created_at=now,
        root=file.root,
        night=night,
        config=file.raw,
        suites=tuple(suite for suite in suites if suite.name in used),
        cells=cells,
    )


def choose_models(models: Sequence[ModelConfig], names: Iterable[str]) -> list[ModelConfig]:
    """The named models in the config's order, or all when none is named."""
    wanted = list(names)
    known = {model.name for model in models}
    for name in wanted:
        if name not in known:
            raise unknown_model(name, models)
    return [model for model in models if not wanted or model.name in wanted]


def runs_on(suite: Suite, models: Iterable[ModelConfig]) -> list[ModelConfig]:
    """Those of the models on which the suite runs."""
    wanted = suite.config.models
    return [model for model in models if wanted is None or model.name in wanted]


def content_hash(value: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON value, keys sorted."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def plan_without_cells(
    file: ConfigFile, flow: Literal["watch", "calibrate"], suites: Sequence[Suite], *, now: datetime
) -> Plan:
    """The plan of a run that asks no case."""
    return Plan(
        run_id=new_run_id(now),
        flow=flow,
        created_at=now,
        root=file.root,
        night=0,
        config=file.raw,
        suites=tuple(suites),
        cells=(),
    )


def new_run_id(now: datetime) -> str:
    """A run id: it sorts by time, and no model name may have its form."""
    return f"run-{now:%Y%m%d-%H%M%S}-{''.join(secrets.choice(BASE36) for _ in range(4))}"
