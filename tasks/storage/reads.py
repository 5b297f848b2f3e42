"""What the flows ask of earlier runs: runs, pins, cells, flips and stored answers.

Every function takes the results folder, opens the warehouse for the question and closes it again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tasks.records import Cell, Flip, OutcomeState, Phase, Pin, Retirement, Run, StoredCase, Verdict
from tasks.storage.sql_files import sql
from tasks.storage.warehouse import Warehouse

ROWS_PER_PAGE = 5_000


class Version(NamedTuple):
    """A version that a model was served as, and when."""

    model: str
    served_model: str | None
    system_fingerprint: str | None
    first_seen: datetime
    last_seen: datetime


class Output(NamedTuple):
    """What a model answered in one trial."""

    case_id: str
    trial: int
    phase: Phase
    output: str | None
    status: str
    finish_reason: str | None


class TellingOutput(NamedTuple):
    """One answer to a case, the run that it came in, and what the scorers said that made it count as it does."""

    run_id: str
    output: str | None
    reason: str | None


class Spent(NamedTuple):
    """What a run took: requests to models and judges, and USD in all and for what; None where a price is unknown."""

    calls: int
    cost_usd: float | None
    costs: Mapping[str, float | None]


def outputs(
    results: Path,
    run_id: str,
    suite: str,
    model: str,
    phases: Sequence[Phase],
    *,
    case_ids: Sequence[str] | None = None,
) -> Iterator[Output]:
    """Yield a cell's stored answers by case, trial and phase, some at a time; of all cases, or of those named."""
    warehouse = Warehouse(results)
    cell = {"run_id": run_id, "suite": suite, "model": model, "phases": list(phases), "rows": ROWS_PER_PAGE}
    wanted = None if case_ids is None else json.dumps(list(case_ids))  # the Python client takes long over lists
    after = ("", 0, "")
    while True:
        place = dict(zip(("after_case", "after_trial", "after_phase"), after, strict=True))
        page = warehouse.query(sql("select_outputs"), {**cell, **place, "case_ids": wanted})
        yield from (Output(*row) for row in page)
        if len(page) < ROWS_PER_PAGE:
            return
        after = page[-1][:3]


def telling_outputs(
    results: Path,
    run_ids: Sequence[str],
    suite: str,
    model: str,
    phases: Sequence[Phase],
    wanted: Mapping[str, OutcomeState],
) -> dict[str, TellingOutput]:
    """The first answer to each of some cases that counts as wanted, or the first of all where none does."""
    cell = {"run_ids": list(run_ids), "suite": suite, "model": model, "phases": list(phases)}
    cases = json.dumps([{"case_id": case_id, "outcome": outcome} for case_id, outcome in wanted.items()])
    rows = Warehouse(results).query(sql("select_telling_outputs"), {**cell, "cases": cases})
    return {case_id: TellingOutput(*told) for case_id, *told in rows}


def unmeasured_reasons(results: Path, run_id: str, suite: str, model: str, *, most: int = 5) -> list[tuple[str, int]]:
    """Why trials of a cell could not be measured, and how many for each reason, most frequent first."""
    parameters = {"run_id": run_id, "suite": suite, "model": model, "most": most}
    return [
        (reason, trials) for reason, trials in Warehouse(results).query(sql("select_unmeasured_reasons"), parameters)
    ]


def frequent_error(results: Path, run_id: str, suite: str, model: str) -> str | None:
    """What most of a cell's failed calls, to its model or to judges, said of themselves."""
    rows = Warehouse(results).query(sql("select_frequent_error"), {"run_id": run_id, "suite": suite, "model": model})
    return next((error for (error,) in rows), None)


def spent(results: Path, run_id: str) -> Spent:
    """Sum up every call of a run: planned ones, those that confirmed, judges and their probes."""
    rows = Warehouse(results).query(sql("select_spent"), {"run_id": run_id})
    costs = {what: cost_usd for what, _, cost_usd in rows}
    known = [cost_usd for cost_usd in costs.values() if cost_usd is not None]
    return Spent(sum(calls for _, calls, _ in rows), sum(known) if len(known) == len(costs) else None, costs)


