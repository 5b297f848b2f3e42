"""The commands that call no model: check and plan."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flows.answer import OK, Answered
from flows.evaluating.probing import judges_used
from flows.planning.estimate import as_data, estimate, shortfall
from flows.planning.payers import budget_problems, budget_warnings, price_warnings
from flows.planning.prepared import night_plan, prepare_night, read_config, read_suites
from flows.requests import NightRequest, Request
from flows.run import now
from flows.terminal.plan import shown_plan, total
from flows.terminal.tables import table
from tasks.calls.credentials import unusable_models
from tasks.config import ModelConfig
from tasks.datasets.calibration import read_labels
from tasks.datasets.cases import cases_of
from tasks.datasets.suites import folders_without_suite
from tasks.documents import ConfigFile
from tasks.errors import Problem, UsageError
from tasks.judges.determinism import scorer_that_would_do
from tasks.records import Suite
from tasks.scoring.judge import build_judges


def check(*, config: str, results: str | None, suites: tuple[str, ...]) -> Answered:
    """Check config, suites and credentials; raises UsageError with everything that is wrong."""
    file = read_config(Request(config=config, results=results))
    read = read_suites(file, suites, lambda suites: what_a_night_would_refuse(file, suites))
    judges = [judge.config for judge in judges_used(file.config, read)]
    warnings = [
        *folders_without_suite(file),
        *price_warnings(file, read),
        *budget_warnings(file, read),
        *budget_shortfall(file, read),
        *slack_warnings(file),
        *judges_not_needed(read),
    ]
    rows = [[suite.name, suite.n_cases, kinds(suite.kinds), suite.dataset_hash[:12]] for suite in read]
    text = table(["suite", "cases", "kinds", "dataset"], rows, right={"cases"})
    text += f"\nModels: {names(file.config.models)}"
    labelled = {suite.name: len(read_labels(suite)) for suite in read if build_judges(suite)}
    text += f"\nJudges: {names(judges)}; labelled outputs: {counted(labelled)}" if judges else ""
    data = {
        "status": "ok",
        "suites": [
            {"suite": s.name, "cases": s.n_cases, "dataset_hash": s.dataset_hash, "labelled": labelled.get(s.name, 0)}
            for s in read
        ],
        "models": [{"model": model.name, "simulated": model.is_rehearsal} for model in file.config.models],
        "judges": [{"judge": judge.name, "simulated": judge.is_rehearsal} for judge in judges],
        "warnings": warnings,
    }
    return Answered(exit_code=OK, data=data, text=f"{text}{as_notes(warnings)}\nAll is well.")


def budget_shortfall(file: ConfigFile, suites: Sequence[Suite]) -> Iterator[str]:
    """Whether a night may cost more than its budget."""
    if file.config.budget_usd is not None:
        yield from shortfall(file.config.budget_usd, estimate(file, night_plan(file, suites, now=now())))


def what_a_night_would_refuse(file: ConfigFile, suites: Sequence[Suite]) -> Iterator[Problem]:
    """Models without a provider or key, and a budget that could not be kept."""
    models = [model for model in file.config.models if model.name in file.model_names]
    judges = [judge.config for judge in judges_used(file.config, suites)]
    yield from unusable_models([*models, *judges], file.env, where=file.place_of)
    yield from budget_problems(file, suites) if models else ()
    for suite in suites:
        try:
            read_labels(suite)
        except UsageError as error:
            yield from error.problems


def slack_warnings(file: ConfigFile) -> Iterator[str]:
    """Why what is meant for Slack would be printed instead."""
    slack = file.config.slack
    if slack.channel and not file.env.get(slack.token_env):
        yield f"nothing is sent to Slack: {slack.token_env} holds no token for {slack.channel}"


def counted(labelled: Mapping[str, int]) -> str:
    """How many labelled outputs each suite has."""
    return ", ".join(f"{n or 'none'} for {suite}" for suite, n in labelled.items())


def judges_not_needed(suites: Iterable[Suite]) -> Iterator[str]:
    """Where a scorer would find for nothing, and without erring, what a judge is asked."""
    for suite in suites:
        for judge in build_judges(suite):
            if scorer := scorer_that_would_do(case.expected for case in cases_of(suite) if judge.applies_to(case)):
                yield (
                    f"{suite.name}: {judge.name!r} asks a judge about labels that the scorer {scorer} compares: it "
                    "costs nothing and never errs"
                )


def names(models: Iterable[ModelConfig]) -> str:
    """Models or judges, simulated ones marked."""
    return ", ".join(f"{model.name} (simulated)" if model.is_rehearsal else model.name for model in models)


def as_notes(notes: Iterable[str]) -> str:
    """A line for each."""
    return "".join(f"\nNote: {note}." for note in notes)


def kinds(counts: Any) -> str:
    """Kinds with their counts."""
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def plan(*, config: str, results: str | None, suites: tuple[str, ...], models: tuple[str, ...]) -> Answered:
    """Tell what the night would take."""
    prepared = prepare_night(NightRequest(config=config, results=results, suites=suites, models=models), now=now())
    estimates = estimate(prepared.file, prepared.plan)
    calls = sum(one.calls for one in estimates)
    notes = (*prepared.notes, *shortfall(prepared.file.config.budget_usd, estimates))
    data = {
        "status": "ok",
        "cells": as_data(estimates),
        "calls": calls,
        "cost_usd": total(one.cost_usd for one in estimates),
        "notes": notes,
    }
    return Answered(exit_code=OK, data=data, text=shown_plan(estimates) + as_notes(notes))
