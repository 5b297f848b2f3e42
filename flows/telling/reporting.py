"""Put the pages of a run together from what was found and what is stored."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.result import RunResult
from flows.run import Run
from tasks.records import RunStatus, StoredCase, Verdict
from tasks.reports.page import CallCount, LatencyBin, PastCell, ReportPage, UnmeasuredReason, Version
from tasks.reports.site import MOST_NIGHTS, RunRow
from tasks.reports.write import reported_runs, write_list, write_report
from tasks.storage import reads, shown, sightings
from tasks.storage.warehouse import Warehouse

SHOWN_REASONS = 5


def report_run(run: Run, result: RunResult) -> Path:
    """Write the pages of a run; gives the path of the first."""
    with Warehouse(run.results).kept_open():
        page = page_of(run, result)
    path = write_report(run.results, page)
    list_runs(run.results)
    return path


def page_of(run: Run, result: RunResult) -> ReportPage:
    """All that the pages show."""
    status: RunStatus = result.status
    return ReportPage(
        run=run.record(status, calls=result.calls, cost_usd=result.cost_usd),
        whole=run.plan.whole,
        candidate=run.plan.candidate,
        options=run.file.options,
        costs=result.costs,
        cells=result.cells,
        comparisons=result.comparisons,
        gates=result.gates,
        flips=result.flips,
        cases=flipped_cases(run, result),
        suites=run.plan.suites,
        unmeasured=tuple(unmeasured_reasons(run, result)),
        slices=result.slices,
        retirements=result.lifespans,
        notes=result.notes,
        simulated=result.simulated,
        uncalibrated=result.uncalibrated,
        corrections=result.corrections,
        calibrations=result.calibrations,
        trends=result.trends,
        **stored_figures(run),
    )


def stored_figures(run: Run) -> dict[str, Any]:
    """What the warehouse knows of this run beside its records, and of those before it."""
    at = (run.results, run.id)
    return {
        "history": tuple(past_cell(row) for row in shown.history(*at, most=MOST_NIGHTS)),
        "latencies": tuple(LatencyBin(**row) for row in shown.latency_bins(*at)),
        "calls": tuple(CallCount(**row) for row in shown.call_counts(*at)),
        "nights": tuple(one for one in reads.runs_newest_first(run.results) if one.flow == "nightly"),
        "versions": tuple(Version(*one) for one in reads.model_versions(run.results)),
        "events": tuple(sightings.events(run.results))[::-1],
        "reported": reported_runs(run.results),
    }


def past_cell(row: Mapping[str, Any]) -> PastCell:
    """A cell of some night; one that was only there to be compared with has no verdict."""
    return PastCell(**{**row, "verdict": row["verdict"] and Verdict(row["verdict"])})


def list_runs(results: Path) -> None:
    """Bring the list of all runs up to date."""
    found, verdicts = reported_runs(results), shown.verdict_counts(results)
    runs = [one for one in reads.runs_newest_first(results) if one.run_id in found]
    write_list(results, [RunRow(one, verdicts.get(one.run_id, {})) for one in runs])


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
