"""Compare the cells of a run with their baselines: stored trials in, verdicts out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from flows.comparing.causes import explained
from flows.comparing.cell_records import (
    cell_record,
    comparison_record,
    flip_records,
    gate_records,
    rated_of,
    slice_rates,
)
from flows.comparing.notes import notes_on, reasons
from flows.comparing.pairing import base_side, case_of, this_side
from flows.comparing.repeats import with_flip_rates
from flows.evaluating.probing import judges_used
from flows.judges.correcting import CellOfRun, correction_of
from flows.judges.trust import doubts, refusal, trend
from flows.models.retirements import lifespans
from flows.result import RunResult
from flows.run import OpenCase, Run, now
from flows.storing import store_records
from flows.telling.alerting import raise_alerts
from tasks.config import Gate
from tasks.plan import PlannedCell
from tasks.records import Calibration, Cell, Comparison, Correction, Flip, GateResult, Pin, Suite, Verdict
from tasks.reports.page import SliceRate
from tasks.storage import reads
from tasks.storage.counts import CellTotals, TrialCounts, cell_totals, trial_counts
from tasks.storage.judged import calibrations
from tasks.storage.warehouse import Warehouse
from tasks.verdicts.compare import Judged, judge_first_night
from tasks.verdicts.decide import Decided, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCell:
    """A cell with everything that was found of it; no comparison where it is only there to be compared with."""

    cell: Cell
    comparison: Comparison | None
    gates: tuple[GateResult, ...] = ()
    flips: tuple[Flip, ...] = ()
    slices: tuple[SliceRate, ...] = ()
    correction: Correction | None = None


def compare_cells(run: Run) -> RunResult:
    """Judge every cell of the run, store what was found and return it."""
    totals = {(total.suite, total.model): total for total in cell_totals(run.results, run.id)}
    if run.stop.is_set():
        return interrupted(run)
    judged = []
    for planned in run.plan.cells:
        with Warehouse(run.results).kept_open():
            judged.append(judge_cell(run, planned, totals.get((planned.suite, planned.model))))
    with Warehouse(run.results).kept_open():
        run.notes += notes_on(run, [one.cell for one in judged], [one.comparison for one in judged if one.comparison])
        result = result_of(run, judged)
        result = replace(result, comparisons=tuple(explained(run, result.comparisons, result.cells)))
    store_records(
        run,
        {
            "cells": result.cells,
            "comparisons": result.comparisons,
            "gates": result.gates,
            "flips": result.flips,
            "corrections": result.corrections,
            "pins": tuple(new_pins(result)),
        },
    )
    ends = lifespans(run.file, run.plan.suites, now=run.plan.created_at, listings=run.listings)
    result = replace(result, lifespans=ends)
    if run.plan.flow == "nightly":
        raise_alerts(run, result)
    store_records(run, {"runs": (run.record(result.status, calls=result.calls, cost_usd=result.cost_usd),)})
    return result


def judge_cell(run: Run, planned: PlannedCell, total: CellTotals | None) -> JudgedCell:
    """Judge one cell."""
    suite = run.plan.suite_as_asked(planned)
    broken = run.broken_cells.get((planned.suite, planned.model))
    if total is None or broken:
        judged = Judged(verdict=Verdict.UNMEASURED, cause=broken or "nothing was asked", n_paired=0)
        return JudgedCell(
            cell=cell_record(run, suite, planned, total, None, judged.verdict),
            comparison=comparison_record(run, suite, planned, judged),
        )
    counts = trial_counts(run.results, suite.name, this_side(run, suite, planned))
    return judge_measured_cell(run, suite, planned, total, counts)


def judge_measured_cell(
    run: Run, suite: Suite, planned: PlannedCell, total: CellTotals, counts: TrialCounts
) -> JudgedCell:
    """Judge a cell against its baseline, as a first night, or only by itself where it is a reference."""
    case = case_of(run, planned) if planned.baseline else None
    base = base_side(run, suite, planned.baseline) if planned.baseline else None
    judged: Judged | None = None
    correction = correction_of(
        run.results, CellOfRun(run.id, suite.name, planned.model, run.standings_of(suite)), (), at=now()
    )
    refused = refusal(run.standings_of(suite))
    if isinstance(case, str):
        judged = Judged(verdict=Verdict.UNMEASURED, cause=case, n_paired=0)
    elif case:
        judged = in_truth(decided(case, suite.config.gate), correction, suite.config.gate)
    elif planned.phase == "baseline" and refused:
        judged = Judged(verdict=Verdict.UNMEASURED, cause=refused, n_paired=0)
    elif planned.phase == "baseline":
        judged = judge_first_night(counts.passed, counts.measured, suite.n_cases, suite.config.gate)
    if judged and judged.verdict is Verdict.UNMEASURED:
        judged = replace(judged, cause=f"{judged.cause}{reasons(run, planned.suite, planned.model)}")
    is_compared = judged is not None and judged.drop_pp is not None
    rated = rated_of(counts, case.evidence if isinstance(case, OpenCase) and is_compared else None)
    cell = cell_record(run, suite, planned, total, counts, judged.verdict if judged else None)
    return JudgedCell(
        cell=replace(cell, covered=cell.covered and not refused),
        comparison=comparison_record(run, suite, planned, judged, base, rated) if judged else None,
        gates=gates_of(gate_records(run, suite, planned, rated), judged),
        flips=tuple(flip_records(run, planned, case)) if isinstance(case, OpenCase) else (),
        slices=tuple(slice_rates(suite, planned, counts, rated)),
        correction=correction,
    )


def in_truth(judged: Judged, correction: Correction | None, gate: Gate) -> Judged:
    """The detectable drop as a true one, of which an erring judge shows only a part; that may be too little to tell."""
    if correction is None or not correction.slope or judged.detectable_drop_pp is None:
        return judged
    detectable = min(100.0, judged.detectable_drop_pp / correction.slope)
    found = replace(judged, detectable_drop_pp=detectable)
    if judged.verdict is not Verdict.UNCHANGED or detectable <= gate.max_detectable_drop_pp:
        return found
    cause = (
        f"only a drop of {detectable:.1f} pp could be found, more than max_detectable_drop_pp "
        f"({gate.max_detectable_drop_pp:g}): the judge shows {100 * correction.slope:.0f} % of a true one"
    )
    return replace(found, verdict=Verdict.INCONCLUSIVE, cause=cause)


def gates_of(found: Iterable[GateResult], judged: Judged | None) -> tuple[GateResult, ...]:
    """The gates of a cell: none of a reference, and none that is decided where too little was measured."""
    if judged is None:
        return ()
    unmeasured = judged.verdict is Verdict.UNMEASURED
    return tuple(replace(gate, state="undecided") if unmeasured else gate for gate in found)


def decided(case: OpenCase, gate: Gate) -> Judged:
    """What the evidence says when nothing more is asked."""
    judged = decide(case.evidence, gate, drift=case.drift, forced=case.forced, may_ask=False)
    assert isinstance(judged, Decided), "nothing more may be asked"  # noqa: S101
    return judged


def new_pins(result: RunResult) -> Iterator[Pin]:
    """The cells that became baselines."""
    for comparison in result.comparisons:
        if comparison.verdict is Verdict.PINNED:
            suite, model = comparison.suite, comparison.model
            yield Pin(suite=suite, model=model, run_id=result.run_id, pinned_at=now(), pinned_by="first measured night")


def result_of(run: Run, judged: list[JudgedCell]) -> RunResult:
    """Put the cells of a run together."""
    judges = judges_used(run.config, run.plan.suites)
    known, trends = calibrations_of(run)
    return RunResult(
        run_id=run.id,
        flow=run.plan.flow,
        status="finished",
        **reads.spent(run.results, run.id)._asdict(),
        cells=tuple(with_flip_rates(run, [cell.cell for cell in judged])),
        comparisons=tuple(cell.comparison for cell in judged if cell.comparison),
        gates=tuple(gate for cell in judged for gate in cell.gates),
        flips=tuple(flip for cell in judged for flip in cell.flips),
        slices=tuple(one for cell in judged for one in cell.slices),
        corrections=tuple(cell.correction for cell in judged if cell.correction),
        calibrations=known,
        trends=trends,
        events=run.events,
        uncalibrated=tuple(doubts(one for suite in run.plan.suites for one in run.standings_of(suite))),
        simulated_judges=tuple(judge.config.name for judge in judges if judge.config.is_rehearsal),
        notes=tuple(run.notes),
    )


def calibrations_of(run: Run) -> tuple[tuple[Calibration, ...], tuple[str, ...]]:
    """Everything that was found of the judges that spoke when they were calibrated last, and how J went over time."""
    current = [one.calibration for suite in run.plan.suites for one in run.standings_of(suite) if one.calibration]
    stored = calibrations(run.results, [one.suite for one in current]) if current else []
    runs = {(one.suite, one.scorer, one.run_id) for one in current}
    shown = tuple(one for one in stored if (one.suite, one.scorer, one.run_id) in runs)
    return shown, tuple(trend(stored))


def interrupted(run: Run) -> RunResult:
    """What is left of a run that was stopped: its trials are kept, nothing is judged."""
    calls, cost_usd, costs = reads.spent(run.results, run.id)
    store_records(run, {"runs": (run.record("interrupted", calls=calls, cost_usd=cost_usd),)})
    return RunResult(
        run_id=run.id,
        flow=run.plan.flow,
        status="interrupted",
        calls=calls,
        cost_usd=cost_usd,
        costs=costs,
        notes=tuple(run.notes),
        options=run.file.options,
    )