def cells_of(results: Path, run_id: str) -> list[Cell]:
    """The stored cells of a run."""
    rows = Warehouse(results).table(sql("select_cells"), {"run_id": run_id}).to_pylist()
    return [Cell(**{**as_fields(row), "verdict": row["verdict"] and Verdict(row["verdict"])}) for row in rows]


def latest_cells(results: Path) -> list[Cell]:
    """The latest cell of each suite and model of which enough was measured."""
    rows = Warehouse(results).table(sql("select_latest_cells")).to_pylist()
    return [Cell(**{**as_fields(row), "verdict": row["verdict"] and Verdict(row["verdict"])}) for row in rows]


def as_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a record's fields: lists are tuples there."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def flips_of(results: Path, run_id: str, suite: str, model: str) -> list[Flip]:
    """The stored flips of a cell, lost ones first."""
    parameters = {"run_id": run_id, "suite": suite, "model": model}
    return [Flip(**row) for row in Warehouse(results).table(sql("select_flips"), parameters).to_pylist()]


def runs_newest_first(results: Path) -> list[Run]:
    """Every run as last recorded."""
    return [Run(**row) for row in Warehouse(results).table(sql("select_runs")).to_pylist()]


def run_ids(results: Path) -> list[str]:
    """The ids of all runs that asked cases, newest first."""
    return [run.run_id for run in runs_newest_first(results) if run.flow != "watch"]


def run_count(results: Path) -> int:
    """How many runs there were."""
    return len(run_ids(results))


def pins(results: Path) -> list[Pin]:
    """The pin of every suite and model that has one."""
    return [Pin(**row) for row in Warehouse(results).table(sql("select_pins")).to_pylist()]


def latest_pin(results: Path, suite: str, model: str) -> Pin | None:
    """What a cell is pinned to."""
    return next((pin for pin in pins(results) if (pin.suite, pin.model) == (suite, model)), None)


def models_of_runs(results: Path) -> Mapping[tuple[str, str], Sequence[str]]:
    """The models that have a stored cell, by run and suite."""
    rows = Warehouse(results).query(sql("select_models_of_runs"))
    return {(run_id, suite): tuple(models) for run_id, suite, models in rows}


def stored_cases(results: Path, suite: str, dataset_hash: str, case_ids: Sequence[str]) -> list[StoredCase]:
    """Some cases of a dataset as they are stored."""
    wanted = {"suite": suite, "dataset_hash": dataset_hash, "case_ids": json.dumps(list(case_ids))}
    rows = Warehouse(results).table(sql("select_cases"), wanted).to_pylist()
    return [StoredCase(**{**row, "tags": tuple(row["tags"])}) for row in rows]


def retirements(results: Path) -> dict[str, Retirement]:
    """What was last recorded of each model's retirement."""
    rows = Warehouse(results).table(sql("select_retirements")).to_pylist()
    return {row["model"]: Retirement(**row) for row in rows}


def model_versions(results: Path) -> list[Version]:
    """Every version that was served, by model, the latest first."""
    return [Version(*row) for row in Warehouse(results).query(sql("select_model_versions"))]


def fresh_trials(results: Path, run_id: str, suite: str, model: str) -> list[tuple[str, int, bool | None]]:
    """The trials asked to confirm a cell: case, number from 1, and whether it passed (None: unmeasured)."""
    cell = {"run_id": run_id, "suite": suite, "model": model}
    return [
        (case_id, trial, passed)
        for case_id, trial, passed in Warehouse(results).query(sql("select_fresh_trials"), cell)
    ]


def call_figures(results: Path, run_id: str, suite: str, model: str) -> list[tuple[float, float | None]]:
    """Latency in ms and cost in USD (None: unknown) of each answered call of a cell."""
    cell = {"run_id": run_id, "suite": suite, "model": model}
    return [(latency_ms, cost) for latency_ms, cost in Warehouse(results).query(sql("select_call_figures"), cell)]
