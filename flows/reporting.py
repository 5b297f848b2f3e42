"""Put the page of a run together from what was found and what is stored."""

from collections.abc import Iterator
from pathlib import Path

from flows.result import RunResult
from flows.run import Run
from tasks.records import RunStatus, StoredCase
from tasks.reports.page import ReportPage, UnmeasuredReason
from tasks.reports.write import write_report
from tasks.storage import reads

SHOWN_REASONS = 5


def report_run(run: Run, result: RunResult) -> Path:
    """Write the page of a run; gives its path."""
    status: RunStatus = result.status
    page = ReportPage(
        run=run.record(status, calls=result.calls, cost_usd=result.cost_usd),
        whole=run.plan.whole,
        costs=result.costs,
        cells=result.cells,
        comparisons=result.comparisons,
        gates=result.gates,
        flips=result.flips,
        cases=flipped_cases(run, result),
        suites=run.plan.suites,
        unmeasured=tuple(unmeasured_reasons(run, result)),
        kinds=result.kinds,
        retirements=result.lifespans,
        notes=result.notes,
        simulated=result.simulated,
        uncalibrated=result.uncalibrated,
        corrections=result.corrections,
        calibrations=result.calibrations,
        trends=result.trends,
    )
    return write_report(run.results, page)


def flipped_cases(run: Run, result: RunResult) -> dict[tuple[str, str], StoredCase]:
    """The cases that flipped, with what was asked and expected."""
    found: dict[tuple[str, str], StoredCase] = {}
    for suite in run.plan.suites:
        ids = sorted({flip.case_id for flip in result.flips if flip.suite == suite.name})
        for case in reads.stored_cases(run.results, suite.name, suite.dataset_hash, ids) if ids else ():
            found[case.suite, case.case_id] = case
    return found


def unmeasured_reasons(run: Run, result: RunResult) -> Iterator[UnmeasuredReason]:
    """Why cells have trials that count for nothing."""
    for cell in result.cells:
        if cell.n_measured < cell.n_cases:
            found = reads.unmeasured_reasons(run.results, run.id, cell.suite, cell.model, most=SHOWN_REASONS)
            yield from (UnmeasuredReason(cell.suite, cell.model, reason, trials) for reason, trials in found)
