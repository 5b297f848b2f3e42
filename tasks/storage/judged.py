"""What the flows ask of earlier runs about their judges.

Every function takes the results folder, opens the warehouse for the question and closes it again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.records import Calibration, Phase
from tasks.storage.sql_files import sql
from tasks.storage.warehouse import Warehouse


class Probe(NamedTuple):
    """A call that only asked which version of a judge answers; `model` is the judge's name in the config."""

    model: str
    requested_model: str
    served_model: str | None
    params: str


class TrialOfCell(NamedTuple):
    """One trial within a cell."""

    case_id: str
    trial: int
    phase: Phase


class JudgedTotal(NamedTuple):
    """The measured trials of a cell of which one judge scorer spoke, or none did (None).

    A panel was `unanimous` on that share. Where two scorers spoke of one trial, the trials of all together exceed
    `measured_trials`.
    """

    scorer: str | None
    n_cases: int
    trials: int
    passed: int
    unanimous: float
    measured_trials: int


class SpokenOf(NamedTuple):
    """An output with what a judge scorer found."""

    scorer: str
    case_id: str
    trial: int
    output: str
    passed: bool


def judged_totals(results: Path, run_id: str, suite: str, model: str, scorers: Sequence[str]) -> list[JudgedTotal]:
    """Who decided the trials of a cell, and how."""
    cell = {"run_id": run_id, "suite": suite, "model": model, "scorers": list(scorers)}
    return [JudgedTotal(*row) for row in Warehouse(results).query(sql("select_judged_totals"), cell)]


def judged_outputs(results: Path, run_id: str, suite: str, model: str, scorers: Sequence[str]) -> list[SpokenOf]:
    """The outputs of a cell of which judges spoke, by scorer, case and trial."""
    cell = {"run_id": run_id, "suite": suite, "model": model, "scorers": list(scorers)}
    return [SpokenOf(*row) for row in Warehouse(results).query(sql("select_judged_outputs"), cell)]


def probes(results: Path, run_id: str) -> list[Probe]:
    """The probes of a run's judges, the latest last."""
    return [Probe(*row) for row in Warehouse(results).query(sql("select_probes"), {"run_id": run_id})]


def calibrations(results: Path, suites: Sequence[str]) -> list[Calibration]:
    """Every calibration of some suites, whole and by slice, the latest last."""
    rows = Warehouse(results).table(sql("select_calibrations"), {"suites": list(suites)}).to_pylist()
    lists = ("judges", "judge_versions")
    return [Calibration(**{**row, **{name: tuple(row[name]) for name in lists}}) for row in rows]


def unmeasured_trials(
    results: Path, run_id: str, suite: str, model: str, phases: Sequence[Phase]
) -> frozenset[TrialOfCell]:
    """The trials of a cell that could not be measured."""
    cell = {"run_id": run_id, "suite": suite, "model": model, "phases": list(phases)}
    return frozenset(TrialOfCell(*row) for row in Warehouse(results).query(sql("select_unmeasured_trials"), cell))
