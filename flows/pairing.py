"""Bring both sides of a comparison together, case by case."""

from flows.rescoring import rescored
from flows.run import Run
from tasks.plan import Baseline, PlannedCell
from tasks.records import Suite
from tasks.storage import reads
from tasks.storage.counts import PairedCounts, Side, paired_counts
from tasks.verdicts.compare import Paired
from tasks.verdicts.evidence import Evidence, FreshTrial, open_case, with_fresh


def evidence_of(run: Run, planned: PlannedCell) -> Evidence | str:
    """What is known of a cell that has a baseline by now, or why it cannot be compared."""
    opened = run.opened.get((planned.suite, planned.model))
    if opened is None:
        opened = opened_case(run, run.plan.suite_named(planned.suite), planned)
        run.opened[planned.suite, planned.model] = opened
    if isinstance(opened, str):
        return opened
    fresh = reads.fresh_trials(run.results, run.id, planned.suite, planned.model)
    return with_fresh(opened, (FreshTrial(*trial) for trial in fresh)) if fresh else opened


def opened_case(run: Run, suite: Suite, planned: PlannedCell) -> Evidence | str:
    """Both sides as planned, scored by the same scorers and judges with the same labels, or why that cannot be."""
    if planned.baseline is None:
        raise ValueError(f"{planned.suite} on {planned.model} has nothing to be compared with")
    base = base_side(run, suite, planned.baseline)
    found = paired_counts(run.results, suite.name, base=base, side=this_side(run, suite, planned))
    counts = rescored(run, suite, base, found)
    if isinstance(counts, str):
        return counts
    return open_case(paired(counts, planned.trials), kinds=counts.kinds.tolist(), tags=counts.tags.tolist())


def paired(counts: PairedCounts, trials: int) -> Paired:
    """The pairs as verdicts take them."""
    return Paired(
        case_ids=counts.case_ids.tolist(),
        base_passed=counts.base_passed,
        base_measured=counts.base_measured,
        passed=counts.passed,
        measured=counts.measured,
        n_cases=counts.n_cases,
        n_base_cases=counts.n_base_cases,
        trials=trials,
    )


def this_side(run: Run, suite: Suite, planned: PlannedCell) -> Side:
    """Tonight's trials of a cell."""
    return Side(run.id, planned.model, dataset_hash=suite.dataset_hash)


def base_side(run: Run, suite: Suite, baseline: Baseline) -> Side:
    """The trials that a cell is compared with."""
    if baseline.run_id is None:
        return Side(run.id, baseline.model, dataset_hash=suite.dataset_hash)
    return Side(baseline.run_id, baseline.model)
